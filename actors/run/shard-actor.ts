/**
 * The actor of one shard: parent of the runs that live there. It brings messages to runs, and brings back to memory those that are not in it.
 */
import { MaestroError } from "../../runtime/errors.ts";
import type { RunId } from "../../runtime/ids.ts";
import type { Actor, ActorFactory, ActorSignal, Delivery, SpawnOptions } from "../../runtime/kernel/actor.ts";
import type { ActorContext } from "../../runtime/kernel/context.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { quarantined } from "./loading.ts";
import { RunActor } from "./run-actor.ts";
import type { RunMessage, ShardMessage } from "./run-message.ts";
import type { RunServices } from "./run-services.ts";
import { type ShardGate, stopped } from "./shard-gate.ts";

/** What a shard needs beside the services of its runs. */
export interface ShardOptions {
  readonly services: RunServices;
  /** How its runs are spawned: their mailboxes, and the group that passivates them. */
  readonly runOptions: SpawnOptions;
}

/** See the file header. Keeps no state: one instance serves all shards. */
export class ShardActor implements Actor<ShardMessage> {
  readonly #runFactory: ActorFactory<RunMessage>;
  readonly #runOptions: SpawnOptions;
  readonly #gate: ShardGate;

  constructor(options: ShardOptions) {
    this.#runFactory = (context) => new RunActor(options.services, context);
    this.#runOptions = options.runOptions;
    this.#gate = options.services.gate;
  }

  receive({ runId, message }: ShardMessage, context: ActorContext<ShardMessage>): void {
    const delivery = this.#deliver(runId, message, context);
    if (delivery === "accepted") return;
    // Results and timers have nobody who awaits an answer: the dispatcher and the timer service bring them again.
    if ("replyTo" in message) message.replyTo?.fail(this.#refusal(runId, delivery));
  }

  signal(signal: ActorSignal, context: ActorContext<ShardMessage>): void {
    if (signal.kind !== "passivated") return;
    for (const message of signal.messages) this.receive({ runId: signal.name as RunId, message: message as RunMessage }, context);
  }

  #deliver(runId: RunId, message: RunMessage, context: ActorContext<ShardMessage>): Delivery {
    const run = context.child<RunMessage>(runId) ?? context.spawn(runId, this.#runFactory, this.#runOptions);
    return run.tell(message);
  }

  #refusal(runId: RunId, delivery: Delivery): MaestroError {
    if (delivery === "quarantined") return quarantined(runId);
    if (delivery === "stopped") return stopped(this.#gate, runId);
    return new MaestroError("MAILBOX_FULL", { facts: { actor: `Run ${runId}`, queued: LIMITS.mailboxLength }, retryAfterMs: 1_000 });
  }
}
