/**
 * Reading runs back from the journal: a run's state is the fold of its rows, read in pages so that a long history is never in memory as a whole.
 */
import { MaestroError } from "../../runtime/errors.ts";
import type { RunId } from "../../runtime/ids.ts";
import type { Journal } from "../../runtime/storage/journal.ts";
import type { Workflow } from "../language/model.ts";
import { decodeEntries, type Entry } from "./entry.ts";
import { evolve } from "./evolve.ts";
import { emptyRun, type RunState } from "./state.ts";

/** Rows of the journal read at once. */
const ROWS_PER_READ = 200;

/** Where runs are read from. */
export interface RunSource {
  readonly journal: Journal;
  /** The compiled workflow of a version. @throws WORKFLOW_NOT_FOUND */
  workflow(workflowId: string): Promise<Workflow>;
}

/** The state of a run. @throws RUN_NOT_FOUND, JOURNAL_CORRUPT */
export async function loadRun(source: RunSource, runId: RunId): Promise<RunState> {
  return foldRun(source, runId, evolve);
}

/** Folds a run's whole history with `fold`, which must at least `evolve`, and answers its state. @throws RUN_NOT_FOUND, JOURNAL_CORRUPT */
export async function foldRun(source: RunSource, runId: RunId, fold: (state: RunState, entry: Entry) => void): Promise<RunState> {
  let state: RunState | undefined;
  for (let nextSeq = 1; ; ) {
    const rows = await source.journal.read(runId, nextSeq, ROWS_PER_READ);
    for (const row of rows) {
      const entries = decodeEntries(runId, row.firstSeq, row.entries);
      if (row.firstSeq !== nextSeq) throw new MaestroError("JOURNAL_CORRUPT", { facts: { runId, seq: nextSeq, reason: "entries are missing" } });
      state ??= await firstState(source, runId, entries[0]);
      for (const entry of entries) fold(state, entry);
      nextSeq += entries.length;
    }
    if (rows.length < ROWS_PER_READ) break;
  }
  if (state === undefined) throw new MaestroError("RUN_NOT_FOUND", { facts: { runId } });
  return state;
}

async function firstState(source: RunSource, runId: RunId, first: Entry | undefined): Promise<RunState> {
  if (first?.event?.$case !== "runStarted")
    throw new MaestroError("JOURNAL_CORRUPT", { facts: { runId, seq: 1, reason: "the first entry is not the run's start" } });
  const { workflowId } = first.event.value;
  return emptyRun(runId, workflowId, await source.workflow(workflowId));
}
