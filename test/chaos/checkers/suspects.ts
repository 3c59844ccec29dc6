/**
 * What was under way when its node was lost is not executed inside a node again, in this attempt or a further one, until its task has completed.
 */
import type { StoredRun } from "../evidence.ts";
import type { Checker } from "./finding.ts";

/** The checker. */
export const checkSuspects: Checker = ({ runs, traces }) => {
  const inside = Map.groupBy(
    traces.filter(({ isInNode }) => isInNode),
    ({ key }) => key,
  );
  return runs.flatMap((run) =>
    [...interruptedIn(run)].flatMap(([frame, attempt]) => {
      const own = inside.get(`${run.id}:${frame}`) ?? [];
      // The attempt that was interrupted was inside once.
      const again = new Set(own.filter((trace) => trace.attempt === attempt).map(({ pid }) => pid)).size - 1;
      const further = own.filter((trace) => trace.attempt > attempt).length;
      if (again <= 0 && further === 0) return [];
      return [`run ${run.id}: frame ${frame} was executed inside a node after its attempt ${attempt} had gone down with one`];
    }),
  );
};

/** The first attempt of each frame that was interrupted. */
function interruptedIn({ entries }: StoredRun): Map<number, number> {
  const interrupted = new Map<number, number>();
  for (const { event } of entries) {
    if (event?.$case === "attemptInterrupted" && !interrupted.has(event.value.frame)) interrupted.set(event.value.frame, event.value.attempt);
  }
  return interrupted;
}
