/**
 * The audit with which every crash test ends.
 */
import type { Checker } from "./checkers/finding.ts";
import { checkResultsOnce, checkRows } from "./checkers/histories.ts";
import { checkKeys } from "./checkers/keys.ts";
import { checkLeftovers, checkWakeUps } from "./checkers/leftovers.ts";
import { checkResults } from "./checkers/results.ts";
import { checkSideEffects } from "./checkers/side-effects.ts";
import { checkSuspects } from "./checkers/suspects.ts";
import type { Evidence } from "./evidence.ts";

/** The checkers, by what they watch. */
export const CHECKERS = {
  "results are right": checkResults,
  "one run for a key": checkKeys,
  "histories are whole": checkRows,
  "results once": checkResultsOnce,
  "side effects": checkSideEffects,
  "suspects stay outside": checkSuspects,
  "nothing is left over": checkLeftovers,
  "everything has a wake-up": checkWakeUps,
} as const satisfies Readonly<Record<string, Checker>>;

/** Findings of one checker that are shown. */
const SHOWN = 5;

/** Everything that is wrong; a checker with many findings says how many there are more. `except`: checkers for which there is no evidence. */
export function audit(evidence: Evidence, except: readonly (keyof typeof CHECKERS)[] = []): string[] {
  return Object.entries(CHECKERS).flatMap(([name, check]) => {
    if ((except as readonly string[]).includes(name)) return [];
    const findings = check(evidence);
    const more = findings.length > SHOWN ? [`${name}: and ${findings.length - SHOWN} more`] : [];
    return [...findings.slice(0, SHOWN).map((finding) => `${name}: ${finding}`), ...more];
  });
}

/** What the evidence amounts to, in one line. */
export function countsOf({ orders, runs, traces, boots }: Evidence): string {
  const acknowledged = orders.filter((order) => order.acknowledged.size > 0).length;
  const open = orders.filter((order) => order.isOpen).length;
  const repeated = traces.length - new Set(traces.map(({ key, attempt }) => `${key}#${attempt}`)).size;
  const entries = runs.reduce((sum, run) => sum + run.entries.length, 0);
  return `${boots.length} boots, ${orders.length} orders: ${acknowledged} acknowledged, ${open} left open; ${runs.length} runs, ${entries} entries, ${traces.length} side effects, ${repeated} of them repeated`;
}
