/**
 * What is printed of simulated worlds.
 */
import { execFileSync } from "node:child_process";
import { FAULT_KINDS } from "./faults.ts";
import type { WorldResult } from "./world.ts";

/** Violations and lines of a trace that are shown. */
const SHOWN = 10;
const TRACE_LINES = 400;

/** One line about a world. */
export function lineOf({ plan, trace, violations, runs, boots, faults, virtualMs, events }: WorldResult): string {
  const verdict = violations.length === 0 ? "ok" : `${violations.length} VIOLATIONS`;
  const size = `${runs} runs, ${boots} boots, ${faults.total} faults, ${Math.round(virtualMs / 1_000)} s, ${events} events`;
  return `seed ${plan.seed} ${plan.mode}: ${verdict} (${size}) ${trace.hash}`;
}

/** A world that failed, and the smallest one that still does: what is wrong, how to see it again, and the trace of what it is about. */
export function reportOf(result: WorldResult, smallest: WorldResult): readonly string[] {
  const { plan, trace, violations, levels } = smallest;
  const [first] = violations;
  const kinds = FAULT_KINDS.filter((kind) => levels[kind] > 0).map((kind) => `${kind} ${levels[kind].toFixed(2)}`);
  const lines = trace.lines(...(first?.about ?? []));
  return [
    lineOf(result),
    ...result.violations.slice(0, SHOWN).map(({ checker, sentence }) => `  ${checker}: ${sentence}`),
    `  at commit ${commit()}; again: npm run simulate -- --seed ${plan.seed} --mode ${plan.mode} --trace`,
    `  smallest world that fails: ${smallest.orders} runs, faults: ${kinds.join(", ") || "none"}`,
    `  ${first === undefined ? "the smaller world does not fail" : `${first.checker}: ${first.sentence}`}`,
    ...lines.slice(-TRACE_LINES).map((line) => `    ${line}`),
  ];
}

function commit(): string {
  return execFileSync("git", ["rev-parse", "--short", "HEAD"], { encoding: "utf8" }).trim();
}
