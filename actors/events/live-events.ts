/**
 * Events from commits to the queue, shard by shard. Owns in which state each shard is, and the progress of what was noted. Nothing here waits.
 *
 * A shard's states: elsewhere -> held -> live or behind; behind -> held; any -> elsewhere. Live: its events go to the queue. Held: they are kept until it is
 * known what has to be published before them. Behind: they are dropped, because the journal has them and will be read.
 */
import { type RunId, SHARD_COUNT, type Shard, shardOf } from "../../runtime/ids.ts";
import { LIMITS } from "../../runtime/limits.ts";
import type { CloudEvent } from "./cloud-event.ts";
import type { EventQueue } from "./event-queue.ts";
import { type Generation, Progress } from "./progress.ts";

/** Where a shard's events go. */
type ShardState = "elsewhere" | "live" | "behind" | HeldEvents;

interface Noted {
  readonly shard: Shard;
  readonly events: readonly CloudEvent[];
  readonly generation: Generation;
}

/** Events that are kept in the order of their commits. */
export class HeldEvents {
  readonly #bound: number;
  #kept: Noted[] = [];
  #count = 0;
  #chars = 0;
  /** More came than are kept: some were dropped. */
  isBroken = false;

  /** `bound`: how many events are kept at most. */
  constructor(bound: number) {
    this.#bound = bound;
  }

  /** Keeps events, or drops them with all that it has if they are too many. */
  add(noted: Noted): void {
    this.#count += noted.events.length;
    for (const { text } of noted.events) this.#chars += text.length;
    if (!this.isBroken && this.#count <= this.#bound && this.#chars <= LIMITS.eventQueueChars) this.#kept.push(noted);
    else {
      this.isBroken = true;
      for (const dropped of [...this.#kept.splice(0), noted]) giveUp(dropped);
    }
  }

  /** Takes those of some shards out. */
  take(shards: ReadonlySet<Shard>): readonly Noted[] {
    const taken = this.#kept.filter(({ shard }) => shards.has(shard));
    this.#kept = this.#kept.filter(({ shard }) => !shards.has(shard));
    return taken;
  }
}

/** The events of one node. */
export class LiveEvents {
  readonly progress = new Progress();
  readonly queue: EventQueue;
  readonly #states = new Array<ShardState>(SHARD_COUNT).fill("elsewhere");
  readonly #bound: number;
  readonly #onQueued: () => void;
  readonly #onFull: () => void;

  /** `bound`: events that are held at most. `onFull` is called when the queue is full; the shards are to be let behind then. */
  constructor(queue: EventQueue, bound: number, onQueued: () => void, onFull: () => void) {
    this.queue = queue;
    this.#bound = bound;
    this.#onQueued = onQueued;
    this.#onFull = onFull;
  }

  /** Events of one run that are about to be committed. */
  publish(events: readonly CloudEvent[], committed: Promise<void>): void {
    const shard = shardOf((events[0] as CloudEvent).runId);
    const state = this.#states[shard];
    if (state === "elsewhere" || state === "behind") return;
    const noted: Noted = { shard, events, generation: this.progress.note(events.length) };
    committed.then(
      () => this.#committed(noted),
      () => giveUp(noted),
    );
  }

  /** Holds the events of shards from now on. */
  hold(shards: Iterable<Shard>): HeldEvents {
    const held = new HeldEvents(this.#bound);
    for (const shard of shards) this.#states[shard] = held;
    return held;
  }

  /** Those of some shards that are held there still. */
  heldIn(held: HeldEvents, shards: Iterable<Shard>): ReadonlySet<Shard> {
    const found = new Set<Shard>();
    for (const shard of shards) if (this.#states[shard] === held) found.add(shard);
    return found;
  }

  /** Lets shards go live, with what was held of them. */
  goLive(held: HeldEvents, shards: ReadonlySet<Shard>): void {
    for (const shard of shards) this.#states[shard] = "live";
    for (const noted of held.take(shards)) this.#committed(noted);
  }

  /** Drops what was held of shards; the journal has it. */
  fallBehind(held: HeldEvents, shards: ReadonlySet<Shard>): void {
    for (const shard of shards) this.#states[shard] = "behind";
    for (const noted of held.take(shards)) giveUp(noted);
  }

  /** Drops all that waits, and lets the shards that are live fall behind; answers them. */
  dropLive(): ReadonlySet<Shard> {
    const shards = this.#inState("live");
    for (const shard of shards) this.#states[shard] = "behind";
    this.queue.drop(() => true);
    return shards;
  }

  /** Those of some shards that are live, and of which nothing waits. */
  published(shards: ReadonlySet<Shard>): ReadonlySet<Shard> {
    const waiting = new Set<Shard>();
    this.queue.has((runId) => {
      waiting.add(shardOf(runId));
      return false;
    });
    return new Set([...shards].filter((shard) => this.#states[shard] === "live" && !waiting.has(shard)));
  }

  /** Knows nothing of shards any more. */
  leave(shards: ReadonlySet<Shard>): void {
    for (const shard of shards) {
      const state = this.#states[shard];
      if (state instanceof HeldEvents) for (const noted of state.take(new Set([shard]))) giveUp(noted);
      this.#states[shard] = "elsewhere";
    }
    this.queue.drop((runId: RunId) => shards.has(shardOf(runId)));
  }

  /** True if a shard is held or behind. */
  get isIncomplete(): boolean {
    return this.#states.some((state) => state !== "live" && state !== "elsewhere");
  }

  #committed(noted: Noted): void {
    const state = this.#states[noted.shard];
    if (state instanceof HeldEvents) state.add(noted);
    else if (state === "live") this.#enqueue(noted);
    else giveUp(noted);
  }

  #enqueue({ events, generation }: Noted): void {
    const onDone = (): void => {
      generation.outstanding -= 1;
    };
    let offered = 0;
    while (offered < events.length && this.queue.offer(events[offered] as CloudEvent, onDone)) offered += 1;
    generation.outstanding -= events.length - offered;
    if (offered < events.length) this.#onFull();
    else this.#onQueued();
  }

  #inState(wanted: ShardState): ReadonlySet<Shard> {
    return new Set([...this.#states.keys()].filter((shard) => this.#states[shard] === wanted));
  }
}

function giveUp({ events, generation }: Noted): void {
  generation.outstanding -= events.length;
}
