/**
 * What clients were refused: only calls to a node that had trouble of its own may have failed, and only in ways that say that trying again is right. What
 * happens to one node, or between nodes, is no client's of another.
 */
import type { Call } from "../../load.ts";
import { type Window, windowsOf } from "../windows.ts";

/** What is judged. */
export interface CallEvidence {
  readonly calls: readonly Call[];
  /** Whose gateway an address was. */
  readonly gateways: ReadonlyMap<string, string>;
  readonly windows: readonly Window[];
}

/** What a node in trouble may say, or what its client finds. */
const ALLOWED = new Set([
  ...["NODE_UNREACHABLE", "REQUEST_CANCELLED", "TIMED_OUT", "NODE_STOPPING", "NODE_OVERLOADED"],
  ...["JOURNAL_FENCED", "JOURNAL_OVERLOADED", "DATABASE_UNAVAILABLE", "DATABASE_FAILING"],
  ...["SHARD_MOVED", "NO_RESPONDER", "BUS_UNAVAILABLE", "BUS_OVERLOADED", "ACTOR_STOPPED"],
]);
/** Answers about the run, not about the node. */
const ANSWERS = new Set(["RUN_ENDED"]);

/** A sentence for each call that must not have failed, or not like that. */
export function checkCalls({ calls, gateways, windows }: CallEvidence): string[] {
  return calls.flatMap(({ method, order, address, fromMs, untilMs, failure }) => {
    if (failure === undefined || ANSWERS.has(failure)) return [];
    const node = gateways.get(address) ?? address;
    const call = `order ${order}: ${method} at ${node} failed with ${failure} after ${untilMs - fromMs} ms`;
    const own = windowsOf(windows, node, fromMs, untilMs);
    if (own.length > 0) return ALLOWED.has(failure) ? [] : [`${call}, during ${own.map(({ what }) => what).join(", ")}`];
    const others = windows.filter((window) => window.fromMs <= untilMs && window.untilMs >= fromMs);
    return [`${call}, although the node had no trouble${others.map(({ what, node: other }) => `; ${what} ${other}`).join("")}`];
  });
}
