/**
 * Gets slots of concurrency keys for the attempts of one node, and frees them. Owns the attempts that wait: in memory, in the order of their turns, without a
 * thread; the history of their runs is what outlives the node. What waits is asked for when it comes, when a slot of its key was freed here or, as a message
 * says, elsewhere, and in any case about once a second. The store is asked for everything at once, and one thing after the other: nothing is taken while
 * something is freed.
 */
import type { CancelTimer, Clock } from "../../runtime/clock.ts";
import { MaestroError } from "../../runtime/errors.ts";
import type { EventHub } from "../../runtime/events.ts";
import { type BootId, shardOf } from "../../runtime/ids.ts";
import { LIMITS } from "../../runtime/limits.ts";
import type { Random } from "../../runtime/random.ts";
import type { HeldShards } from "../../runtime/storage/held-shards.ts";
import type { SlotRequest, TaskSlot, TaskSlots } from "../../runtime/storage/task-slots.ts";
import { turnOf } from "../../runtime/workers/scheduling.ts";
import { attemptIdOf } from "./attempt-id.ts";
import { LingeringSlots } from "./lingering-slots.ts";
import { hashOf, type SlotAsk, type SlotSeeker } from "./slot-line.ts";
import { SlotLines } from "./slot-lines.ts";

/** How long what waits is not asked for at most, in milliseconds, give or take a quarter; also the wait after a failure of the store. */
const POLL_MS = 1_000;
/** With other nodes there: how long this one waits at most before it asks for what it freed itself, so that they have a chance too, in milliseconds. */
const YIELD_MS = 20;
/** Attempts of one key that are asked for at once; no more in any case than its limit. */
const ASKED_PER_KEY = 64;
/** What keeps two turns apart that would be the same, in milliseconds. */
const TURN_STEP_MS = 1 / 1024;

/** What it needs. */
export interface ConcurrencySlotsOptions {
  readonly store: TaskSlots;
  readonly bootId: BootId;
  readonly clock: Clock;
  readonly random: Random;
  readonly events: EventHub;
  /** The shards of this node, with their epochs. */
  readonly held: Pick<HeldShards, "epochsOf">;
  /** The store failed; it is asked again. For the log. */
  onTrouble(what: string, error: unknown): void;
}

/** See the file header. */
export class ConcurrencySlots {
  readonly #options: ConcurrencySlotsOptions;
  /** Attempts that want a slot or have one, by id. */
  readonly #seekers = new Map<string, SlotSeeker>();
  readonly #lines = new SlotLines();
  readonly #freeing = new Map<string, TaskSlot>();
  /** Slots of executions that go on here although their runs have left. */
  readonly #lingering: LingeringSlots;
  /** Slots that were left behind, to be freed if their attempts are still not wanted then. */
  readonly #reclaiming = new Map<string, TaskSlot>();
  #tellFreed: ((hashes: readonly string[]) => void) | undefined;
  #lastTurnMs = 0;
  #held = 0;
  #working: Promise<void> | undefined;
  #cancelPoll: CancelTimer | undefined;
  #cancelYield: CancelTimer | undefined;
  readonly #yielded = new Set<string>();
  #closed = false;

  constructor(options: ConcurrencySlotsOptions) {
    this.#options = options;
    this.#lingering = new LingeringSlots(options.random);
  }

  /** Attempts that wait. */
  get waiting(): number {
    return this.#seekers.size - this.#held;
  }

  /** From now on there are other nodes: `tell` is called with what stands for the keys of which slots were freed. */
  share(tell: (hashes: readonly string[]) => void): void {
    this.#tellFreed = tell;
  }

  /** True if this node will free a slot by itself: that of an attempt which is over, or of an execution that goes on. `id`: of the attempt that the slot names. */
  willFree(id: string): boolean {
    return this.#freeing.has(id) || this.#lingering.has(id);
  }

  /** What an attempt waits for, and since when on the monotonic clock; undefined if it has its slot, or wants none. */
  waitOf(id: string): (Pick<SlotRequest, "key" | "limit"> & Pick<SlotSeeker, "sinceMs">) | undefined {
    const seeker = this.#seekers.get(id);
    return seeker === undefined || seeker.state === "held" ? undefined : { ...seeker.request, sinceMs: seeker.sinceMs };
  }

