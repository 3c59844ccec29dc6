/**
 * Publishes the events of a node's runs, each after the commit of what it tells, in order for each run, and at least once; the same event always has the
 * same id. Owns the node's mark of how far everything is published, and what is to be read from the journal first: what earlier owners of its shards left, and
 * what memory had no place for. Nothing here is ever waited for by a commit.
 *
 * Shards that are behind are caught up in passes. A pass holds what is committed meanwhile; if that has fitted into memory when it ends, they are live.
 */
import type { CancelTimer, Clock } from "../../runtime/clock.ts";
import type { EventHub, RuntimeEvents } from "../../runtime/events.ts";
import type { BootId, Shard } from "../../runtime/ids.ts";
import { LIMITS } from "../../runtime/limits.ts";
import type { EventCheckpoints, PublishMark } from "../../runtime/storage/event-checkpoints.ts";
import type { HeldShards } from "../../runtime/storage/held-shards.ts";
import { pause } from "../../runtime/storage/pause.ts";
import { ShardSet } from "../../runtime/storage/shard-set.ts";
import type { StreamListener, StreamWriter } from "../../runtime/stream/stream.ts";
import type { RunSource } from "../run/loading.ts";
import { CatchUp } from "./catch-up.ts";
import type { CloudEvent, EventLevel } from "./cloud-event.ts";
import { EventSender } from "./event-sender.ts";
import { type HeldEvents, LiveEvents } from "./live-events.ts";
import { OwingShards } from "./owing-shards.ts";
import { OwnMark } from "./own-mark.ts";
import { PublishReport } from "./publish-report.ts";

/** How often it is looked for what was not acknowledged, and how often the mark is stored while there is traffic, in milliseconds. */
const TICK_MS = 250;
const TICKS_PER_MARK = 4;
/** Pause after something failed in the store. */
const RETRY_MS = 1_000;
/** How long shards that are handed over wait for the events that are on their way, and how often that is looked at. */
const LEAVE_GRACE_MS = 100;
const LEAVE_POLL_MS = 2;

/** Where runs hand their events in. */
export interface EventOutlet {
  readonly level: EventLevel;
  /** Publishes events of one run once what they tell is committed; never, if it is not. */
  publish(events: readonly CloudEvent[], committed: Promise<void>): void;
}

/** What a publisher needs. */
export interface EventPublisherOptions {
  readonly clock: Clock;
  readonly events: EventHub;
  readonly bootId: BootId;
  /** What the node holds: shards are there before they enter, and until they have left. */
  readonly heldShards: Pick<HeldShards, "open" | "epochsOf">;
  readonly level: EventLevel;
  readonly checkpoints: EventCheckpoints;
  readonly source: RunSource;
  /** How many events memory holds. Default: that of {@link LIMITS}. Only tests pass another. */
  readonly queueLength?: number;
  openWriter(listener: StreamListener): StreamWriter;
}

/** The publisher of one node. */
export class EventPublisher implements EventOutlet {
  readonly level: EventLevel;
  readonly #options: EventPublisherOptions;
  readonly #report: PublishReport;
  readonly #sender: EventSender;
  readonly #live: LiveEvents;
  readonly #mark: OwnMark;
  readonly #owing = new OwingShards();
  /** Of shards whose debt is being asked for. */
  readonly #asking = new Set<HeldEvents>();
  #isClosed = false;
  #ticks = 0;
  #cancelTick: CancelTimer = () => undefined;
  #passes: Promise<void> | undefined;

  constructor(options: EventPublisherOptions) {
    const { clock, events, queueLength = LIMITS.eventQueueLength, openWriter } = options;
    this.#options = options;
    this.level = options.level;
    this.#report = new PublishReport(clock, events);
    this.#sender = new EventSender({ clock, report: this.#report, queueLength, openWriter });
    const onFull = (): void => this.#fallBehind(this.#live.dropLive(), this.#mark.current, "queueFull");
    this.#live = new LiveEvents(this.#sender.live, queueLength, () => this.#sender.sendSoon(), onFull);
    const isHeldBack = (): boolean => this.#owing.isOwing || [...this.#asking].some(({ isBroken }) => isBroken);
    this.#mark = new OwnMark({ ...options, progress: this.#live.progress, isHeldBack });
  }

  /** Events in memory that the stream has not acknowledged. */
  get backlog(): number {
    return this.#sender.backlog;
  }

