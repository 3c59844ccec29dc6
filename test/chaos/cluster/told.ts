/**
 * What the cluster told the world: the events that a plain NATS client heard, and those that the stream had, also before it was wiped. Owns both connections.
 */
import { EVENT_SUBJECTS } from "../../../actors/events/event-names.ts";
import { systemClock } from "../../../runtime/clock.ts";
import { EventHub } from "../../../runtime/events.ts";
import { systemRandom } from "../../../runtime/random.ts";
import { openNatsStreamReader } from "../../../runtime/stream/nats-stream.ts";
import type { StreamReader } from "../../../runtime/stream/stream.ts";
import { type EventSubscriber, type HeardEvent, subscribeToEvents } from "../../support/nats-subscriber.ts";

/** Some time of which nobody knows what was published: what was acknowledged in it is promised to nobody. Milliseconds since the epoch. */
export interface Gap {
  readonly fromMs: number;
  readonly untilMs: number;
}

/** An event may be published this long after its commit without anything being wrong, in milliseconds. */
const LAG_MS = 10_000;
const CLOCK = systemClock();

/** The record. */
export class Told {
  readonly gaps: Gap[] = [];
  readonly #url: string;
  readonly #subscriber: EventSubscriber;
  readonly #reader: StreamReader;
  /** The stream before each time that it was wiped, and as it is. */
  readonly #streams: HeardEvent[][] = [[]];
  #next = 1;

  private constructor(url: string, subscriber: EventSubscriber) {
    this.#url = url;
    this.#subscriber = subscriber;
    this.#reader = openNatsStreamReader({
      ...{ url: this.#url, name: "chaos", clock: CLOCK, random: systemRandom(), events: new EventHub(), subjects: EVENT_SUBJECTS },
    });
  }

  /** Listens from now on. */
  static async open(url: string): Promise<Told> {
    return new Told(url, await subscribeToEvents(url));
  }

  /** What was heard, each source by itself in the order in which it came. */
  get sources(): readonly (readonly HeardEvent[])[] {
    return [this.#subscriber.heard, ...this.#streams];
  }

  /** Reads what the stream has more than before. */
  async catchUp(): Promise<void> {
    const { signal } = new AbortController();
    const stream = this.#streams.at(-1) ?? [];
    for await (const message of this.#reader.read({ start: { sequence: this.#next }, subject: `${EVENT_SUBJECTS}.>`, signal, stopsAtEnd: true })) {
      stream.push(message);
      this.#next = message.sequence + 1;
    }
  }

  /** Reads the stream ahead of its loss; to be told when nothing more can come to it. */
  async beforeWipe(): Promise<() => void> {
    const fromMs = CLOCK.now() - LAG_MS;
    await this.catchUp();
    return () => {
      this.gaps.push({ fromMs, untilMs: CLOCK.now() });
      this.#streams.push([]);
      this.#next = 1;
    };
  }

  /** Stops listening. */
  async close(): Promise<void> {
    await Promise.all([this.#reader.close(), this.#subscriber.close()]);
  }
}
