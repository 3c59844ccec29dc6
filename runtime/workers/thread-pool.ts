/**
 * The worker pool over threads of one tier. Owns every attempt from submission to outcome; threads and queues are the groups', time bounds
 * are the deadlines'. An attempt goes to the least loaded thread at once, or waits; what is said to a thread within a turn goes as one
 * message. What may have ended a thread is executed alone the next time, on threads that are there only for that.
 */
import { invariant } from "../assert.ts";
import { MaestroError } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { Deadlines, hasDeadlines, type Timeout } from "./deadlines.ts";
import { type Execution, finalOutcome, loadOf } from "./execution.ts";
import type { Attempt, AttemptOutcome, HandlerInfo, PoolState } from "./pool.ts";
import { PoolReporter } from "./pool-reporter.ts";
import type { PoolThread } from "./pool-thread.ts";
import { failed, type Reply, type WireId } from "./protocol.ts";
import { type QueuedPool, type QueueLoad, sumOfQueues } from "./queue-load.ts";
import { Solitude } from "./solitude.ts";
import type { ThreadCrewOptions } from "./thread-crew.ts";
import { ThreadGroup } from "./thread-group.ts";
import type { StartThread } from "./thread-link.ts";
import { LossMemory, outcomeOfLoss, type ThreadLoss } from "./thread-loss.ts";
import type { ThreadPoolOptions } from "./thread-pool-options.ts";
import { TurnBatch } from "./turn-batch.ts";
import { Watchdog } from "./watchdog.ts";

const LARGEST_WIRE_ID = 2 ** 31 - 1;

/** When a full queue is worth another try, in milliseconds. */
const RETRY_AFTER_MS = 1_000;

