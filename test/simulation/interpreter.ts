/**
 * What has to come out of a program: a plain interpreter of its tree, line by line, that shares nothing with the product. It knows no histories, no
 * attempts and no time.
 */
import type { Program, Step } from "./program.ts";

/** What comes out. */
export interface Expectation {
  readonly status: "completed" | "failed" | "cancelled";
  /** When completed. */
  readonly output?: number;
  /** Detail of the error, when failed. */
  readonly detail?: string;
  /** Ids of the steps that are undone, in order. When cancelled: of those that may be, of which the last ones are, as far as the run had come. */
  readonly undone: readonly number[];
}

/** Interprets a program for an input; `signals`: the numbers that it is sent, in order. */
export function interpret({ steps, ending }: Program, n: number, signals: readonly number[]): Expectation {
  const left = [...signals];
  const result = sequence(steps, n, left);
  const undoable = steps.flatMap((step) => (step.kind === "undoable" ? [step.id] : [])).reverse();
  if (ending === "complete") return { status: "completed", output: result, undone: [] };
  if (ending === "fail") return { status: "failed", detail: `refused ${result}`, undone: undoable };
  return { status: "cancelled", undone: undoable };
}

function sequence(steps: readonly Step[], value: number, signals: number[]): number {
  return steps.reduce((sum, step) => perform(step, sum, signals), value);
}

function perform(step: Step, value: number, signals: number[]): number {
  switch (step.kind) {
    case "add":
    case "limited":
    case "undoable":
    case "late":
    case "poison":
      return value + step.by;
    case "wait":
      return value;
    case "ask":
      return signals.shift() ?? Number.NaN;
    case "loop":
      return step.items.reduce((sum) => sequence(step.body, sum, signals), value);
    case "fork":
      return step.branches.reduce((sum, branch) => sum + sequence(branch, value, signals), 0);
    case "rescue":
      return sequence(step.caught, value, signals);
  }
}
