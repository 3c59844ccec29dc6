/**
 * The worker pool of one simulated process: attempts take their time, get lost, and may end the process. What a handler answers is a function of its
 * input and the number of the attempt.
 */
import type { BootId } from "../../runtime/ids.ts";
import type { Random } from "../../runtime/random.ts";
import type { Attempt, AttemptOutcome, HandlerInfo, HandlerOptions, WorkerPool } from "../../runtime/workers/pool.ts";
import { PATIENCE } from "../../runtime/workers/thread-pool-options.ts";
import type { Execution, ExecutionLog } from "./execution-log.ts";
import { between, type Faults } from "./faults.ts";
import type { SimulatedProcess } from "./process.ts";
import type { Line } from "./program.ts";
import type { WorldTime } from "./world-time.ts";

const DURATION_MS = [0.5, 40] as const;
const SLOW_MS = [200, 7_000] as const;
/** Tasks that need a slot take longer, so that others have to wait. */
const LIMITED_MS = [200, 4_000] as const;
const CANCEL_MS = 1;
/** How long an attempt goes on that does not listen, until its pool ends it. */
const STUBBORN_MS = [100, PATIENCE.cancelGraceMs + PATIENCE.blockedMs] as const;

interface Input {
  readonly value: number;
  readonly by: number;
  readonly fails: number;
  readonly values: readonly number[];
}

const completed = (output: number): AttemptOutcome => ({ kind: "completed", output: JSON.stringify(output) });

const addInTheEnd = ({ value, by, fails }: Input, attempt: number): AttemptOutcome =>
  attempt > fails ? completed(value + by) : { kind: "failed", error: { kind: "thrown", message: `attempt ${attempt} fails` } };

const ANSWERS: Readonly<Record<string, (input: Input, attempt: number) => AttemptOutcome>> = {
  add: ({ value, by }) => completed(value + by),
  sum: ({ values }) => completed(values.reduce((sum, value) => sum + value, 0)),
  stubborn: addInTheEnd,
  limited: addInTheEnd,
  refuse: ({ value }) => ({ kind: "failed", error: { kind: "refused", message: `refused ${value}`, status: 503 } }),
  poison: () => ({ kind: "failed", error: { kind: "crashed", message: "it ended its process" } }),
};

const PATIENT: HandlerOptions = { tier: "thread", retry: { attempts: 4, delayMs: 150 } };
const RETRIED: ReadonlySet<string> = new Set(["stubborn", "limited"]);

/** The handlers of all nodes. */
export const HANDLERS: ReadonlyMap<string, HandlerInfo> = new Map(
  Object.keys(ANSWERS).map((name) => [name, { name, file: "", options: RETRIED.has(name) ? PATIENT : { tier: "thread" } }]),
);

/** What the pool needs. */
export interface SimulatedPoolOptions {
  readonly self: BootId;
  readonly process: SimulatedProcess;
  readonly faults: Faults;
  readonly random: Random;
  readonly time: WorldTime;
  readonly log: ExecutionLog;
}

interface UnderWay {
  readonly execution: Execution;
  readonly settle: (outcome: AttemptOutcome) => void;
}

/** The pool. */
export class SimulatedPool implements WorkerPool {
  readonly handlers = HANDLERS;
  readonly #options: SimulatedPoolOptions;
  readonly #underWay = new Map<string, UnderWay>();

  constructor(options: SimulatedPoolOptions) {
    this.#options = options;
    options.process.onDeath(() => {
      for (const { execution } of this.#underWay.values()) options.log.ended(execution);
    });
  }

  get state() {
    return { threads: 4, active: this.#underWay.size, queued: 0 };
  }

  submit(attempt: Attempt, settle: (outcome: AttemptOutcome) => void): void {
    const { process, faults, log } = this.#options;
    const { id, handler, isolation = "tier" } = attempt;
    const execution = this.#executionOf(attempt);
    const underWay: UnderWay = {
      execution,
      settle: (outcome) => {
        if (this.#underWay.get(id) !== underWay) return;
        this.#underWay.delete(id);
        log.ended(execution);
        settle(outcome);
      },
    };
    this.#underWay.set(id, underWay);
    log.began(execution);
    const isLost = faults.strikes("lostTask", 0.2);
    process.clock.schedule(this.#durationOf(handler), () => {
      if (handler === "poison" && isolation === "tier" && this.#underWay.get(id) === underWay) {
        faults.note("poison");
        return process.crash();
      }
      underWay.settle(isLost ? LOST : answer(attempt));
    });
  }

  waitingSinceMs(): undefined {
    return undefined;
  }

  cancel(attemptId: string): void {
    const underWay = this.#underWay.get(attemptId);
    if (underWay === undefined || underWay.execution.isBeingStopped) return;
    underWay.execution.isBeingStopped = true;
    const { process, faults, random } = this.#options;
    const stopMs = faults.strikes("stubbornTask", 0.5) ? between(random, ...STUBBORN_MS) : CANCEL_MS;
    process.clock.schedule(stopMs, () => underWay.settle({ kind: "cancelled" }));
  }

  async stop(): Promise<void> {
    for (const { settle } of [...this.#underWay.values()]) settle({ kind: "cancelled" });
  }

  #durationOf(handler: string): number {
    const { faults, random } = this.#options;
    if (faults.strikes("slowTask", 0.3)) return between(random, ...SLOW_MS);
    return handler === "limited" ? between(random, ...LIMITED_MS) : between(random, ...DURATION_MS);
  }

  /** An attempt of another node's run has that node's id in its name. */
  #executionOf({ id, idempotencyKey: key, attempt, isolation = "tier", handler, input }: Attempt): Execution {
    const { self, process, time } = this.#options;
    const owner = (/@(.+)#/.exec(id)?.[1] as BootId | undefined) ?? self;
    const line = handler === "limited" ? (JSON.parse(input) as Line) : undefined;
    const where = { boot: process.name, executor: self, owner, isInNode: isolation === "tier" };
    return { ...where, key, attempt, line, beganAtMs: time.monotonic(), isBeingStopped: false };
  }
}

const LOST: AttemptOutcome = { kind: "failed", error: { kind: "lost", message: "its thread ended for another reason" } };

function answer({ handler, input, attempt }: Attempt): AttemptOutcome {
  const found = ANSWERS[handler];
  if (found === undefined) return { kind: "failed", error: { kind: "unknown", message: `there is no handler ${handler}` } };
  return found(JSON.parse(input) as Input, attempt);
}
