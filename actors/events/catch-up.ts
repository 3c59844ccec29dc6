/**
 * One pass over the journal: the events of runs that were changed since a mark, published run by run, many runs at a time. Ends when the stream has
 * acknowledged all of them.
 */
import { MaestroError } from "../../runtime/errors.ts";
import type { EventHub } from "../../runtime/events.ts";
import { type RunId, type Shard, shardOf } from "../../runtime/ids.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { CLOCK_MARGIN_MS, type EventCheckpoints, type PublishMark } from "../../runtime/storage/event-checkpoints.ts";
import type { ShardSet } from "../../runtime/storage/shard-set.ts";
import type { RunSource } from "../run/loading.ts";
import type { CloudEvent, EventLevel } from "./cloud-event.ts";
import { EventQueue } from "./event-queue.ts";
import { missedEvents } from "./missed-events.ts";

/** Runs listed at once. */
const RUNS_PER_PAGE = 5_000;
/** Events that are read ahead of the stream: twice what may be under way. */
const READ_AHEAD = 2 * LIMITS.eventsUnacknowledged;

/** What a pass needs. */
export interface CatchUpOptions {
  readonly source: RunSource;
  readonly checkpoints: Pick<EventCheckpoints, "listChanged">;
  readonly shards: ShardSet;
  readonly level: EventLevel;
  readonly events: EventHub;
  readonly nextToken: () => number;
  /** There is something to send. */
  onOffered(): void;
}

/** One pass. */
export class CatchUp {
  readonly queue: EventQueue;
  readonly #options: CatchUpOptions;
  readonly #tooNew = new Set<Shard>();
  #runs = 0;
  #published = 0;
  #isStopped = false;
  #changed = Promise.withResolvers<void>();

  constructor(options: CatchUpOptions) {
    this.#options = options;
    this.queue = new EventQueue({ length: READ_AHEAD, chars: LIMITS.eventQueueChars, window: LIMITS.eventsUnacknowledged }, options.nextToken);
  }

  /** Runs that were looked at. */
  get runs(): number {
    return this.#runs;
  }

  /** Events that were published. */
  get published(): number {
    return this.#published;
  }

  /** Shards with runs that only a newer version of the program can read: of these nothing was published, or not all. */
  get tooNew(): ReadonlySet<Shard> {
    return this.#tooNew;
  }

  /** An event is stored; false if it is none of these. */
  stored(token: number): boolean {
    const isOurs = this.queue.stored(token);
    if (isOurs) this.#published += 1;
    if (isOurs) this.#wake();
    return isOurs;
  }

  /** Gives the pass up: it ends soon. */
  stop(): void {
    this.#isStopped = true;
    this.#wake();
  }

  /** Publishes what may be missing since a mark. Rejects if the store fails; then the pass is to be begun anew. */
  async publish(since: PublishMark): Promise<void> {
    const { checkpoints, shards, level } = this.#options;
    const fromMs = since.entriesFromMs - CLOCK_MARGIN_MS;
    const isWithReady = level === "tasks";
    for (let after: RunId | undefined; !this.#isStopped; ) {
      const page = await checkpoints.listChanged({ shards, since, isWithReady }, RUNS_PER_PAGE, after);
      const left = page.values();
      await Promise.all(Array.from({ length: LIMITS.eventReplayRuns }, () => this.#publishRuns(left, fromMs)));
      after = page.at(-1);
      if (page.length < RUNS_PER_PAGE) break;
    }
    while (this.queue.length > 0 && !this.#isStopped) await this.#changed.promise;
  }

  async #publishRuns(left: Iterator<RunId>, fromMs: number): Promise<void> {
    for (let next = left.next(); next.done !== true && !this.#isStopped; next = left.next()) {
      this.#runs += 1;
      await this.#publishRun(next.value, fromMs);
    }
  }

  /** A run whose history can't be read has no events that anyone could tell, or only a newer node; that must not keep the others back. */
  async #publishRun(runId: RunId, fromMs: number): Promise<void> {
    const { source, level, events } = this.#options;
    try {
      for await (const told of missedEvents(source, runId, fromMs, level)) for (const event of told) await this.#offer(event);
    } catch (error) {
      if (!(error instanceof MaestroError)) throw error;
      if (error.code === "RUN_TOO_NEW") this.#leaveToNewer(runId);
      else if (error.retryable) throw error;
      else events.emit("events.skipped", { runId, error });
    }
  }

  #leaveToNewer(runId: RunId): void {
    this.#tooNew.add(shardOf(runId));
    this.#options.events.emit("events.leftToNewer", { runId });
  }

  async #offer(event: CloudEvent): Promise<void> {
    while (!this.queue.offer(event)) {
      if (this.#isStopped) return;
      await this.#changed.promise;
    }
    this.#options.onOffered();
  }

  #wake(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}
