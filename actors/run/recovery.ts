/**
 * Brings the runs back to memory that have work ready: after a start, and after a take-over. Runs that wait for a timer or a signal stay in the
 * store until it comes.
 */
import type { RunId } from "../../runtime/ids.ts";
import type { Journal } from "../../runtime/storage/journal.ts";
import type { ShardSet } from "../../runtime/storage/shard-set.ts";

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
