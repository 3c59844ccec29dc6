/**
 * Attempts for tests of the worker pool.
 */
import type { Attempt, AttemptError, AttemptOutcome, WorkerPool } from "../../runtime/workers/pool.ts";

let count = 0;

/** An attempt of `handler` with a new id. */
export function attemptOf(handler: string, input: unknown = null, more: Partial<Attempt> = {}): Attempt {
  count += 1;
  return {
    id: `attempt-${count}`,
    handler,
    input: JSON.stringify(input),
    idempotencyKey: `key-${count}`,
    runId: "run-1",
    task: "/do/0/step",
    attempt: 1,
    traceParent: "",
    queue: "default",
    priority: 3,
    ...more,
  };
}

/** Submits an attempt and resolves with its outcome. */
export function execute(pool: WorkerPool, attempt: Attempt): Promise<AttemptOutcome> {
  return new Promise((resolve) => pool.submit(attempt, resolve));
}

/** The error of a failed outcome; throws if the attempt did not fail. */
export function errorOf(outcome: AttemptOutcome): AttemptError {
  if (outcome.kind === "failed") return outcome.error;
  throw new Error(`the attempt was to fail, but ended as ${JSON.stringify(outcome)}`);
}

/** The result of a completed outcome; throws if the attempt did not complete. */
export function resultOf(outcome: AttemptOutcome): unknown {
  if (outcome.kind === "completed") return JSON.parse(outcome.output);
  throw new Error(`the attempt was to complete, but ended as ${JSON.stringify(outcome)}`);
}
