/**
 * The worker pool of one simulated process: attempts take their time, get lost, and may end the process. What a handler answers is a function of its input and the
 * number of the attempt.
 */
import type { Random } from "../../runtime/random.ts";
import type { Attempt, AttemptOutcome, HandlerInfo, HandlerOptions, WorkerPool } from "../../runtime/workers/pool.ts";
import { between, type Faults } from "./faults.ts";
import type { SimulatedProcess } from "./process.ts";

const DURATION_MS = [0.5, 40] as const;
const SLOW_MS = [200, 7_000] as const;
const CANCEL_MS = 1;

interface Input {
  readonly value: number;
  readonly by: number;
  readonly fails: number;
  readonly values: readonly number[];
}

const completed = (output: number): AttemptOutcome => ({ kind: "completed", output: JSON.stringify(output) });

const ANSWERS: Readonly<Record<string, (input: Input, attempt: number) => AttemptOutcome>> = {
  add: ({ value, by }) => completed(value + by),
  sum: ({ values }) => completed(values.reduce((sum, value) => sum + value, 0)),
  stubborn: ({ value, by, fails }, attempt) =>
    attempt > fails ? completed(value + by) : { kind: "failed", error: { kind: "thrown", message: `attempt ${attempt} fails` } },
  refuse: ({ value }) => ({ kind: "failed", error: { kind: "refused", message: `refused ${value}`, status: 503 } }),
  poison: () => ({ kind: "failed", error: { kind: "crashed", message: "it ended its process" } }),
};

const PATIENT: HandlerOptions = { tier: "thread", retry: { attempts: 4, delayMs: 150 } };

/** The handlers of all nodes. */
export const HANDLERS: ReadonlyMap<string, HandlerInfo> = new Map(
  Object.keys(ANSWERS).map((name) => [name, { name, file: "", options: name === "stubborn" ? PATIENT : { tier: "thread" } }]),
);

/** One execution of an attempt. */
export interface Execution {
  readonly boot: string;
  readonly isInNode: boolean;
  /** `run:frame`. */
  readonly key: string;
  readonly attempt: number;
}

/** What the pool needs. */
export interface SimulatedPoolOptions {
  readonly process: SimulatedProcess;
  readonly faults: Faults;
  readonly random: Random;
  onExecution(execution: Execution): void;
}

/** The pool. */
export class SimulatedPool implements WorkerPool {
  readonly handlers = HANDLERS;
  readonly #options: SimulatedPoolOptions;
  readonly #underWay = new Map<string, (outcome: AttemptOutcome) => void>();

  constructor(options: SimulatedPoolOptions) {
    this.#options = options;
  }

  get state() {
    return { threads: 4, active: this.#underWay.size, queued: 0 };
  }

  submit(attempt: Attempt, settle: (outcome: AttemptOutcome) => void): void {
    const { process, faults, random } = this.#options;
    const { id, handler, isolation = "tier" } = attempt;
    const settleOnce = (outcome: AttemptOutcome): void => {
      if (this.#underWay.get(id) !== settleOnce) return;
      this.#underWay.delete(id);
      settle(outcome);
    };
    this.#underWay.set(id, settleOnce);
    this.#options.onExecution({ boot: process.name, isInNode: isolation === "tier", key: attempt.idempotencyKey, attempt: attempt.attempt });
    const isLost = faults.strikes("lostTask", 0.2);
    const durationMs = faults.strikes("slowTask", 0.3) ? between(random, ...SLOW_MS) : between(random, ...DURATION_MS);
    process.clock.schedule(durationMs, () => {
      if (handler === "poison" && isolation === "tier" && this.#underWay.get(id) === settleOnce) {
        faults.note("poison");
        return process.crash();
      }
      settleOnce(isLost ? LOST : answer(attempt));
    });
  }

  waitingSinceMs(): undefined {
    return undefined;
  }

  cancel(attemptId: string): void {
    const settle = this.#underWay.get(attemptId);
    if (settle !== undefined) this.#options.process.clock.schedule(CANCEL_MS, () => settle({ kind: "cancelled" }));
  }

  async stop(): Promise<void> {
    for (const settle of [...this.#underWay.values()]) settle({ kind: "cancelled" });
  }
}

const LOST: AttemptOutcome = { kind: "failed", error: { kind: "lost", message: "its thread ended for another reason" } };

function answer({ handler, input, attempt }: Attempt): AttemptOutcome {
  const found = ANSWERS[handler];
  if (found === undefined) return { kind: "failed", error: { kind: "unknown", message: `there is no handler ${handler}` } };
  return found(JSON.parse(input) as Input, attempt);
}
