/**
 * A crew of threads and the attempts that wait for one of them. Owns the queue; decides which thread is next and how many attempts one takes.
 */
import { LIMITS } from "../limits.ts";
import type { Execution } from "./execution.ts";
import type { HandlerInfo } from "./pool.ts";
import type { PoolThread } from "./pool-thread.ts";
import { TaskQueue } from "./task-queue.ts";
import { ThreadCrew, type ThreadCrewOptions } from "./thread-crew.ts";

/** Threads that share a queue. */
export class ThreadGroup {
  readonly #crew: ThreadCrew;
  readonly #tasksPerThread: number;
  readonly #queue = new TaskQueue<Execution>();

  /** Starts the threads; each takes `tasksPerThread` attempts at a time. */
  constructor(options: ThreadCrewOptions, tasksPerThread: number) {
    this.#crew = new ThreadCrew(options);
    this.#tasksPerThread = tasksPerThread;
  }

  /** Threads that have not ended. */
  get threads(): ReadonlySet<PoolThread> {
    return this.#crew.threads;
  }

  /** See {@link ThreadCrew.started}. */
  get started(): Promise<readonly HandlerInfo[]> {
    return this.#crew.started;
  }

  /** Attempts that wait. */
  get queued(): number {
    return this.#queue.length;
  }

  /** True if nothing waits and nothing is executed. */
  get isIdle(): boolean {
    return this.#queue.length === 0 && [...this.#crew.threads].every((thread) => thread.executions.size === 0);
  }

  /** The thread for a new attempt; undefined if it has to wait. */
  place(): PoolThread | undefined {
    return this.#queue.length === 0 ? this.#leastLoaded() : undefined;
  }

  /** Has an attempt wait. */
  enqueue(execution: Execution): void {
    this.#queue.push(execution, execution.attempt.priority, execution.queuedAtMs);
  }

  /** Takes an attempt out of the queue; false if it was not there. */
  remove(execution: Execution): boolean {
    return this.#queue.remove(execution);
  }

  /** Takes the attempt whose turn it is, whether or not there is a thread for it. */
  shift(): Execution | undefined {
    return this.#queue.shift();
  }

  /** Takes the attempt whose turn it is, with the thread for it; undefined if nothing waits or every thread is full. */
  next(): { readonly execution: Execution; readonly thread: PoolThread } | undefined {
    const thread = this.#queue.length === 0 ? undefined : this.#leastLoaded();
    const execution = thread && this.#queue.shift();
    return thread && execution && { execution, thread };
  }

  /** Ends all threads; resolves when they have ended. */
  stop(): Promise<void> {
    return this.#crew.stop();
  }

  #leastLoaded(): PoolThread | undefined {
    let best: PoolThread | undefined;
    for (const thread of this.#crew.threads) {
      if (!thread.available || thread.executions.size >= this.#tasksPerThread) continue;
      if (best === undefined || loadOf(thread) < loadOf(best)) best = thread;
    }
    return best;
  }
}

function loadOf(thread: PoolThread): number {
  return thread.executions.size + (thread.sluggish ? LIMITS.tasksPerThread : 0);
}
