/**
 * A run is the fold of its history and of nothing else: its row says what the fold says, and so does everyone who is asked for it.
 */
import { evolve } from "../../../actors/run/core/evolve.ts";
import { headOf } from "../../../actors/run/core/head.ts";
import { emptyRun, type RunState } from "../../../actors/run/core/state.ts";
import type { RunView } from "../../../actors/runs.ts";
import type { Evidence, StoredRun } from "../../chaos/evidence.ts";
import { type Checker, type Finding, finding } from "./checker.ts";

/** The checker. */
export const checkHistory: Checker = ({ database, stored, views }) =>
  stored.runs.flatMap((run) => {
    const record = database.memory.runs.get(run.id);
    const state = foldOf(run, stored);
    if (typeof state === "string") return [finding(`the history of run ${run.id} does not fold: ${state}`, run.id)];
    if (record === undefined || state === undefined || record.status === "quarantined") return [];
    const { status, wake, errorMessage } = headOf(state, 0);
    const isSame = status === record.status && wake === record.wake && errorMessage === record.errorMessage;
    const row = isSame ? [] : [finding(`the row of run ${run.id} says ${record.status}/${record.wake}, its history ${status}/${wake}`, run.id)];
    return [...row, ...differencesOf(state, views.get(run.id))];
  });

function foldOf(run: StoredRun, { workflows }: Evidence): RunState | string | undefined {
  const workflow = workflows.get(run.workflowId);
  if (workflow === undefined || run.damage !== undefined) return undefined;
  const state = emptyRun(run.id, run.workflowId, workflow);
  try {
    for (const entry of run.entries) evolve(state, entry);
  } catch (error) {
    return String(error);
  }
  return state;
}

function differencesOf(state: RunState, view: RunView | undefined): Finding[] {
  if (view === undefined) return [];
  const told = [view.status, view.output, view.error?.detail, view.lastSeq].join();
  const folded = [headOf(state, 0).status, state.output?.text, state.error?.detail, state.lastSeq].join();
  return told === folded ? [] : [finding(`run ${state.runId} is shown as ${told}, its history says ${folded}`, state.runId)];
}
