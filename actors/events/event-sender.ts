/**
 * The way to the stream: sends what waits in the queues, those that are live first, and hears what became of it. Owns the connection, the queue of what is
 * live, and the pace of sending.
 */
import type { Clock } from "../../runtime/clock.ts";
import { LIMITS } from "../../runtime/limits.ts";
import type { StreamListener, StreamWriter } from "../../runtime/stream/stream.ts";
import type { CatchUp } from "./catch-up.ts";
import { EventQueue } from "./event-queue.ts";
import { Gathering } from "./gathering.ts";
import type { PublishReport } from "./publish-report.ts";

/** What a sender needs. */
export interface EventSenderOptions {
  readonly clock: Clock;
  readonly report: PublishReport;
  /** Live events that memory holds. */
  readonly queueLength: number;
  openWriter(listener: StreamListener): StreamWriter;
}

/** The sender of one publisher. */
export class EventSender implements StreamListener {
  /** Events of shards that are live. */
  readonly live: EventQueue;
  /** The pass whose events are sent as well: set by the publisher, who begins and ends it. */
  catchUp: CatchUp | undefined;
  readonly #clock: Clock;
  readonly #report: PublishReport;
  readonly #gathering: Gathering;
  readonly #writer: StreamWriter;
  #isReady = false;
  #isDue = false;
  #isClosed = false;
  #lastToken = 0;

  constructor({ clock, report, queueLength: length, openWriter }: EventSenderOptions) {
    this.#clock = clock;
    this.#report = report;
    this.#gathering = new Gathering(clock.monotonic());
    this.live = new EventQueue({ length, chars: LIMITS.eventQueueChars, window: LIMITS.eventsUnacknowledged }, this.nextToken);
    this.#writer = openWriter(this);
  }

  /** True while the stream is there. */
  get isReady(): boolean {
    return this.#isReady;
  }

  /** Events in memory that the stream has not acknowledged. */
  get backlog(): number {
    return this.live.length + (this.catchUp?.queue.length ?? 0);
  }

  /** Numbers that no other event has. */
  readonly nextToken = (): number => ++this.#lastToken;

  /** There is something to send: it is sent with what comes soon. */
  sendSoon(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    this.#clock.schedule(this.#gathering.delayMs, () => {
      this.#isDue = false;
      this.#send();
    });
  }

  /** To be called from time to time: sends again what was refused, or not acknowledged. */
  tick(): void {
    for (const queue of this.#queues()) queue.tick(this.#clock.monotonic());
    this.#send();
  }

  onReady(): void {
    this.#isReady = true;
    this.#report.ready(this.backlog);
    this.#send();
  }

  onLost(reason: string): void {
    this.#isReady = false;
    for (const queue of this.#queues()) queue.lost();
    this.#report.lost(reason);
  }

  onStored(token: number): void {
    if (this.catchUp?.stored(token) === true || this.live.stored(token)) this.#report.stored();
    this.sendSoon();
  }

  onRefused(token: number, reason: string): void {
    for (const queue of this.#queues()) queue.refused(token, this.#clock.monotonic());
    this.#report.refused(reason);
  }

  /** Sends nothing any more. What is under way may still be acknowledged, until {@link close}. */
  stop(): void {
    this.#isClosed = true;
  }

  /** Closes the connection. */
  close(): Promise<void> {
    return this.#writer.close();
  }

  /** Sends what may be sent. */
  #send(): void {
    if (!this.#isReady || this.#isClosed) return;
    const nowMs = this.#clock.monotonic();
    let count = 0;
    for (const queue of this.#queues()) {
      for (let sending = queue.next(nowMs); sending !== undefined; sending = queue.next(nowMs)) {
        const { subject, id, text } = sending.event;
        this.#writer.send(sending.token, subject, id, text);
        count += 1;
      }
    }
    if (count > 0) this.#gathering.wrote(count, nowMs);
  }

  #queues(): readonly EventQueue[] {
    return this.catchUp === undefined ? [this.live] : [this.live, this.catchUp.queue];
  }
}
