/**
 * Opens and closes the shards of this node. To open is to serve calls at once, to bring back the runs with work ready, and to read the timers. To close is
 * to hand over: afterwards nothing of these shards is in memory or on its way to the store, and whoever owns them next may begin.
 */
import type { Clock } from "../../runtime/clock.ts";
import type { EventHub } from "../../runtime/events.ts";
import { type RunId, type Shard, shardOf } from "../../runtime/ids.ts";
import type { HeldShards } from "../../runtime/storage/held-shards.ts";
import type { Journal } from "../../runtime/storage/journal.ts";
import { ShardSet } from "../../runtime/storage/shard-set.ts";
import type { TimerService } from "../timers/timer-service.ts";
import type { Dispatcher } from "./dispatcher.ts";
import { recoverRuns } from "./recovery.ts";
import type { Region } from "./region.ts";
import type { RunHub } from "./run-hub.ts";
import { ChangingShards, type ServedShards } from "./served-shards.ts";
import { moved, type ShardGate } from "./shard-gate.ts";

/** Time that attempts under way get when their shard is handed over, in milliseconds. Short ones end in it; runs stand still as long. */
const ATTEMPT_GRACE_MS = 50;

/** What it works on. */
export interface ShardKeeperParts {
  readonly clock: Clock;
  readonly events: EventHub;
  readonly gate: ShardGate;
  /** Where the journal learns that nothing of a shard may be written any more. */
  readonly held: Pick<HeldShards, "close">;
  readonly region: Region;
  readonly journal: Pick<Journal, "listReady" | "flush">;
  readonly timers: Pick<TimerService, "open" | "close">;
  readonly dispatcher: Pick<Dispatcher, "leave">;
  readonly hub: RunHub;
  /** See `RunServices.bereft`. */
  readonly bereft: Set<RunId>;
  /** Ids of the runs that are quarantined in memory. */
  quarantined(): ReadonlySet<string>;
}

/** See the file header. */
export class ShardKeeper {
  readonly #parts: ShardKeeperParts;
  readonly #recovered = new ChangingShards();

  constructor(parts: ShardKeeperParts) {
    this.#parts = parts;
  }

  /** The shards whose runs with work ready are all in memory, for the auditor. */
  get recovered(): ServedShards {
    return this.#recovered;
  }

  /**
   * Serves shards from now on; resolves when what they have to do is in memory. `bereft`: those of them whose last owner ended without handing them over.
   * Rejects if the store can't list what is ready: the shards are served all the same, and the auditor brings back what it finds.
   */
  async open(opened: ShardSet, bereft: ShardSet): Promise<void> {
    const { gate, timers, clock, events } = this.#parts;
    for (const shard of opened) await gate.whenLeft(shard);
    gate.open(opened);
    const startedMs = clock.monotonic();
    const [count] = await Promise.all([this.#recover(opened, bereft), timers.open(opened)]);
    events.emit("run.recovered", { count, durationMs: clock.monotonic() - startedMs });
  }

  /** Brings back the runs with work ready of shards that are served already, and answers how many there were. */
  async #recover(shards: ShardSet, lost: ShardSet): Promise<number> {
    const { journal, region, gate, bereft } = this.#parts;
    try {
      return await recoverRuns(journal, shards, (runId) => {
        if (lost.has(shardOf(runId)) && gate.serves(runId)) bereft.add(runId);
        region.resume(runId);
      });
    } finally {
      this.#recovered.add([...shards].filter((shard) => gate.served.has(shard)));
    }
  }

  /**
   * Hands shards over. Calls that come meanwhile wait, and are answered SHARD_MOVED when it is done; so are those that no turn has taken yet. Attempts get
   * a short time to end; the next owner has the others executed again. Answers the shards with runs which have not stored yet that their attempts went down
   * with an earlier owner: the next one must be told.
   */
  async close(shards: Iterable<Shard>): Promise<ShardSet> {
    const { gate, held, region, journal, timers, dispatcher, hub } = this.#parts;
    const closing = ShardSet.of([...shards].filter((shard) => gate.served.has(shard)));
    if (closing.size === 0) return ShardSet.none;
    const left = Promise.withResolvers<void>();
    gate.leave(closing, left.promise);
    this.#recovered.delete(closing);
    timers.close(closing);
    await dispatcher.leave(closing, ATTEMPT_GRACE_MS);
    const quarantined = this.#parts.quarantined();
    await region.stop(closing);
    held.close(closing);
    await journal.flush();
    hub.moved((runId) => closing.has(shardOf(runId)), moved);
    gate.left(closing);
    left.resolve();
    return this.#takeBereft(closing, quarantined);
  }

  #takeBereft(closed: ShardSet, quarantined: ReadonlySet<string>): ShardSet {
    const { bereft } = this.#parts;
    const shards: Shard[] = [];
    for (const runId of bereft) {
      if (!closed.has(shardOf(runId))) continue;
      bereft.delete(runId);
      if (!quarantined.has(runId)) shards.push(shardOf(runId));
    }
    return ShardSet.of(shards);
  }
}
