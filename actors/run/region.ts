/**
 * The way to a run by its id: node supervisor -> shard -> run. Shard actors are spawned when first needed.
 */
import { type RunId, SHARD_COUNT, type Shard, shardOf } from "../../runtime/ids.ts";
import type { Actor, ActorFactory, Delivery } from "../../runtime/kernel/actor.ts";
import type { ActorContext } from "../../runtime/kernel/context.ts";
import type { PassivationGroup } from "../../runtime/kernel/passivation.ts";
import type { ActorRef, AskOptions, ReplyTo } from "../../runtime/kernel/reference.ts";
import { supervisionPolicy } from "../../runtime/kernel/supervision.ts";
import type { ActorSystem } from "../../runtime/kernel/system.ts";
import type { RunMessage, ShardMessage } from "./run-message.ts";
import type { RunServices } from "./run-services.ts";
import { ShardActor } from "./shard-actor.ts";
import { moved, type ShardGate } from "./shard-gate.ts";

/** A run that fails is read back and goes on; one that keeps failing is quarantined, and its siblings never notice. */
const RUN_SUPERVISION = supervisionPolicy({
  intensity: { maxRestarts: 5, withinMs: 60_000 },
  backoff: { initialMs: 20, maxMs: 5_000, factor: 2, jitter: 0.2 },
  onExceeded: "quarantine",
});

const RESUME: RunMessage = { kind: "command", command: { kind: "resume" }, replyTo: undefined };

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
  readonly #gate: ShardGate;
  #context: ActorContext<never> | undefined;

  constructor(options: RegionOptions) {
    const shard = new ShardActor({ services: options.services, runOptions: { passivation: options.passivation } });
    this.#factory = () => shard;
    this.#system = options.system;
    this.#gate = options.services.gate;
    const supervisor: Actor<never> = { receive: () => undefined };
    options.system.spawn<never>(ROOT_NAME, (context) => {
      this.#context = context;
      return supervisor;
    });
  }

  /**
   * Sends a message to a run of this node, wherever in it the run is. While the run's shard is being handed over this still reaches it: it is the way for what
   * the node itself brings. "stopped": the run is on another node.
   */
  tell(runId: RunId, message: RunMessage): Delivery {
    return this.#find(runId)?.tell({ runId, message }) ?? "stopped";
  }

  /** Has a run go on with what is ready, if it is on this node. */
  resume(runId: RunId): void {
    this.tell(runId, RESUME);
  }

  /** Asks a run; the message is built around the address for the answer. @throws SHARD_MOVED, once the shard was handed over */
  ask<R>(runId: RunId, message: (replyTo: ReplyTo<R>) => RunMessage, options: AskOptions): Promise<R> {
    const shard = this.#gate.serves(runId) ? this.#find(runId) : undefined;
    if (shard === undefined) return this.#refuse(runId);
    return shard.ask<R>((replyTo) => ({ runId, message: message(replyTo) }), options);
  }

  /** Lets a run go on that the kernel quarantined; false if it did not. */
  release(runId: RunId): boolean {
    const shard = this.#find(runId);
    return shard !== undefined && this.#system.release(`${shard.path}/${runId}`);
  }

  /** Stops the actors of shards that are served no more, after the commits that they have under way. What waits for them is answered SHARD_MOVED. */
  async stop(shards: Iterable<Shard>): Promise<void> {
    const stopping: Promise<void>[] = [];
    for (const shard of shards) {
      const ref = this.#shards[shard];
      if (ref === undefined) continue;
      stopping.push(this.#system.stopActor(ref));
    }
    await Promise.all(stopping);
    for (const shard of shards) this.#shards[shard] = undefined;
  }

  /** Calls are answered in their order: one that comes while its shard is being left, after those that reached the run. */
  async #refuse(runId: RunId): Promise<never> {
    await this.#gate.whenLeft(shardOf(runId));
    throw moved(runId);
  }

  #find(runId: RunId): ActorRef<ShardMessage> | undefined {
    const shard = shardOf(runId);
    return this.#shards[shard] ?? (this.#gate.served.has(shard) ? this.#spawn(shard) : undefined);
  }

  #spawn(shard: Shard): ActorRef<ShardMessage> {
    const context = this.#context as ActorContext<never>;
    const ref = context.spawn(String(shard), this.#factory, { supervision: RUN_SUPERVISION });
    this.#shards[shard] = ref;
    return ref;
  }
}
