/**
 * The audit with which the cluster's crash test ends: that of a single node's, and the checkers that only a cluster needs.
 */
import { audit } from "../audit.ts";
import { checkCalls } from "./checkers/calls.ts";
import { judgeEvents } from "./checkers/events.ts";
import { checkEpochs, checkStaleRows } from "./checkers/owners.ts";
import type { ClusterEvidence } from "./cluster-evidence.ts";

/** The checkers, by what they watch. */
export const CLUSTER_CHECKERS = {
  "one owner for an epoch": checkEpochs,
  "no stale row": checkStaleRows,
  "events are complete and in order": (evidence: ClusterEvidence) => judgeEvents(evidence).findings,
  "clients are spared": checkCalls,
} as const satisfies Readonly<Record<string, (evidence: ClusterEvidence) => readonly string[]>>;

/** Findings of one checker that are shown. */
const SHOWN = 8;

/** Everything that is wrong. */
export function auditCluster(evidence: ClusterEvidence): string[] {
  const own = Object.entries(CLUSTER_CHECKERS).flatMap(([name, check]) => {
    const findings = check(evidence);
    const more = findings.length > SHOWN ? [`${name}: and ${findings.length - SHOWN} more`] : [];
    return [...findings.slice(0, SHOWN).map((finding) => `${name}: ${finding}`), ...more];
  });
  return [...audit(evidence), ...own];
}
