/**
 * Further processes of a benchmark: client and node must not share a thread, or neither is measured. A peer answers orders over the channel
 * between parent and child, one at a time, and ends when the channel closes, so none outlives the benchmark.
 */
import { type ChildProcess, fork } from "node:child_process";
import type { Clock } from "../../runtime/clock.ts";
import { messageOf } from "../../runtime/errors.ts";

/** Time that a peer gets to stop in order. */
const STOP_MS = 30_000;

type Reply = { readonly answer: unknown } | { readonly failure: string };

/** The parent's end. */
export class Peer implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #clock: Clock;
  readonly #exited: Promise<string>;
  #settle: ((reply: Reply) => void) | undefined;

  /** Starts a process. `argument` is JSON, for `peerArgument`; `flags` are Node's. */
  constructor(entry: URL, clock: Clock, argument: unknown = {}, flags: readonly string[] = []) {
    this.#clock = clock;
    this.#child = fork(entry, [JSON.stringify(argument)], { execArgv: [...flags], serialization: "advanced" });
    this.#child.on("message", (reply: Reply) => this.#settle?.(reply));
    this.#exited = new Promise((resolve) => {
      this.#child.once("error", (error) => resolve(error.message));
      this.#child.once("exit", (code, signal) => resolve(signal ?? `exit code ${code}`));
    });
    void this.#exited.then((reason) => this.#settle?.({ failure: `a process of the benchmark ended: ${reason}` }));
  }

  /** Sends an order and resolves with its answer. Plain data both. @throws Error with what the peer failed with, or that it ended. */
  async ask<Answer>(order: unknown): Promise<Answer> {
    const replied = new Promise<Reply>((resolve) => {
      this.#settle = resolve;
    });
    if (this.#child.connected) this.#child.send(order as object);
    else this.#settle?.({ failure: `a process of the benchmark ended: ${await this.#exited}` });
    const reply = await replied;
    this.#settle = undefined;
    if ("failure" in reply) throw new Error(reply.failure);
    return reply.answer as Answer;
  }

  /** Stops the process, by force if it does not stop in time. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.connected) this.#child.disconnect();
    const cancel = this.#clock.schedule(STOP_MS, () => this.#child.kill("SIGKILL"));
    await this.#exited;
    cancel();
  }
}

/** In a peer: what its parent started it with. */
export function peerArgument<T>(): T {
  return JSON.parse(process.argv[2] ?? "{}") as T;
}

/** In a peer: answers the orders of the parent; calls `stop` once the parent is gone. */
export function servePeer<Order>(answer: (order: Order) => Promise<unknown>, stop: () => Promise<void> | void): void {
  // Ctrl-C reaches the whole group of processes. The parent ends what it started, in order.
  process.on("SIGINT", () => undefined);
  process.on("message", (order: Order) => {
    answer(order).then(
      (value) => send({ answer: value }),
      (error: unknown) => send({ failure: messageOf(error) }),
    );
  });
  process.once("disconnect", () => {
    Promise.resolve(stop()).catch((error: unknown) => console.error(messageOf(error)));
  });
}

function send(reply: Reply): void {
  if (process.connected) process.send?.(reply);
}
