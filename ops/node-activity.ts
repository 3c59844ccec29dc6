/**
 * Counts what a node does, for operators who look at it. Holds numbers only; listens for as long as its event hub lives.
 */
import type { NodeActivity } from "../gateway/service/cluster-service.ts";
import type { EventHub } from "../runtime/events.ts";
import type { BootId } from "../runtime/ids.ts";

/** Counts from now on; the returned function answers how things stand. */
export function countActivity(bootId: BootId, events: EventHub, activeRuns: () => number): () => NodeActivity {
  let [endedRuns, commits, entries] = [0, 0, 0];
  events.on("run.ended", () => {
    endedRuns++;
  });
  events.on("journal.committed", (batch) => {
    commits++;
    entries += batch.entries;
  });
  return () => ({ bootId, activeRuns: activeRuns(), endedRuns, commits, entries });
}
