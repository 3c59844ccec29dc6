/**
 * The events of a node as a stage: the publisher, between the journal and the event stream. Without a NATS server, or where events are turned off, there
 * is none, and nothing is computed for it.
 */

import { EVENT_SUBJECTS } from "../actors/events/event-names.ts";
import { EventPublisher } from "../actors/events/event-publisher.ts";
import type { RunSource } from "../actors/run/loading.ts";
import type { Clock } from "../runtime/clock.ts";
import type { EventHub } from "../runtime/events.ts";
import type { BootId } from "../runtime/ids.ts";
import type { Random } from "../runtime/random.ts";
import type { EventCheckpoints } from "../runtime/storage/event-checkpoints.ts";
import type { HeldShards } from "../runtime/storage/held-shards.ts";
import { type NatsStreamOptions, openNatsStreamReader, openNatsStreamWriter } from "../runtime/stream/nats-stream.ts";
import type { StreamReader } from "../runtime/stream/stream.ts";
import type { Config } from "./config.ts";
import type { Stage } from "./lifecycle.ts";
import { natsAccess } from "./nats-access.ts";

/** How long a node that stops waits for events that are on their way, in milliseconds. */
const STOP_GRACE_MS = 2_000;

/** What the stage needs. */
export interface NodeEventsOptions {
  readonly config: Config;
  readonly bootId: BootId;
  readonly clock: Clock;
  readonly random: Random;
  readonly events: EventHub;
  /** The shards of the node; the stores are there. */
  heldShards(): HeldShards;
  /** Opens the marks; the stores are there. */
  openCheckpoints(): Promise<EventCheckpoints>;
  /** Where runs are read from; the stores are there. */
  source(): RunSource;
  /** True if nothing is to be waited for at the stop: another boot has the runs, or somebody is in a hurry. */
  isHurried(): boolean;
}

/** The events of one boot. */
export class NodeEvents {
  readonly #options: NodeEventsOptions;
  #publisher: EventPublisher | undefined;
  #reader: StreamReader | undefined;

  constructor(options: NodeEventsOptions) {
    this.#options = options;
  }

  /** The publisher, once the stage has started; undefined if no events are published. */
  get publisher(): EventPublisher | undefined {
    return this.#publisher;
  }

  /** Reads the stream; undefined without a NATS server. */
  get reader(): StreamReader | undefined {
    return this.#reader;
  }

  /** The stage. It must start before the runs, and stop after them. */
  stage(): Stage {
    let close = async (): Promise<void> => undefined;
    return {
      name: "events",
      start: async () => {
        const { natsUrl } = this.#options.config;
        if (natsUrl !== undefined) close = await this.#start(natsUrl);
      },
      stop: () => close(),
    };
  }

  async #start(url: string): Promise<() => Promise<void>> {
    const { config, bootId, clock, random, events, heldShards, openCheckpoints, source, isHurried } = this.#options;
    const stream: NatsStreamOptions = { ...natsAccess(url, config), name: config.nodeName, clock, random, events, subjects: EVENT_SUBJECTS };
    const reader = openNatsStreamReader(stream);
    this.#reader = reader;
    const level = config.eventLevel;
    if (level === "off") return () => reader.close();
    const checkpoints = await openCheckpoints();
    const publisher = new EventPublisher({
      ...{ clock, events, bootId, level, checkpoints, source: source(), heldShards: heldShards() },
      openWriter: (listener) => openNatsStreamWriter(stream, listener),
    });
    await publisher.start();
    this.#publisher = publisher;
    return async () => {
      await Promise.all([publisher.close(isHurried() ? 0 : STOP_GRACE_MS), reader.close()]);
      await checkpoints.close();
    };
  }
}