  /** Gets a slot for an attempt. One that has its slot begins at once. @throws TASK_QUEUE_FULL too many wait */
  ask(ask: SlotAsk): void {
    const known = this.#seekers.get(ask.id);
    if (known !== undefined) {
      known.begin = ask.begin;
      if (known.state === "held") ask.begin();
      return;
    }
    const { waiting } = this;
    if (waiting >= LIMITS.slotsAwaited) throw new MaestroError("TASK_QUEUE_FULL", { facts: { queued: waiting }, retryAfterMs: POLL_MS });
    const seeker = this.#seekerOf(ask);
    this.#seekers.set(ask.id, seeker);
    this.#lines.add(seeker);
    this.#armPoll();
    this.#work();
  }

  /** An attempt has a slot in the store. True if it wants one here; if it waits, it is brought to it: it goes before all others of its key. */
  recall(id: string): boolean {
    const seeker = this.#seekers.get(id);
    if (seeker?.state !== "waiting") return seeker !== undefined;
    this.#lines.toFront(seeker);
    this.#work();
    return true;
  }

  /** An attempt is over by its history, and executed no more: its slot is free for others. */
  leave(id: string): void {
    this.#drop(id, "free");
  }

  /** The shard of an attempt's run was handed over, or its slot taken away: whatever becomes of the slot is up to others. */
  forget(id: string): void {
    this.#drop(id, "forget");
  }

  /** What is executed of shards that are handed over has slots of its own from now on, until {@link executed}. Rejects without the store: nothing may be handed over then. */
  async linger(ids: readonly string[]): Promise<void> {
    const slots = ids.flatMap((id) => {
      const seeker = this.#seekers.get(id);
      return seeker?.state === "held" ? [this.#lingering.begin(seeker.request)] : [];
    });
    if (slots.length === 0) return;
    await this.#options.store.linger(slots).finally(() => {
      // What has ended meanwhile was perhaps freed before its row was there.
      for (const slot of slots) if (!this.#lingering.has(attemptIdOf(slot))) this.#free(slot);
    });
  }

  /** An execution has ended. */
  executed(id: string): void {
    const slot = this.#lingering.end(id);
    if (slot !== undefined) this.#free(slot);
  }

