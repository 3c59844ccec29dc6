/**
 * Looks at many worlds, and makes a failing one as small as it can: fewer kinds of faults, fewer runs, as long as the same checker still speaks.
 */
import type { CheckerName } from "./checkers/index.ts";
import { FAULT_KINDS, type FaultKind } from "./faults.ts";
import { World, type WorldPlan, type WorldResult } from "./world.ts";

/** Numbers of runs that are tried for a smaller world. */
const FEWER_ORDERS = [1, 2, 4, 8, 16] as const;

/** Lets a world be. */
export function explore(plan: WorldPlan): Promise<WorldResult> {
  return new World(plan).run();
}

/** The smallest world found in which the checker that spoke first of `result` still speaks, traced. */
export async function shrink(result: WorldResult): Promise<WorldResult> {
  const checker = result.violations[0]?.checker;
  if (checker === undefined) return result;
  let plan: WorldPlan = { ...result.plan, isTraced: true };
  for (const kind of FAULT_KINDS) {
    if (result.levels[kind] === 0) continue;
    const smaller = { ...plan, without: [...(plan.without ?? []), kind] satisfies FaultKind[] };
    if (await fails(smaller, checker)) plan = smaller;
  }
  for (const orders of FEWER_ORDERS) {
    if (!(await fails({ ...plan, orders }, checker))) continue;
    plan = { ...plan, orders };
    break;
  }
  return explore(plan);
}

async function fails(plan: WorldPlan, checker: CheckerName): Promise<boolean> {
  return (await explore({ ...plan, isTraced: false })).violations.some((violation) => violation.checker === checker);
}
