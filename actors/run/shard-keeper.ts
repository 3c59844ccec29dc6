/**
 * Opens and closes the shards of this node. To open is to serve calls at once, to bring back the runs with work ready, and to read the timers. To close is
 * to hand over: afterwards nothing of these shards is in memory or on its way to the store, and whoever owns them next may begin.
 */
import type { Clock } from "../../runtime/clock.ts";
import { MaestroError } from "../../runtime/errors.ts";
import type { EventHub } from "../../runtime/events.ts";
import { type RunId, type Shard, shardOf } from "../../runtime/ids.ts";
import type { HeldShards } from "../../runtime/storage/held-shards.ts";
import type { Journal } from "../../runtime/storage/journal.ts";
import { pause } from "../../runtime/storage/pause.ts";
import { ShardSet } from "../../runtime/storage/shard-set.ts";
import type { TaskLedger } from "../../runtime/storage/task-ledger.ts";
import { allSlots, type TaskSlots } from "../../runtime/storage/task-slots.ts";
import type { TimerService } from "../timers/timer-service.ts";
import type { BereftRuns } from "./bereft-runs.ts";
import type { Dispatcher } from "./dispatcher.ts";
import type { NewerRuns } from "./newer-runs.ts";
import { recoverRuns } from "./recovery.ts";
import type { Region } from "./region.ts";
import type { RunHub } from "./run-hub.ts";
import { ChangingShards, type ServedShards } from "./served-shards.ts";
import { moved, type ShardGate } from "./shard-gate.ts";

/** Time that attempts under way get when their shard is handed over, in milliseconds. Short ones end in it; runs stand still as long. */
const ATTEMPT_GRACE_MS = 50;
/** When the store is asked again that could not answer, in milliseconds. */
const RETRY_MS = 500;

/** What it works on. */
export interface ShardKeeperParts {
  readonly clock: Clock;
  readonly events: EventHub;
  readonly gate: ShardGate;
  /** Where the journal learns that nothing of a shard may be written any more. */
  readonly held: Pick<HeldShards, "close" | "epochOf">;
  readonly region: Region;
  readonly journal: Pick<Journal, "listReady" | "flush">;
  readonly ledger: Pick<TaskLedger, "flush">;
  readonly timers: Pick<TimerService, "open" | "close">;
  readonly dispatcher: Pick<Dispatcher, "leave">;
  readonly taskSlots: Pick<TaskSlots, "list">;
  readonly hub: RunHub;
  /** See `RunServices.bereft`. */
  readonly bereft: BereftRuns;
  /** See `RunServices.newer`. */
  readonly newer: Pick<NewerRuns, "leave">;
  /** Ids of the runs that are quarantined in memory. */
  quarantined(): ReadonlySet<string>;
  /** Something failed that is tried again; for the log. */
  onTrouble(what: string, error: unknown): void;
}

/** A call that opens shards. */
interface Opening {
  readonly bereft: ShardSet;
}

/** See the file header. */
export class ShardKeeper {
  readonly #parts: ShardKeeperParts;
  readonly #recovered = new ChangingShards();
  /** Shards that are about to be served, and by which call; one that is handed over before is not. */
  readonly #opening = new Map<Shard, Opening>();
  /** Shards whose hand-over failed half-way, or is under way: they are served no more, and not handed over yet. */
  readonly #unfinished = new Set<Shard>();
  /** Shards that were handed over with runs whose next owner must be told that they were lost before; until they come back. */
  readonly #owed = new Set<Shard>();
  /** The node has started. */
  #isPatient = false;
  #isStopped = false;

  constructor(parts: ShardKeeperParts) {
    this.#parts = parts;
  }

  /** The shards whose runs with work ready are all in memory, for the auditor. */
  get recovered(): ServedShards {
    return this.#recovered;
  }

