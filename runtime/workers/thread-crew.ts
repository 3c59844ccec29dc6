/**
 * Keeps a number of threads alive: starts them, replaces those that are lost, ends them. Owns the threads; knows nothing of what they execute
 * beyond passing it on.
 */
import type { CancelTimer, Clock } from "../clock.ts";
import { MaestroError } from "../errors.ts";
import type { HandlerInfo } from "./pool.ts";
import { PoolThread } from "./pool-thread.ts";
import type { Reply } from "./protocol.ts";
import { RestartBackoff } from "./restart-backoff.ts";
import type { StartThread } from "./thread-link.ts";
import type { ThreadLoss } from "./thread-loss.ts";

/** How long a thread may take to load its handlers, in milliseconds. */
const LOADING_MS = 30_000;

/** What a crew is made of, and who hears of it. */
export interface ThreadCrewOptions {
  readonly clock: Clock;
  readonly threads: number;
  readonly startThread: StartThread;
  /** A thread takes attempts now. */
  readonly onReady: () => void;
  /** All threads take attempts, for the first time. */
  readonly onStarted: () => void;
  readonly onReply: (thread: PoolThread, reply: Reply & { kind: "ended" | "heartbeat" | "log" }) => void;
  /** A thread has ended, also when that was asked for. */
  readonly onLost: (thread: PoolThread, loss: ThreadLoss) => void;
}

/** The threads of one pool. */
export class ThreadCrew {
  readonly #options: ThreadCrewOptions;
  readonly #threads = new Set<PoolThread>();
  readonly #backoff: RestartBackoff;
  readonly #restarts = new Set<CancelTimer>();
  readonly #started = Promise.withResolvers<readonly HandlerInfo[]>();
  readonly #stopped = Promise.withResolvers<void>();
  #readyThreads = 0;
  #stopping = false;

  constructor(options: ThreadCrewOptions) {
    this.#options = options;
    this.#backoff = new RestartBackoff(options.threads);
    // Who starts lazily never asks; its failures are told thread by thread.
    this.#started.promise.catch(() => undefined);
    for (let index = 0; index < options.threads; index += 1) this.#start();
  }

  /** Threads that have not ended. */
  get threads(): ReadonlySet<PoolThread> {
    return this.#threads;
  }

  /** Resolves with the handlers when all threads are ready; rejects with HANDLER_INVALID if one of them can't load its handlers. */
  get started(): Promise<readonly HandlerInfo[]> {
    return this.#started.promise;
  }

  /** Ends all threads and replaces none; resolves when they have ended. */
  stop(): Promise<void> {
    this.#stopping = true;
    for (const cancel of this.#restarts) cancel();
    this.#restarts.clear();
    for (const thread of this.#threads) thread.condemn({ reason: "the pool is stopping", blocked: false, culprit: 0 });
    if (this.#threads.size === 0) this.#stopped.resolve();
    return this.#stopped.promise;
  }

  #start(): void {
    let ready = false;
    const thread = new PoolThread(this.#options.clock, this.#options.startThread, {
      ready: (_thread, handlers) => {
        ready = true;
        stopWaiting();
        this.#ready(handlers);
      },
      refused: (_thread, file, reason) => this.#refuse(file, reason),
      reply: this.#options.onReply,
      ended: (lost, loss) => {
        stopWaiting();
        if (!ready) this.#refuse("the handlers folder", `a thread ended while it loaded them: ${loss.reason}`);
        this.#ended(lost, loss);
      },
    });
    const stopWaiting = this.#options.clock.schedule(LOADING_MS, () => {
      thread.condemn({ reason: `the handlers were not loaded within ${LOADING_MS} ms`, blocked: false, culprit: 0 });
    });
    this.#threads.add(thread);
  }

  #refuse(file: string, reason: string): void {
    this.#started.reject(new MaestroError("HANDLER_INVALID", { facts: { file, reason } }));
  }

  #ready(handlers: readonly HandlerInfo[]): void {
    this.#readyThreads += 1;
    if (this.#readyThreads === this.#options.threads) {
      this.#started.resolve(handlers);
      this.#options.onStarted();
    }
    this.#options.onReady();
  }

  #ended(thread: PoolThread, loss: ThreadLoss): void {
    this.#threads.delete(thread);
    this.#options.onLost(thread, loss);
    if (this.#stopping) {
      if (this.#threads.size === 0) this.#stopped.resolve();
      return;
    }
    const delayMs = this.#backoff.lost(this.#options.clock.monotonic());
    if (delayMs === 0) this.#start();
    else this.#startAfter(delayMs);
  }

  #startAfter(delayMs: number): void {
    const cancel = this.#options.clock.schedule(delayMs, () => {
      this.#restarts.delete(cancel);
      this.#start();
    });
    this.#restarts.add(cancel);
  }
}
