/**
 * Brings the runs back to memory that have work ready: after a start, and after a take-over. Runs that wait for a timer or a signal stay in the
 * store until it comes.
 */
import type { RunId } from "../../runtime/ids.ts";
import type { ReplyTo } from "../../runtime/kernel/reference.ts";
import type { Journal } from "../../runtime/storage/journal.ts";
import type { ShardSet } from "../../runtime/storage/shard-set.ts";
import type { CallNode } from "../language/model.ts";
import { attemptIdOf } from "./attempt-id.ts";
import type { RunCommand } from "./core/command.ts";
import type { RunState } from "./core/state.ts";
import { schedulingOf } from "./core/steps/call.ts";
import type { RunServices } from "./run-services.ts";

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

/** What a run has to hear whose attempts went down with an earlier node. */
export interface Loss {
  readonly command: Extract<RunCommand, { readonly kind: "nodeLost" }>;
  /** Is told that the run has stored it. */
  readonly replyTo: ReplyTo<void>;
}

/**
 * For a run that was read back and whose attempts went down with an earlier node: that is the first thing that it has to hear, and to store. Undefined for all
 * other runs. What needs a slot of a concurrency key and has none had not begun.
 */
export function lossOf({ bereft, dispatcher }: Pick<RunServices, "bereft" | "dispatcher">, { runId, inFlight, frames }: RunState): Loss | undefined {
  if (inFlight === 0) bereft.delete(runId);
  if (!bereft.has(runId)) return undefined;
  const waiting = new Set<number>();
  for (const frame of frames.values()) {
    const { id, attempt, node } = frame;
    const isLimited = frame.inFlight && dispatcher.isLimited((node as CallNode).handler, schedulingOf(frame));
    if (isLimited && !bereft.mayHaveSlot(attemptIdOf({ runId, frame: id, attempt }))) waiting.add(id);
  }
  return { command: { kind: "nodeLost", waiting }, replyTo: { reply: () => bereft.delete(runId), fail: () => undefined } };
}