  /** Begins, with the shards that the node has; to be awaited before the first commit. */
  async start(): Promise<void> {
    await this.#mark.begin();
    this.#schedule();
    await this.enter(this.#options.heldShards.open);
  }

  /** The node owns more shards. To be called before anything is committed of them; resolves when it is known what earlier owners left. */
  async enter(shards: ShardSet): Promise<void> {
    const { checkpoints, bootId, clock, events } = this.#options;
    const [held, heldFromMs] = [this.#live.hold(shards), clock.now()];
    this.#asking.add(held);
    while (!this.#isClosed && this.#live.heldIn(held, shards).size > 0)
      try {
        const debt = await checkpoints.debtOf(bootId, shards);
        this.#asking.delete(held);
        this.#live.leave(this.#live.heldIn(held, debt.foreign));
        const owing = this.#live.heldIn(held, debt.shards);
        this.#live.fallBehind(held, owing);
        // What was committed here meanwhile is read from the journal as well, and dated by this node's clock, which may be behind that of the owner before.
        const entriesFromMs = Math.min(debt.since.entriesFromMs, heldFromMs);
        if (owing.size > 0) this.#fallBehind(owing, { ...debt.since, entriesFromMs }, "leftBehind");
        return this.#goLive(held, this.#live.heldIn(held, shards), this.#mark.current);
      } catch (error) {
        events.emit("events.catchUpFailed", { error });
        await pause(RETRY_MS, clock);
      }
    this.#asking.delete(held);
  }

  /**
   * The node gives shards up: nothing of them is committed any more. Resolves when it is stored how far their events are published, which their next owner
   * goes by. Rejects if the store fails: nothing has changed then.
   */
  async leave(left: Iterable<Shard>): Promise<void> {
    const { clock, checkpoints, bootId, heldShards } = this.#options;
    const [shards, endMs] = [new Set(left), clock.monotonic() + LEAVE_GRACE_MS];
    // What was committed last has not been told here before the next turn of the event loop.
    do await pause(LEAVE_POLL_MS, clock);
    while (this.#sender.isReady && clock.monotonic() < endMs && this.#live.published(shards).size < shards.size);
    const published = this.#owing.payable(this.#live.published(shards));
    if (published.size > 0) await checkpoints.handOver(bootId, heldShards.epochsOf(published), undefined);
    const owing = ShardSet.of([...shards].filter((shard) => !published.has(shard)));
    if (owing.size > 0) await checkpoints.handOver(bootId, heldShards.epochsOf(owing), this.#mark.current);
    this.#live.leave(shards);
    this.#owing.remove(shards);
  }

  publish(events: readonly CloudEvent[], committed: Promise<void>): void {
    this.#live.publish(events, committed);
  }

  /**
   * Ends, after the last commit: waits up to `graceMs` for what is on its way, and stores how far it came. What is not published then, the next owner of
   * these runs finds.
   */
  async close(graceMs: number): Promise<void> {
    const { clock } = this.#options;
    const endMs = clock.monotonic() + graceMs;
    const isDone = (): boolean => !this.#live.isIncomplete && this.#live.progress.isSettled;
    while (this.#sender.isReady && !isDone() && clock.monotonic() < endMs) await pause(TICK_MS / 10, clock);
    const wasDone = isDone();
    this.#isClosed = true;
    this.#sender.stop();
    this.#cancelTick();
    this.#sender.catchUp?.stop();
    await this.#passes;
    await this.#mark.end(wasDone && !this.#owing.owesToNewer);
    await this.#sender.close();
    this.#report.tell(this.backlog);
  }

  /** Shards go live, unless some of what was held was dropped: then they are behind from `since` on. */
  #goLive(held: HeldEvents, shards: ReadonlySet<Shard>, since: PublishMark): void {
    if (!held.isBroken) return this.#live.goLive(held, shards);
    this.#live.fallBehind(held, shards);
    this.#fallBehind(shards, since, "queueFull");
  }

  #fallBehind(shards: ReadonlySet<Shard>, since: PublishMark, reason: RuntimeEvents["events.behind"]["reason"]): void {
    this.#owing.add(shards, since);
    this.#options.events.emit("events.behind", { shards: shards.size, reason });
    this.#passes ??= this.#passUntilLive().finally(() => {
      this.#passes = undefined;
    });
  }

  async #passUntilLive(): Promise<void> {
    const { clock, events } = this.#options;
    while (!this.#isClosed && !this.#owing.isEmpty) {
      try {
        if (this.#sender.isReady) await this.#pass();
        else await pause(TICK_MS, clock);
      } catch (error) {
        events.emit("events.catchUpFailed", { error });
        await pause(RETRY_MS, clock);
      }
    }
  }

  /** What was committed before the holding began is found by the pass: all of that had been written by then, and the journal says when it is settled. */
  async #pass(): Promise<void> {
    const { clock, checkpoints, bootId, heldShards, source, events } = this.#options;
    const startedMs = clock.monotonic();
    const committedAt = await checkpoints.now();
    const { shards, since } = this.#owing.begin();
    const held = this.#live.hold(shards);
    const mark: PublishMark = { committedAt, entriesFromMs: clock.now() };
    const { nextToken } = this.#sender;
    const catchUp = new CatchUp({ source, checkpoints, shards, level: this.level, nextToken, events, onOffered: () => this.#sender.sendSoon() });
    this.#sender.catchUp = catchUp;
    let reached = since;
    try {
      await source.journal.flush();
      await catchUp.publish(since);
      this.#owing.looked(shards, this.#live.heldIn(held, catchUp.tooNew));
      // Where something was dropped meanwhile the debt stays: the node's own mark says nothing of it.
      // A shard that has left meanwhile may have come back with a debt that this pass knows nothing of.
      const settled = this.#owing.payable(this.#live.heldIn(held, shards));
      if (!held.isBroken && !this.#isClosed) await checkpoints.settle(bootId, heldShards.epochsOf(settled));
      if (!this.#isClosed) reached = mark;
    } finally {
      this.#sender.catchUp = undefined;
      const left = this.#live.heldIn(held, shards);
      if (reached === mark) this.#goLive(held, left, mark);
      else {
        this.#live.fallBehind(held, left);
        this.#owing.add(left, since);
      }
      this.#owing.ended();
    }
    const { runs, published } = catchUp;
    if (this.#owing.isEmpty) events.emit("events.caughtUp", { runs, published, durationMs: clock.monotonic() - startedMs });
  }

  #schedule(): void {
    this.#cancelTick = this.#options.clock.schedule(TICK_MS, () => {
      if (this.#isClosed) return;
      this.#tick();
      this.#schedule();
    });
  }

  #tick(): void {
    this.#sender.tick();
    if (++this.#ticks % TICKS_PER_MARK !== 0) return;
    this.#report.tell(this.backlog);
    this.#mark.store().catch((error: unknown) => this.#options.events.emit("events.catchUpFailed", { error }));
  }
}
