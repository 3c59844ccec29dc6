/**
 * Worker threads with hostile handlers. Whatever a handler returns, throws, logs or posts: its own attempt ends, with an outcome that is bounded and can be
 * stored; its neighbours' attempts end as if it were not there; and no thread is lost.
 */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { systemClock } from "../../../runtime/clock.ts";
import { EventHub } from "../../../runtime/events.ts";
import { LIMITS } from "../../../runtime/limits.ts";
import type { AttemptError, AttemptOutcome, WorkerPool } from "../../../runtime/workers/pool.ts";
import { startWorkerPool } from "../../../runtime/workers/tiered-pool.ts";
import { attemptOf } from "../../support/worker-attempts.ts";
import { eachCase, type FuzzTarget, Tally } from "../target.ts";

const HANDLERS = fileURLToPath(new URL("../../fixtures/fuzz-handlers", import.meta.url));
/** What a cut text says of itself comes on top of its bytes. */
const TEXT_BYTES = LIMITS.logLineBytes + 64;
/** Of an error's message and details. */
const ERROR_BYTES = LIMITS.errorTextBytes + 64;

/** One attempt. */
export interface HandlerCase {
  readonly handler: "hostile" | "neighbour";
  /** What the handler does. */
  readonly seed: number;
  readonly isCancelled: boolean;
}

/** The target. `change` replaces what comes out of the pool. */
export async function workerTarget(change: (outcome: AttemptOutcome) => AttemptOutcome = (outcome) => outcome): Promise<FuzzTarget<HandlerCase>> {
  const events = new EventHub();
  const lost: string[] = [];
  events.on("pool.threadLost", ({ reason }) => lost.push(reason));
  events.on("task.log", ({ message }) => assert.ok(Buffer.byteLength(message) < 2 * TEXT_BYTES, "a line of the log is bounded"));
  const pool = await startWorkerPool({
    clock: systemClock(),
    events,
    handlersFolder: HANDLERS,
    threads: 2,
    cancelGraceMs: 10_000,
    blockedMs: 10_000,
  });
  const tally = new Tally();
  return {
    name: "workers",
    width: 100,
    batchMs: 20_000,
    generate: (chance) => ({ handler: chance.oneIn(5) ? "neighbour" : "hostile", seed: chance.below(2 ** 32), isCancelled: chance.oneIn(10) }),
    check: eachCase(async (input) => {
      const outcome = change(await outcomeOf(pool, input));
      checkOutcome(input, outcome);
      tally.add(outcome.kind === "failed" ? outcome.error.kind : outcome.kind);
    }, 15_000),
    smaller: () => [],
    show: (input) => JSON.stringify(input),
    settle: async () => assert.deepEqual(lost.splice(0), [], "no thread is lost"),
    outcomes: () => String(tally),
    close: () => pool.stop(0),
  };
}

function outcomeOf(pool: WorkerPool, { handler, seed, isCancelled }: HandlerCase): Promise<AttemptOutcome> {
  return new Promise((resolve) => {
    const attempt = attemptOf(handler, seed);
    pool.submit(attempt, resolve);
    if (isCancelled) pool.cancel(attempt.id);
  });
}

function checkOutcome(input: HandlerCase, outcome: AttemptOutcome): void {
  if (outcome.kind === "completed") {
    assert.ok(Buffer.byteLength(outcome.output) <= LIMITS.payloadBytes, "a result is bounded");
    JSON.parse(outcome.output);
  }
  if (outcome.kind === "failed") checkError(outcome.error);
  if (input.handler === "hostile") return;
  if (input.isCancelled && outcome.kind === "cancelled") return;
  assert.deepEqual(outcome, { kind: "completed", output: String(input.seed) }, "the neighbour does not notice");
}

function checkError({ kind, status, details, ...texts }: AttemptError): void {
  assert.notEqual(kind, "lost", "a hostile value ends no thread");
  assert.ok(status === undefined || (Number.isInteger(status) && status >= 100 && status <= 599), `${status} is no status`);
  if (details !== undefined) JSON.parse(details);
  for (const [name, text] of Object.entries({ ...texts, details: details ?? "" })) {
    assert.equal(typeof text, "string", `${name} is a text`);
    const limitBytes = name === "message" || name === "details" ? ERROR_BYTES : TEXT_BYTES;
    assert.ok(Buffer.byteLength(text) <= limitBytes, `${name} is bounded`);
    assert.ok(text.isWellFormed(), `${name} can be stored`);
  }
}
