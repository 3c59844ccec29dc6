/**
 * Runs the cases of a target. Case number `i` of seed `s` is case 0 of seed `s + i`: any failure is repeated by its own seed. A failing input is
 * reduced before it is told. A batch that takes too long is a failure; one that never gives the thread back is the watchdog's.
 */
import { type Clock, systemClock } from "../../runtime/clock.ts";
import { seededRandom } from "../../runtime/random.ts";
import { Chance } from "./chance.ts";
import type { FuzzTarget } from "./target.ts";

/** A case that failed. */
export interface FuzzFailure {
  readonly seed: number;
  /** What went wrong. */
  readonly problem: unknown;
  /** The smallest input found that still fails. */
  readonly input: string;
}

/** What came of a target's cases. */
export interface FuzzResult {
  readonly target: string;
  readonly cases: number;
  readonly seconds: number;
  readonly outcomes: string;
  readonly failures: readonly FuzzFailure[];
}

/** How to run. */
export interface FuzzOptions {
  readonly cases: number;
  /** Seed of the first case, 0 to 2^32 - 1. */
  readonly seed: number;
  /** Told before each batch: for the watchdog. */
  readonly onBatch?: (seed: number) => void;
  /** Most failures before the rest is left out. Default: 5. */
  readonly failuresMax?: number;
  /** False: failing inputs are told as they are. Default: true. */
  readonly isReducing?: boolean;
}

/** Cases between two looks at what must hold between cases. */
const SETTLE_EVERY = 5_000;
/** Tries to make a failing input smaller, and the longest time for it in milliseconds. */
const REDUCTIONS_MAX = 300;
const REDUCTION_MS = 20_000;

/** Runs the cases. Never rejects for what a target does. */
export async function runTarget<Input>(target: FuzzTarget<Input>, options: FuzzOptions): Promise<FuzzResult> {
  const clock = systemClock();
  const startMs = clock.monotonic();
  const failures: FuzzFailure[] = [];
  let done = 0;
  let settledAt = 0;
  while (done < options.cases && failures.length < (options.failuresMax ?? 5)) {
    const seeds = Array.from({ length: Math.min(target.width, options.cases - done) }, (_, at) => (options.seed + done + at) >>> 0);
    options.onBatch?.(seeds[0] as number);
    failures.push(...(await runBatch(target, seeds, clock, options.isReducing ?? true)));
    done += seeds.length;
    if (done - settledAt < SETTLE_EVERY && done < options.cases) continue;
    settledAt = done;
    const problem = await settled(target);
    if (problem !== undefined) failures.push({ seed: seeds.at(-1) as number, problem, input: "(what the cases up to this one left behind)" });
  }
  const seconds = (clock.monotonic() - startMs) / 1_000;
  return { target: target.name, cases: done, seconds, outcomes: target.outcomes(), failures };
}

async function runBatch<Input>(target: FuzzTarget<Input>, seeds: readonly number[], clock: Clock, isReducing: boolean): Promise<FuzzFailure[]> {
  const inputs = seeds.map((seed) => target.generate(new Chance(seededRandom(seed))));
  const problems = await checked(target, inputs, clock);
  const failures: FuzzFailure[] = [];
  for (const [at, problem] of problems.entries()) {
    if (problem === undefined) continue;
    // one of a batch is as good as many: a server that hangs would fail them all
    const input = isReducing && failures.length === 0 ? await reduced(target, inputs[at] as Input, clock) : (inputs[at] as Input);
    failures.push({ seed: seeds[at] as number, problem, input: target.show(input) });
  }
  return failures;
}

async function checked<Input>(target: FuzzTarget<Input>, inputs: readonly Input[], clock: Clock): Promise<readonly unknown[]> {
  const startMs = clock.monotonic();
  const { promise: late, resolve } = Promise.withResolvers<"late">();
  const cancel = clock.schedule(target.batchMs, () => resolve("late"));
  const problems = await Promise.race([target.check(inputs), late]);
  cancel();
  const tookMs = clock.monotonic() - startMs;
  if (problems !== "late" && tookMs <= target.batchMs) return problems;
  return inputs.map(() => new Error(`took ${Math.round(tookMs)} ms, more than ${target.batchMs}`));
}

/** The smallest input found, one step after the other, that still fails. */
async function reduced<Input>(target: FuzzTarget<Input>, input: Input, clock: Clock): Promise<Input> {
  let smallest = input;
  let tries = 0;
  const endMs = clock.monotonic() + REDUCTION_MS;
  for (let found = true; found; ) {
    found = false;
    for (const candidate of target.smaller(smallest)) {
      tries += 1;
      if (tries > REDUCTIONS_MAX || clock.monotonic() > endMs) return smallest;
      const [problem] = await checked(target, [candidate], clock);
      if (problem === undefined) continue;
      smallest = candidate;
      found = true;
      break;
    }
  }
  return smallest;
}

async function settled<Input>(target: FuzzTarget<Input>): Promise<unknown> {
  try {
    await target.settle();
    return undefined;
  } catch (error) {
    return error ?? new Error("something without a value was thrown");
  }
}
