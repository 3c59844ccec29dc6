/**
 * Brings attempts of runs to the worker pool and their outcomes back to the runs. It knows which attempts of this node are under way, so an
 * actor that was restarted or loaded again can ask for its attempts without executing one twice.
 */
import type { Clock } from "../../runtime/clock.ts";
import { MaestroError } from "../../runtime/errors.ts";
import type { RunId } from "../../runtime/ids.ts";
import type { AttemptStatus, TaskLedger } from "../../runtime/storage/task-ledger.ts";
import type { AttemptOutcome, WorkerPool } from "../../runtime/workers/pool.ts";
import type { AttemptView } from "./effects.ts";

/** When to offer an attempt again that the pool or its run could not take. */
const RETRY_MS = 100;

/** What the dispatcher needs. */
export interface DispatcherOptions {
  readonly pool: WorkerPool;
  readonly ledger: TaskLedger;
  readonly clock: Clock;
  /** Hands an outcome to its run; false if it can't take it now. */
  settle(runId: RunId, frame: number, attempt: number, outcome: AttemptOutcome): boolean;
}

/** The attempts of one node that are under way. */
export class Dispatcher {
  readonly #options: DispatcherOptions;
  readonly #underWay = new Set<string>();

  constructor(options: DispatcherOptions) {
    this.#options = options;
  }

  /** Has an attempt executed, unless it is under way already. */
  dispatch(runId: RunId, call: AttemptView, input: string, traceParent: string): void {
    const id = idOf(runId, call.frame, call.attempt);
    if (this.#underWay.has(id)) return;
    this.#underWay.add(id);
    this.#note(runId, call, "scheduled");
    this.#submit(id, runId, call, input, traceParent);
  }

  /** The run does not want an attempt's outcome any more. */
  abandon(runId: RunId, frame: number, attempt: number): void {
    const id = idOf(runId, frame, attempt);
    if (this.#underWay.delete(id)) this.#options.pool.cancel(id);
  }

  /** An attempt's end was committed. */
  over(runId: RunId, call: AttemptView, status: AttemptStatus, errorMessage: string | undefined): void {
    this.#note(runId, call, status, errorMessage);
  }

  #submit(id: string, runId: RunId, call: AttemptView, input: string, traceParent: string): void {
    const { pool, clock } = this.#options;
    try {
      const attempt = {
        id,
        handler: call.handler,
        input,
        idempotencyKey: `${runId}:${call.frame}`,
        runId,
        task: call.path,
        attempt: call.attempt,
        traceParent,
      };
      pool.submit(attempt, (outcome) => this.#settled(id, runId, call, input, traceParent, outcome));
    } catch (error) {
      if (!(error instanceof MaestroError) || !error.retryable) throw error;
      clock.schedule(error.retryAfterMs ?? RETRY_MS, () => {
        if (this.#underWay.has(id)) this.#submit(id, runId, call, input, traceParent);
      });
    }
  }

  #settled(id: string, runId: RunId, call: AttemptView, input: string, traceParent: string, outcome: AttemptOutcome): void {
    if (!this.#underWay.has(id)) return;
    // The attempt went down with a neighbour that broke their thread: it is executed again and counts as the same attempt.
    if (outcome.kind === "failed" && outcome.error.kind === "lost") return this.#submit(id, runId, call, input, traceParent);
    this.#deliver(id, runId, call, outcome);
  }

  #deliver(id: string, runId: RunId, call: AttemptView, outcome: AttemptOutcome): void {
    if (!this.#underWay.has(id)) return;
    if (this.#options.settle(runId, call.frame, call.attempt, outcome)) this.#underWay.delete(id);
    else this.#options.clock.schedule(RETRY_MS, () => this.#deliver(id, runId, call, outcome));
  }

  #note(runId: RunId, call: AttemptView, status: AttemptStatus, errorMessage?: string): void {
    const { frame, attempt, path, handler, createdAtMs } = call;
    const ended = status === "scheduled" ? {} : { endedAtMs: this.#options.clock.now() };
    this.#options.ledger.record({
      runId,
      frame,
      attempt,
      path,
      handler,
      status,
      createdAtMs,
      ...ended,
      ...(errorMessage !== undefined && { errorMessage }),
    });
  }
}

function idOf(runId: RunId, frame: number, attempt: number): string {
  return `${runId}:${frame}:${attempt}`;
}
