/**
 * The checkers of the simulation, by what they watch.
 */
import { checkAcknowledged } from "./acknowledged.ts";
import type { Checker, Findable, Finding } from "./checker.ts";
import { checkOutcomes } from "./outcomes.ts";
import { checkSingleOwner } from "./single-owner.ts";

/** All of them. */
const CHECKERS = {
  "single owner": checkSingleOwner,
  acknowledged: checkAcknowledged,
  outcomes: checkOutcomes,
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