  /** Frees slots of attempts of this node's runs that it does not execute. One that is wanted before it comes to that is kept. */
  reclaim(slots: Iterable<TaskSlot>): void {
    for (const slot of slots) {
      const id = attemptIdOf(slot);
      if (this.#seekers.get(id)?.state === "held") this.forget(id);
      this.#reclaiming.set(id, slot);
    }
    this.#work();
  }

  /** Slots were freed on other nodes. */
  noteFreed(hashes: Iterable<string>): void {
    if (this.#lines.noteHashes(hashes)) this.#work();
  }

  /** Gets no more slots; frees what is to be freed, if the store answers. Again when executions that lingered have ended since. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelPoll?.();
    this.#cancelYield?.();
    for (const { cancelBound } of this.#seekers.values()) cancelBound?.();
    await this.#working;
    try {
      while (this.#freeing.size > 0) await this.#freeSome();
    } catch (error) {
      this.#options.onTrouble("slots of concurrency keys could not be freed", error);
    }
  }

  #seekerOf({ id, request, priority, sinceMs, boundMs, begin, late }: SlotAsk): SlotSeeker {
    const { clock } = this.#options;
    const isNew = sinceMs >= clock.monotonic();
    if (isNew) this.#lastTurnMs = Math.max(sinceMs, this.#lastTurnMs + TURN_STEP_MS);
    const turnMs = turnOf(priority, isNew ? this.#lastTurnMs : sinceMs);
    const expire = (): void => {
      // Its end is not committed yet. If a call without an answer took the slot after all, it is found and reclaimed.
      this.forget(id);
      late();
    };
    const cancelBound = boundMs === undefined ? undefined : clock.schedule(boundMs, expire);
    return { id, request, sinceMs, turnMs, state: "waiting", isUncertain: false, gone: undefined, begin, cancelBound };
  }

  #drop(id: string, gone: "free" | "forget"): void {
    const seeker = this.#seekers.get(id);
    if (seeker === undefined) return;
    this.#seekers.delete(id);
    seeker.cancelBound?.();
    if (seeker.state === "asked") {
      seeker.gone = gone;
      return;
    }
    if (seeker.state === "waiting") this.#lines.remove(seeker);
    else this.#held -= 1;
    if (gone === "free" && (seeker.state !== "waiting" || seeker.isUncertain)) this.#free(seeker.request);
  }

  #free(slot: TaskSlot): void {
    this.#freeing.set(attemptIdOf(slot), slot);
    this.#work();
  }

  /** What comes in one turn of the event loop is asked for at once. */
  #work(): void {
    if (this.#closed || this.#working !== undefined) return;
    this.#working = Promise.resolve()
      .then(() => this.#workOff())
      .catch((error: unknown) => this.#options.onTrouble("slots of concurrency keys could not be had; that is tried again", error));
  }

  /** Until there is nothing left to do; after a failure the rest waits for the next poll. */
  async #workOff(): Promise<void> {
    try {
      while (!this.#closed && (this.#freeing.size > 0 || this.#reclaiming.size > 0 || this.#lines.isDue)) {
        await this.#freeSome();
        await this.#reclaimSome();
        await this.#takeSome();
      }
    } finally {
      this.#working = undefined;
      this.#armPoll();
    }
  }

  async #freeSome(): Promise<void> {
    const freeing = [...this.#freeing].slice(0, LIMITS.slotsPerStatement);
    if (freeing.length === 0) return;
    await this.#options.store.free(freeing.map(([, slot]) => slot));
    for (const [id] of freeing) this.#freeing.delete(id);
    this.#freed(freeing.map(([, { key }]) => key));
  }

  async #reclaimSome(): Promise<void> {
    const left = [...this.#reclaiming].filter(([id]) => !this.#seekers.has(id)).map(([, slot]) => slot);
    this.#reclaiming.clear();
    if (left.length === 0) return;
    const { store, bootId, events, held } = this.#options;
    const count = await store.reclaim(bootId, left, held.epochsOf(left.map(({ runId }) => shardOf(runId))));
    if (count > 0) events.emit("slots.reclaimed", { count });
    this.#freed(left.map(({ key }) => key));
  }

  async #takeSome(): Promise<void> {
    const asked = this.#closed ? [] : this.#lines.take(LIMITS.slotsPerStatement, ASKED_PER_KEY);
    if (asked.length === 0) return;
    const { store, bootId } = this.#options;
    let held: ReadonlySet<SlotRequest> | undefined;
    try {
      const requests = asked.map(({ request }) => request);
      held = new Set(await store.take(bootId, requests));
    } finally {
      for (const seeker of asked) this.#settle(seeker, held?.has(seeker.request));
    }
  }

  /** `isHeld` undefined: the store did not answer. */
  #settle(seeker: SlotSeeker, isHeld: boolean | undefined): void {
    if (isHeld === undefined) seeker.isUncertain = true;
    if (seeker.gone !== undefined) {
      this.#lines.served(seeker, false);
      if (seeker.gone === "free" && isHeld !== false) this.#freeing.set(seeker.id, seeker.request);
    } else if (isHeld === true) {
      seeker.state = "held";
      this.#held += 1;
      seeker.cancelBound?.();
      this.#lines.served(seeker, true);
      seeker.begin();
    } else this.#lines.refused(seeker);
  }

  /** Slots of these keys were freed here: others are told, and get a chance before this node asks again. */
  #freed(keys: readonly string[]): void {
    const hashes = [...new Set(keys)].map(hashOf);
    if (this.#tellFreed === undefined) return this.noteFreed(hashes);
    this.#tellFreed(hashes);
    for (const hash of this.#lines.awaited(hashes)) this.#yielded.add(hash);
    if (this.#yielded.size === 0 || this.#closed) return;
    const { clock, random } = this.#options;
    this.#cancelYield ??= clock.schedule(random.fraction() * YIELD_MS, () => {
      this.#cancelYield = undefined;
      this.noteFreed(this.#yielded);
      this.#yielded.clear();
    });
  }

  #armPoll(): void {
    if (this.#closed || this.#cancelPoll !== undefined || (this.waiting === 0 && this.#freeing.size === 0)) return;
    const { clock, random } = this.#options;
    this.#cancelPoll = clock.schedule(POLL_MS * (0.75 + random.fraction() / 2), () => {
      this.#cancelPoll = undefined;
      this.#lines.noteAll();
      this.#armPoll();
      this.#work();
    });
  }
}
