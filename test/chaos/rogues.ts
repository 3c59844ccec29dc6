/**
 * The tasks that harm what executes them: their names, how their runs have to end, and how often one may end its node.
 */
import type { Tier } from "../../runtime/workers/pool.ts";

/** One of them. */
export interface Rogue {
  /** Its handlers are called this, with the tier behind it. */
  readonly name: string;
  readonly status: "completed" | "failed";
  /** How often it ends the node in the tier `thread`. Default: never. */
  readonly deaths?: number;
  /** The tasks of its workflow. Default: its handler is called. */
  readonly body?: (tier: Tier) => string;
}

const AGAIN_THEN_DONE = "{ retry: { delay: { milliseconds: 50 }, limit: { attempt: { count: 2 } } }, do: [ { gaveUp: { set: { gaveUp: true } } } ] }";

/** All of them. */
export const ROGUES: readonly Rogue[] = [
  { name: "throws", status: "failed" },
  { name: "throws-later", status: "failed" },
  { name: "rejects-aside", status: "failed" },
  { name: "loops-bounded", status: "failed" },
  { name: "loops", status: "failed" },
  { name: "exits", status: "failed" },
  { name: "eats-heap", status: "failed" },
  { name: "prints-1-gb", status: "completed" },
  { name: "prints-1-gb-at-once", status: "completed" },
  { name: "writes-64-mb-to-stdout", status: "completed" },
  { name: "returns-256-mb", status: "failed" },
  { name: "forks-100-children", status: "completed" },
  { name: "aborts", status: "failed" },
  { name: "dies-of-sigsegv", status: "failed", deaths: 1 },
  // Its handler has crashed outside of the node by now, and is not let in again.
  { name: "dies-of-sigsegv-again", status: "failed", body: (tier) => `[ { it: { call: dies-of-sigsegv-${tier}@default } } ]` },
  { name: "dies-with-retries", status: "failed", deaths: 1 },
  {
    name: "dies-under-try",
    status: "completed",
    deaths: 1,
    body: (tier) => `[ { safe: { try: [ { it: { call: dies-under-try-${tier}@default } } ], catch: ${AGAIN_THEN_DONE} } } ]`,
  },
];
