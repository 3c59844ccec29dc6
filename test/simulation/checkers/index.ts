/**
 * The checkers of the simulation, by what they watch.
 */
import { checkAcknowledged } from "./acknowledged.ts";
import type { Checker, Findable, Finding } from "./checker.ts";
import { checkConcurrency } from "./concurrency.ts";
import { checkEvents } from "./events.ts";
import { checkHistory } from "./history.ts";
import { checkOutcomes } from "./outcomes.ts";
import { checkResultsOnce } from "./results-once.ts";
import { checkSignals } from "./signals.ts";
import { checkSingleOwner } from "./single-owner.ts";
import { checkSoundness } from "./soundness.ts";
import { checkTimers } from "./timers.ts";
import { checkWakeUps } from "./wake-ups.ts";

/** All of them. */
const CHECKERS = {
  "single owner": checkSingleOwner,
  acknowledged: checkAcknowledged,
  "results once": checkResultsOnce,
  timers: checkTimers,
  signals: checkSignals,
  events: checkEvents,
  "wake-ups": checkWakeUps,
  history: checkHistory,
  outcomes: checkOutcomes,
  concurrency: checkConcurrency,
  soundness: checkSoundness,
} as const satisfies Readonly<Record<string, Checker>>;

/** The name of a checker. */
export type CheckerName = keyof typeof CHECKERS;

/** A violation and who found it. */
export interface Violation extends Finding {
  readonly checker: CheckerName;
}

/** Everything that is wrong. */
export function judge(world: Findable): readonly Violation[] {
  return (Object.keys(CHECKERS) as CheckerName[]).flatMap((checker) => CHECKERS[checker](world).map((found) => ({ ...found, checker })));
}
