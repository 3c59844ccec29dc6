/** What the fuzzer can be pointed at. A case is one input and what must hold whatever the input is. */
import { systemClock } from "../../runtime/clock.ts";
import type { Chance } from "./chance.ts";

/** Something that takes hostile input. */
export interface FuzzTarget<Input = unknown> {
  readonly name: string;
  /** Cases that are checked together: 1 where each is over at once, more where each mostly waits. */
  readonly width: number;
  /** Longest time of one batch of `width` cases, in milliseconds; a longer one is a hang. */
  readonly batchMs: number;
  /** One input, from chance alone. */
  generate(chance: Chance): Input;
  /** What went wrong with each input, in their order; undefined where nothing did. */
  check(inputs: readonly Input[]): Promise<readonly unknown[]>;
  /** Inputs that are smaller than `input`, the smallest first. */
  smaller(input: Input): Iterable<Input>;
  /** The input for a reader. */
  show(input: Input): string;
  /** What must hold between cases: throws what went wrong. Called every few thousand cases and at the end. */
  settle(): Promise<void>;
  /** What came of the cases, for the table: `accepted 12, refused 88`. */
  outcomes(): string;
  close(): Promise<void>;
}

/** The `check` of a target whose cases have nothing to do with each other. A case that takes longer than `caseMs` milliseconds is a hang. */
export function eachCase<Input>(check: (input: Input) => Promise<void>, caseMs = 5_000): FuzzTarget<Input>["check"] {
  return (inputs) => Promise.all(inputs.map((input) => problemOf(check(input), caseMs)));
}

async function problemOf(checking: Promise<void>, caseMs: number): Promise<unknown> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const cancel = systemClock().schedule(caseMs, () => reject(new Error(`nothing came of it for ${caseMs} ms`)));
  try {
    await Promise.race([checking, late]);
    return undefined;
  } catch (error) {
    return error ?? new Error("something without a value was thrown");
  } finally {
    cancel();
  }
}

/** Counts what came of the cases. */
export class Tally {
  readonly #counts = new Map<string, number>();

  add(outcome: string): void {
    this.#counts.set(outcome, (this.#counts.get(outcome) ?? 0) + 1);
  }

  /** The counts, the largest first, 6 at most. */
  toString(): string {
    const sorted = [...this.#counts].sort(([, a], [, b]) => b - a);
    const shown = sorted.slice(0, 6).map(([outcome, count]) => `${outcome} ${count}`);
    return [...shown, ...(sorted.length > 6 ? [`${sorted.length - 6} more`] : [])].join(", ");
  }
}
