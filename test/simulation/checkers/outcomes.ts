/**
 * Runs end as a plain interpreter of their programs says: status, output, error, and what was undone in which order. What clients were told is the
 * same. In the end all runs have ended, and all clients who waited were told.
 */
import { isDeepStrictEqual } from "node:util";
import type { Workflow } from "../../../actors/language/model.ts";
import { describe } from "../../../actors/run/core/history.ts";
import { emptyRun, type RunState } from "../../../actors/run/core/state.ts";
import type { RunOutcome } from "../../../actors/runs.ts";
import { ENDED } from "../../../runtime/storage/journal.ts";
import type { Evidence, StoredRun } from "../../chaos/evidence.ts";
import type { Expectation } from "../interpreter.ts";
import { isLeftAlone, type Order } from "../order.ts";
import { type Checker, type Finding, finding } from "./checker.ts";

/** The checker. */
export const checkOutcomes: Checker = ({ orders, stored, isFinal }) => {
  const byOrder = Map.groupBy(stored.runs, (run) => run.order);
  return orders.flatMap((order) => {
    const runs = byOrder.get(order.id) ?? [];
    return [...judgeTold(order, isFinal), ...runs.flatMap((run) => judgeRun(order, run, stored, isFinal))];
  });
};

function judgeTold({ id, told, expected, isOpen, trouble, isSettled }: Order, isFinal: boolean): Finding[] {
  if (told === undefined) {
    const isMissing = isFinal && !isOpen && trouble === undefined;
    return isMissing ? [finding(`${id} was never told how its run ended${isSettled ? "" : ", and still asks"}`, id)] : [];
  }
  const wrong = differences(told, expected);
  return wrong === undefined ? [] : [finding(`${id} was told that run ${told.runId} ${wrong}`, id, told.runId)];
}

function judgeRun(order: Order, run: StoredRun, { workflows }: Evidence, isFinal: boolean): Finding[] {
  const { id, expected, isCancelled } = order;
  const workflow = workflows.get(run.workflowId);
  if (workflow === undefined || run.damage !== undefined) return [];
  const folded = foldOf(run, workflow);
  // That a history does not fold is found elsewhere.
  if (folded === undefined) return [];
  const { state, undone } = folded;
  if (!ENDED.has(run.status)) {
    return isFinal && !isLeftAlone(order)
      ? [finding(`run ${run.id} of ${id} is still ${run.status}${isCancelled ? ", although it was cancelled" : ""}`, id, run.id)]
      : [];
  }
  const outcome = { runId: run.id, status: state.status as RunOutcome["status"], output: state.output?.text, error: state.error };
  const wrong = differences(outcome, expected) ?? wronglyUndone(undone, expected);
  return wrong === undefined ? [] : [finding(`run ${run.id} of ${id} ${wrong}`, id, run.id)];
}

function foldOf(run: StoredRun, workflow: Workflow): { readonly state: RunState; readonly undone: readonly number[] } | undefined {
  const undone: number[] = [];
  const state = emptyRun(run.id, run.workflowId, workflow);
  try {
    for (const entry of run.entries) {
      const { type, task } = describe(state, entry);
      if (type === "task.completed" && task.startsWith("undo")) undone.push(Number(task.slice("undo".length)));
    }
  } catch (error) {
    if (error instanceof Error) return undefined;
    throw error;
  }
  return { state, undone };
}

function differences({ status, output, error }: Pick<RunOutcome, "status" | "output" | "error">, expected: Expectation): string | undefined {
  if (status !== expected.status) return `is ${status}${error === undefined ? "" : ` (${error.detail ?? error.title})`}, not ${expected.status}`;
  if (expected.output !== undefined && output !== String(expected.output)) return `completed with ${output}, not with ${expected.output}`;
  if (expected.detail !== undefined && error?.detail !== expected.detail) return `failed with "${error?.detail}", not with "${expected.detail}"`;
  return undefined;
}

function wronglyUndone(undone: readonly number[], expected: Expectation): string | undefined {
  const wanted = expected.status === "cancelled" ? expected.undone.slice(expected.undone.length - undone.length) : expected.undone;
  return isDeepStrictEqual(undone, wanted) ? undefined : `undid the steps ${undone.join(", ") || "none"}, not ${wanted.join(", ") || "none"}`;
}
