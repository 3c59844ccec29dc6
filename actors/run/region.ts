/**
 * The way to a run by its id: node supervisor -> shard -> run. Shard actors are spawned when first needed.
 */
import { type RunId, SHARD_COUNT, shardOf } from "../../runtime/ids.ts";
import type { Actor, ActorFactory, Delivery } from "../../runtime/kernel/actor.ts";
import type { ActorContext } from "../../runtime/kernel/context.ts";
import type { PassivationGroup } from "../../runtime/kernel/passivation.ts";
import type { ActorRef, AskOptions, ReplyTo } from "../../runtime/kernel/reference.ts";
import { supervisionPolicy } from "../../runtime/kernel/supervision.ts";
import type { ActorSystem } from "../../runtime/kernel/system.ts";
import type { RunMessage, ShardMessage } from "./run-message.ts";
import type { RunServices } from "./run-services.ts";
import { ShardActor } from "./shard-actor.ts";

/** A run that fails is read back and goes on; one that keeps failing is quarantined, and its siblings never notice. */
const RUN_SUPERVISION = supervisionPolicy({
  intensity: { maxRestarts: 5, withinMs: 60_000 },
  backoff: { initialMs: 20, maxMs: 5_000, factor: 2, jitter: 0.2 },
  onExceeded: "quarantine",
});

/** Where the node supervisor hangs in the actor tree. */
const ROOT_NAME = "runs";

/** What a region needs. */
export interface RegionOptions {
  readonly system: ActorSystem;
  readonly services: RunServices;
  readonly passivation: PassivationGroup;
}

/** The runs of one node. */
export class Region {
  readonly #shards = new Array<ActorRef<ShardMessage> | undefined>(SHARD_COUNT).fill(undefined);
  readonly #factory: ActorFactory<ShardMessage>;
  readonly #system: ActorSystem;
  #context: ActorContext<never> | undefined;

  constructor(options: RegionOptions) {
    const shard = new ShardActor({ services: options.services, runOptions: { passivation: options.passivation } });
    this.#factory = () => shard;
    this.#system = options.system;
    const supervisor: Actor<never> = { receive: () => undefined };
    options.system.spawn<never>(ROOT_NAME, (context) => {
      this.#context = context;
      return supervisor;
    });
  }

  /** Sends a message to a run, wherever it is. */
  tell(runId: RunId, message: RunMessage): Delivery {
    return this.#shardOf(runId).tell({ runId, message });
  }

  /** Asks a run; the message is built around the address for the answer. */
  ask<R>(runId: RunId, message: (replyTo: ReplyTo<R>) => RunMessage, options: AskOptions): Promise<R> {
    return this.#shardOf(runId).ask<R>((replyTo) => ({ runId, message: message(replyTo) }), options);
  }

  /** Lets a run go on that the kernel quarantined; false if it did not. */
  release(runId: RunId): boolean {
    return this.#system.release(`${this.#shardOf(runId).path}/${runId}`);
  }

  #shardOf(runId: RunId): ActorRef<ShardMessage> {
    const shard = shardOf(runId);
    let ref = this.#shards[shard];
    if (ref === undefined) {
      const context = this.#context as ActorContext<never>;
      ref = context.spawn(String(shard), this.#factory, { supervision: RUN_SUPERVISION });
      this.#shards[shard] = ref;
    }
    return ref;
  }
}
