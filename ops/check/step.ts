/**
 * The steps of a check: each has a name, a verdict and a duration, and a failed one does not keep the others from running.
 */

import type { Clock } from "../../runtime/clock.ts";
import { messageOf } from "../../runtime/errors.ts";

/** What came out of a step. `skipped` says in its detail why there was nothing to check; it is never a silent pass. */
export interface Outcome {
  readonly verdict: "ok" | "failed" | "skipped";
  /** One line. */
  readonly detail?: string;
  /** What to show of a step that failed. */
  readonly output?: string;
  /** For a step that runs tests. */
  readonly tests?: TestTotals;
}

/** How many tests ended how, with the full titles of those that failed. */
export interface TestTotals {
  readonly passed: number;
  readonly failed: number;
  readonly pending: number;
  readonly failures: readonly string[];
}

/** A step of a check. */
export interface Step {
  readonly name: string;
  run(): Promise<Outcome>;
}

/** A step that was run. */
export interface StepResult extends Outcome {
  readonly name: string;
  readonly durationMs: number;
}

/** Runs all steps one after the other. `print` is given the lines to show; a step that throws has failed. */
export async function runSteps(steps: readonly Step[], clock: Clock, print: (line: string) => void): Promise<StepResult[]> {
  const results: StepResult[] = [];
  for (const step of steps) {
    const startMs = clock.monotonic();
    const outcome = await step.run().catch((error: unknown): Outcome => ({ verdict: "failed", output: messageOf(error) }));
    const result = { ...outcome, name: step.name, durationMs: clock.monotonic() - startMs };
    results.push(result);
    print(resultLine(result));
    if (result.verdict === "failed" && result.output) print(indent(result.output));
  }
  return results;
}

/** One line about a step: verdict, name, duration, detail. */
export function resultLine(result: StepResult): string {
  return `${result.verdict.padEnd(8)}${result.name.padEnd(16)}${seconds(result.durationMs).padStart(8)}  ${result.detail ?? ""}`.trimEnd();
}

/** The sums at the end. A step that failed without counting tests counts as one failure, so that nothing red adds up to zero. */
export function sumUp(results: readonly StepResult[]): TestTotals {
  const sum = (pick: (totals: TestTotals) => number): number =>
    results.reduce((total, result) => total + (result.tests === undefined ? 0 : pick(result.tests)), 0);
  const uncounted = results.filter((result) => result.verdict === "failed" && (result.tests?.failed ?? 0) === 0);
  const failures = [...uncounted.map((result) => `check ${result.name}`), ...results.flatMap((result) => result.tests?.failures ?? [])];
  return {
    passed: sum((totals) => totals.passed),
    failed: sum((totals) => totals.failed) + uncounted.length,
    pending: sum((totals) => totals.pending),
    failures,
  };
}

function seconds(durationMs: number): string {
  return `${(durationMs / 1000).toFixed(1)} s`;
}

function indent(text: string): string {
  return text.replace(/^/gm, "        ");
}