  /** True if shards are still this node's whose runs went down with an earlier owner, and have not stored it: their next owner must hear of it. */
  get isOwing(): boolean {
    const isHere = (shard: Shard): boolean => this.#parts.held.epochOf(shard) > 0;
    return [...this.#owed].some(isHere) || [...this.#opening].some(([shard, { bereft }]) => bereft.has(shard));
  }

  /**
   * Serves shards from now on; resolves when what they have to do is in memory. `bereft`: those of them whose last owner ended without handing them over:
   * these are served once their runs are marked, before which nothing may load them.
   * While the store can't be asked it waits for it, but for the first opening: without that the node does not start. Rejects if what is ready can't be listed
   * for another reason: the shards are served all the same, and the auditor brings back what it finds.
   */
  async open(opened: ShardSet, bereft: ShardSet): Promise<void> {
    const { gate, clock, events } = this.#parts;
    const call: Opening = { bereft };
    for (const shard of opened) this.#opening.set(shard, call);
    await Promise.all([...opened].flatMap((shard) => gate.whenLeft(shard) ?? []));
    for (const shard of opened) this.#owed.delete(shard);
    const startedMs = clock.monotonic();
    const handedOver = [...opened].filter((shard) => !bereft.has(shard));
    const lost = [...opened].filter((shard) => bereft.has(shard));
    const counts = await Promise.all([this.#openHandedOver(handedOver, call), this.#openLost(lost, call)]);
    this.#isPatient = true;
    events.emit("run.recovered", { count: counts[0] + counts[1], durationMs: clock.monotonic() - startedMs });
  }

  /** Gives up what waits for the store. */
  stop(): void {
    this.#isStopped = true;
  }

  /** Serves shards, and answers how many of their runs have work ready. */
  async #openHandedOver(asked: readonly Shard[], call: Opening): Promise<number> {
    if (asked.length === 0) return 0;
    const { gate, region } = this.#parts;
    const shards = this.#serve(asked, call);
    const isHere = (): boolean => asked.some((shard) => gate.served.has(shard));
    return this.#bringBack(shards, () => this.#list(shards, isHere, (runId) => region.resume(runId)));
  }

  /** The same for shards whose owner was lost: their runs are marked first. If they can't be listed, whatever is loaded there counts as marked. */
  async #openLost(asked: readonly Shard[], call: Opening): Promise<number> {
    if (asked.length === 0) return 0;
    const { region, bereft } = this.#parts;
    const ready = new Set<RunId>();
    const isStillOpening = (shard: Shard): boolean => this.#opening.get(shard) === call;
    const isWanted = (): boolean => asked.some(isStillOpening);
    const slotsKnown = this.#noteSlots(asked);
    const listed = await this.#list(ShardSet.of(asked), isWanted, (runId) => ready.add(runId)).then(
      () => undefined,
      (error: unknown) => ({ error }),
    );
    await slotsKnown;
    for (const runId of ready) if (isStillOpening(shardOf(runId))) bereft.add(runId);
    if (listed !== undefined) bereft.addAllOf(asked.filter(isStillOpening));
    const shards = this.#serve(asked, call);
    return this.#bringBack(shards, async () => {
      for (const runId of ready) region.resume(runId);
      if (listed !== undefined) throw listed.error;
      return ready.size;
    });
  }

  /** Has it noted which attempts of lost shards had slots. If the store does not say so, any may have begun. */
  async #noteSlots(shards: readonly Shard[]): Promise<void> {
    const { taskSlots, bereft, onTrouble } = this.#parts;
    try {
      bereft.noteSlots(shards, await allSlots(taskSlots, ShardSet.of(shards)));
    } catch (error) {
      onTrouble("the slots of new shards could not be listed: any attempt may have begun", error);
    }
  }

  /** As {@link recoverRuns}, again and again while the store can't be asked and somebody wants to know. */
  async #list(shards: ShardSet, isWanted: () => boolean, wake: (runId: RunId) => void): Promise<number> {
    const { journal, clock, onTrouble } = this.#parts;
    for (;;) {
      try {
        return await recoverRuns(journal, shards, wake);
      } catch (error) {
        const isPassing = error instanceof MaestroError && error.retryable;
        if (!isPassing || !this.#isPatient || this.#isStopped || !isWanted()) throw error;
        onTrouble("the runs of new shards could not be listed; it is tried again", error);
        await pause(RETRY_MS, clock);
      }
    }
  }

  /** Serves those of the shards that were not handed over meanwhile. */
  #serve(asked: readonly Shard[], call: Opening): ShardSet {
    const shards = ShardSet.of(asked.filter((shard) => this.#opening.get(shard) === call));
    for (const shard of shards) this.#opening.delete(shard);
    this.#parts.gate.open(shards);
    return shards;
  }

  /** Has the runs of shards that are served already in memory, and their timers read. */
  async #bringBack(shards: ShardSet, recover: () => Promise<number>): Promise<number> {
    const { gate, timers } = this.#parts;
    const recovering = recover().finally(() => this.#recovered.add([...shards].filter((shard) => gate.served.has(shard))));
    return (await Promise.all([recovering, timers.open(shards)]))[0];
  }

  /**
   * Hands shards over. Calls that come meanwhile wait, and are answered SHARD_MOVED when it is done; so are those that no turn has taken yet. Attempts get
   * a short time to end; the next owner has the others executed again. Answers the shards with runs which have not stored yet that their attempts went down
   * with an earlier owner: the next one must be told. If it rejects it can be repeated.
   */
  async close(shards: Iterable<Shard>): Promise<ShardSet> {
    const asked = [...shards];
    for (const shard of asked) {
      if (this.#opening.get(shard)?.bereft.has(shard) === true) this.#owed.add(shard);
      this.#opening.delete(shard);
    }
    const closing = ShardSet.of(asked.filter((shard) => this.#parts.gate.served.has(shard) || this.#unfinished.has(shard)));
    if (closing.size > 0) {
      for (const shard of closing) this.#unfinished.add(shard);
      const quarantined = await this.#leave(closing);
      for (const shard of closing) this.#unfinished.delete(shard);
      for (const shard of this.#parts.bereft.take(closing, quarantined)) this.#owed.add(shard);
    }
    return ShardSet.of(asked.filter((shard) => this.#owed.has(shard)));
  }

  /** Stops what runs in the shards, and answers which runs were quarantined. Whoever waits for the end of it is let go on whatever happens. */
  async #leave(closing: ShardSet): Promise<ReadonlySet<string>> {
    const { gate, held, region, journal, ledger, timers, dispatcher, hub, newer } = this.#parts;
    const left = Promise.withResolvers<void>();
    gate.leave(closing, left.promise);
    try {
      this.#recovered.delete(closing);
      timers.close(closing);
      await dispatcher.leave(closing, ATTEMPT_GRACE_MS);
      const quarantined = this.#parts.quarantined();
      await region.stop(closing);
      newer.leave(closing);
      held.close(closing);
      // The ledger too: what is stored of an attempt later than what the next owner stores would stay there.
      await Promise.all([journal.flush(), ledger.flush()]);
      return quarantined;
    } finally {
      hub.moved((runId) => closing.has(shardOf(runId)), moved);
      gate.left(closing);
      left.resolve();
    }
  }
}
