/**
 * Brings the runs back to memory that have work ready: after a start, and after a take-over. Runs that wait for a timer or a signal stay in the
 * store until it comes.
 */
import type { RunId } from "../../runtime/ids.ts";
import type { ReplyTo } from "../../runtime/kernel/reference.ts";
import type { Journal } from "../../runtime/storage/journal.ts";
import type { ShardSet } from "../../runtime/storage/shard-set.ts";
import type { BereftRuns } from "./bereft-runs.ts";
import type { RunState } from "./core/state.ts";

/** Runs listed at once. */
const RUNS_PER_PAGE = 1_000;

/** Wakes every run with work ready and answers how many there were. `wake` must not wait for the run. */
export async function recoverRuns(journal: Pick<Journal, "listReady">, shards: ShardSet, wake: (runId: RunId) => void): Promise<number> {
  let count = 0;
  for (let after: RunId | undefined; ; ) {
    const page = await journal.listReady(shards, RUNS_PER_PAGE, after);
    for (const runId of page) wake(runId);
    count += page.length;
    after = page.at(-1);
    if (page.length < RUNS_PER_PAGE) return count;
  }
}

/**
 * For a run that was read back and whose attempts went down with an earlier node: that is the first thing that it has to hear, and to store. Answers who is
 * told that it has; undefined for all other runs. `bereft`: the runs that have not stored it yet.
 */
export function lossOf(bereft: BereftRuns, { runId, inFlight }: RunState): ReplyTo<void> | undefined {
  if (inFlight === 0) bereft.delete(runId);
  return bereft.has(runId) ? { reply: () => bereft.delete(runId), fail: () => undefined } : undefined;
}