/** A {@link WorkerPool} of one tier. */
export class ThreadPool implements QueuedPool {
  readonly #options: ThreadPoolOptions;
  readonly #shared: ThreadGroup;
  readonly #solitude: Solitude;
  readonly #watchdog: Watchdog;
  readonly #report: PoolReporter;
  readonly #losses = new LossMemory();
  readonly #executions = new Map<string, Execution>();
  readonly #settling = new TurnBatch<() => void>((settlements) => {
    for (const settle of settlements) settle();
  });
  readonly #drained = Promise.withResolvers<void>();
  #handlers: ReadonlyMap<string, HandlerInfo>;
  #lastId: WireId = 0;
  #active = 0;
  #stopping = false;

  /** Starts the threads. Attempts may be submitted at once; they wait until a thread is ready. */
  constructor(options: ThreadPoolOptions) {
    this.#options = options;
    this.#handlers = options.handlers;
    this.#report = new PoolReporter(options, () => this.state);
    this.#shared = new ThreadGroup(
      this.#crewOptions(options.startThread, () => this.#report.started()),
      LIMITS.tasksPerThread,
    );
    const openSolitude = (): ThreadGroup =>
      new ThreadGroup(
        this.#crewOptions(options.startSolitary, () => undefined),
        1,
      );
    this.#solitude = new Solitude(options.clock, openSolitude);
    this.#watchdog = new Watchdog({ ...options, threads: () => this.#threads() });
  }

  get handlers(): ReadonlyMap<string, HandlerInfo> {
    return this.#handlers;
  }

  get state(): PoolState {
    const { threads, queued } = this.#shared;
    return {
      threads: threads.size + (this.#solitude.group?.threads.size ?? 0),
      active: this.#active,
      queued: queued + (this.#solitude.group?.queued ?? 0),
    };
  }

  queues(): ReadonlyMap<string, QueueLoad> {
    const nowMs = this.#options.clock.monotonic();
    return sumOfQueues([[...this.#executions.values()].map((execution) => [execution.attempt.queue, loadOf(execution, nowMs)] as const)]);
  }

  waitingSinceMs(attemptId: string): number | undefined {
    const execution = this.#executions.get(attemptId);
    return execution?.thread === undefined ? execution?.queuedAtMs : undefined;
  }

  /**
   * Resolves when all threads are ready, and takes over the handlers that they have loaded.
   *
   * @throws HANDLER_INVALID a thread could not load the handlers; the pool has been stopped.
   */
  async started(): Promise<void> {
    try {
      const handlers = await this.#shared.started;
      this.#handlers = new Map(handlers.map((handler) => [handler.name, handler]));
    } catch (error) {
      await this.stop(0);
      throw error;
    }
  }

  submit(attempt: Attempt, settle: (outcome: AttemptOutcome) => void): void {
    if (this.#stopping) throw new MaestroError("NODE_STOPPING");
    invariant(!this.#executions.has(attempt.id), `attempt ${attempt.id} is under way already`);
    const handler = this.#handlers.get(attempt.handler);
    if (handler === undefined) {
      this.#settling.add(() => tell(settle, failed("unknown", `No task handler is called ${attempt.handler}.`)));
      return;
    }
    const execution = this.#newExecution(attempt, handler, settle);
    const group = this.#losses.mustBeAlone(attempt.idempotencyKey) ? this.#solitude.enter() : this.#shared;
    const thread = group.place();
    if (thread === undefined) this.#enqueue(execution, group);
    this.#executions.set(attempt.id, execution);
    if (thread !== undefined) this.#start(execution, thread);
    this.#report.changed();
  }

  cancel(attemptId: string): void {
    const execution = this.#executions.get(attemptId);
    if (execution === undefined || execution.verdict !== undefined) return;
    this.#condemn(execution, { kind: "cancelled" }, "the attempt was cancelled");
  }

  async stop(graceMs: number): Promise<void> {
    this.#stopping = true;
    for (const group of this.#groups()) {
      for (let execution = group.shift(); execution !== undefined; execution = group.shift()) this.#end(execution, { kind: "cancelled" });
    }
    if (this.#active > 0 && graceMs > 0) {
      const cancel = this.#options.clock.schedule(graceMs, this.#drained.resolve);
      await this.#drained.promise;
      cancel();
    }
    this.#watchdog.stop();
    await Promise.all([this.#shared.stop(), this.#solitude.stop()]);
    this.#report.stop();
  }

  #crewOptions(startThread: StartThread, onStarted: () => void): ThreadCrewOptions {
    return {
      clock: this.#options.clock,
      threads: this.#options.threads,
      startThread,
      onReady: () => this.#dispatch(),
      onStarted,
      onReply: (thread, reply) => this.#take(thread, reply),
      onLost: (thread, loss) => this.#lose(thread, loss),
    };
  }

  #groups(): readonly ThreadGroup[] {
    return this.#solitude.group === undefined ? [this.#shared] : [this.#shared, this.#solitude.group];
  }

  #threads(): Iterable<PoolThread> {
    return this.#solitude.group === undefined ? this.#shared.threads : [...this.#shared.threads, ...this.#solitude.group.threads];
  }

  #newExecution(attempt: Attempt, handler: HandlerInfo, settle: (outcome: AttemptOutcome) => void): Execution {
    this.#lastId = this.#lastId === LARGEST_WIRE_ID ? 1 : this.#lastId + 1;
    const nowMs = this.#options.clock.monotonic();
    const execution: Execution = {
      id: this.#lastId,
      attempt,
      handler,
      settle,
      queuedAtMs: nowMs,
      startedAtMs: nowMs,
      deadlines: undefined,
      thread: undefined,
      verdict: undefined,
      cancelGrace: undefined,
    };
    if (hasDeadlines(handler.options)) {
      execution.deadlines = new Deadlines(this.#options.clock, handler.options, (timeout, boundMs) => this.#exceed(execution, timeout, boundMs));
    }
    return execution;
  }

  #enqueue(execution: Execution, group: ThreadGroup): void {
    const { queued } = this.state;
    if (queued >= this.#options.queueLength) throw new MaestroError("TASK_QUEUE_FULL", { facts: { queued }, retryAfterMs: RETRY_AFTER_MS });
    group.enqueue(execution);
    this.#report.queued(queued + 1);
    execution.deadlines?.queued(execution.attempt.waitedMs ?? 0);
  }

  #dispatch(): void {
    for (const group of this.#groups()) {
      for (let next = group.next(); next !== undefined; next = group.next()) {
        next.execution.startedAtMs = this.#options.clock.monotonic();
        this.#start(next.execution, next.thread);
      }
    }
  }

  #start(execution: Execution, thread: PoolThread): void {
    const { attempt } = execution;
    execution.thread = thread;
    thread.executions.set(execution.id, execution);
    this.#active += 1;
    execution.deadlines?.started();
    this.#watchdog.wake();
    thread.request({
      kind: "execute",
      id: execution.id,
      handler: attempt.handler,
      input: attempt.input,
      attempt: attempt.attempt,
      idempotencyKey: attempt.idempotencyKey,
      runId: attempt.runId,
      task: attempt.task,
      traceParent: attempt.traceParent,
    });
  }

  #take(thread: PoolThread, reply: Reply & { kind: "ended" | "heartbeat" | "log" }): void {
    const execution = thread.executions.get(reply.id);
    if (reply.kind === "log") this.#report.log(reply, execution?.attempt);
    else if (execution === undefined) return;
    else if (reply.kind === "heartbeat") execution.deadlines?.beat();
    else {
      this.#release(execution, thread);
      this.#end(execution, finalOutcome(execution.verdict, reply.outcome));
      this.#dispatch();
    }
  }

  #exceed(execution: Execution, timeout: Timeout, boundMs: number): void {
    const message = `${execution.attempt.handler} exceeded its ${timeout} bound of ${boundMs} ms.`;
    this.#condemn(execution, failed("timedOut", message, { timeout }), message);
  }

  /** Fixes how an attempt ends, and has its thread stop working on it. */
  #condemn(execution: Execution, verdict: AttemptOutcome, reason: string): void {
    execution.verdict = verdict;
    const { thread } = execution;
    if (thread === undefined) {
      for (const group of this.#groups()) group.remove(execution);
      this.#settling.add(() => this.#end(execution, verdict));
      return;
    }
    const request = thread.request({ kind: "cancel", id: execution.id, reason });
    execution.cancelGrace = this.#options.clock.schedule(this.#options.cancelGraceMs, () => {
      // First what the thread may have said meanwhile: the node may have stood still itself.
      setImmediate(() => this.#losePatience(execution, thread, request));
    });
  }

  /** Ends the thread of an attempt that has not stopped; blames the attempt only if the thread could have heard the request to stop. */
  #losePatience(execution: Execution, thread: PoolThread, request: number): void {
    if (!thread.executions.has(execution.id)) return;
    const { cancelGraceMs } = this.#options;
    const ignored = `${execution.attempt.handler} went on for ${cancelGraceMs} ms after its signal was aborted`;
    if (thread.hasRead(request)) thread.condemn({ reason: ignored, blocked: false, culprit: execution.id });
    else thread.condemn({ reason: `the thread did not answer for ${cancelGraceMs} ms`, blocked: true, culprit: 0 });
  }

  #lose(thread: PoolThread, loss: ThreadLoss): void {
    const executions = [...thread.executions.values()];
    for (const execution of executions) this.#release(execution, thread);
    if (!this.#stopping) this.#report.threadLost(loss);
    for (const execution of executions) {
      this.#end(execution, this.#stopping ? { kind: "cancelled" } : outcomeOfLoss(execution.id, execution.verdict, loss), loss);
    }
  }

  #release(execution: Execution, thread: PoolThread): void {
    thread.executions.delete(execution.id);
    this.#active -= 1;
    if (this.#stopping && this.#active === 0) this.#drained.resolve();
  }

  #end(execution: Execution, outcome: AttemptOutcome, loss?: ThreadLoss): void {
    execution.deadlines?.clear();
    execution.cancelGrace?.();
    if (!this.#executions.delete(execution.attempt.id)) return;
    this.#losses.note(execution.attempt.idempotencyKey, outcome, loss);
    this.#report.ended(execution, outcome);
    this.#report.changed();
    tell(execution.settle, outcome);
    this.#solitude.left();
  }
}

/** Tells an outcome. What the listener throws is its own defect: it becomes an uncaught error, and the other attempts of the batch are told. */
function tell(settle: (outcome: AttemptOutcome) => void, outcome: AttemptOutcome): void {
  try {
    settle(outcome);
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
