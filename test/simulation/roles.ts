/**
 * The roles of the nodes of a simulated world. In most worlds every node has all of them; in the others some nodes have runs and execute nothing, and
 * some execute what others have.
 */
import type { Random } from "../../runtime/random.ts";
import { NODE_ROLES, type NodeRole } from "../../runtime/storage/ownership.ts";
import { happens, pick } from "./faults.ts";

/** Share of the worlds in which nodes have roles of their own. */
const ROLES_SHARE = 0.35;
const RUNS: readonly NodeRole[] = ["gateway", "engine"];
const EXECUTES: readonly NodeRole[] = ["executor"];

/** The roles of so many nodes. Without the first one all roles are there still. */
export function rolesOf(random: Random, nodes: number): readonly (readonly NodeRole[])[] {
  if (!happens(random, ROLES_SHARE)) return Array.from({ length: nodes }, () => NODE_ROLES);
  return Array.from({ length: nodes }, (_, place) => {
    if (place === 1) return RUNS;
    return place === 2 ? EXECUTES : pick(random, [RUNS, EXECUTES, NODE_ROLES]);
  });
}
