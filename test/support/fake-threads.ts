/**
 * Threads that do nothing by themselves: a test sees what the pool sends and says what the thread answers.
 */
import type { AttemptOutcome, HandlerInfo } from "../../runtime/workers/pool.ts";
import type { Reply, Request, RequestBatch, WireId } from "../../runtime/workers/protocol.ts";
import type { StartThread, ThreadLink, ThreadListener } from "../../runtime/workers/thread-link.ts";

/** One fake thread. */
class FakeThread implements ThreadLink {
  readonly batches: RequestBatch[] = [];
  terminated = false;
  readonly #listener: ThreadListener;
  readonly #endsWhenTold: () => boolean;

  constructor(listener: ThreadListener, endsWhenTold: () => boolean) {
    this.#listener = listener;
    this.#endsWhenTold = endsWhenTold;
  }

  /** Everything that it was asked. */
  get requests(): readonly Request[] {
    return this.batches.flatMap((batch) => batch.requests);
  }

  /** Wire ids of the attempts of a handler, in the order in which they came. */
  executing(handler: string): WireId[] {
    return this.requests.filter((request) => request.kind === "execute" && request.handler === handler).map((request) => request.id);
  }

  send(batch: RequestBatch): void {
    this.batches.push(batch);
  }

  terminate(): void {
    this.terminated = true;
    if (this.#endsWhenTold()) queueMicrotask(() => this.end("terminated"));
  }

  /** Answers, and acknowledges what it was sent so far. */
  reply(...replies: Reply[]): void {
    this.#listener.replies({ acknowledged: this.batches.at(-1)?.sequence ?? 0, replies });
  }

  /** Says that an attempt has ended. */
  complete(id: WireId, outcome: AttemptOutcome = { kind: "completed", output: "null" }): void {
    this.reply({ kind: "ended", id, outcome });
  }

  /** Ends. */
  end(reason: string, culprit: WireId = 0): void {
    this.#listener.ended({ reason, culprit });
  }
}

/** Starts fake threads, and keeps them in the order of their start. */
export class FakeThreads {
  readonly started: FakeThread[] = [];
  /** True: a thread that is terminated ends by itself. */
  endsWhenTold = false;
  readonly #handlers: readonly HandlerInfo[];

  constructor(handlers: readonly HandlerInfo[]) {
    this.#handlers = handlers;
  }

  readonly start: StartThread = (listener) => {
    const thread = new FakeThread(listener, () => this.endsWhenTold);
    this.started.push(thread);
    return thread;
  };

  /** The thread that was started as number `index`, from 0. */
  at(index: number): FakeThread {
    const thread = this.started[index];
    if (thread === undefined) throw new Error(`thread ${index} was not started`);
    return thread;
  }

  /** Has a thread say that it takes attempts. */
  ready(index: number): FakeThread {
    const thread = this.at(index);
    thread.reply({ kind: "ready", handlers: this.#handlers });
    return thread;
  }
}
