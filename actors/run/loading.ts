/**
 * Reading runs back from the journal: a run's state is its newest snapshot and the fold of the entries after it, read in pages, so that neither a
 * long history nor any page of it is ever in memory as a whole.
 */
import type { Clock } from "../../runtime/clock.ts";
import { type ErrorCode, MaestroError, messageOf, toMaestroError } from "../../runtime/errors.ts";
import type { EventHub } from "../../runtime/events.ts";
import type { RunId } from "../../runtime/ids.ts";
import type { Journal, JournalRow, RunHead, RunTail, Snapshot, Standing } from "../../runtime/storage/journal.ts";
import type { Workflow } from "../language/model.ts";
import { decodeEntries, type Entry, refuseNewer } from "./core/entry.ts";
import { evolve } from "./core/evolve.ts";
import { bringBack } from "./core/moved-payloads.ts";
import { parseSnapshot, restoreSnapshot } from "./core/snapshot.ts";
import { emptyRun, type RunState } from "./core/state.ts";
import type { NewerRuns } from "./newer-runs.ts";
import { moved } from "./shard-gate.ts";

/** Rows of the journal read at once. */
const ROWS_PER_READ = 200;

/**
 * What reading a run can end in that is no failure of its actor, nor worth another attempt here: it is not there, is parked, of a newer version, or
 * another node's.
 */
export const OUT_OF_REACH: ReadonlySet<ErrorCode> = new Set(["RUN_NOT_FOUND", "RUN_QUARANTINED", "RUN_TOO_NEW", "SHARD_MOVED"]);

/** What reading a run for its actor ends in where others own it. */
const NOT_OURS: ReadonlySet<ErrorCode> = new Set(["SHARD_MOVED", "JOURNAL_FENCED"]);

/** Where runs are read from. */
export interface RunSource {
  readonly journal: Journal;
  readonly events: EventHub;
  /** The compiled workflow of a version. @throws WORKFLOW_NOT_FOUND */
  workflow(workflowId: string): Promise<Workflow>;
}

/** A run as its actor needs it. */
export interface LoadedRun {
  readonly state: RunState;
  /** What the store's row says. */
  readonly head: RunHead;
  readonly durationMs: number;
}

/**
 * A run, for its actor, which acts on what it reads: only the run's owner gets it, however long this process may have stood still without knowing that others
 * took over. @throws SHARD_MOVED, JOURNAL_FENCED, RUN_NOT_FOUND, RUN_QUARANTINED, JOURNAL_CORRUPT
 */
export async function readRun(source: RunSource & { readonly clock: Clock; readonly newer: NewerRuns }, runId: RunId): Promise<LoadedRun> {
  const startedMs = source.clock.monotonic();
  const [head, loaded] = await Promise.allSettled([source.journal.find(runId), loadOwned(source, runId)]);
  if (loaded.status === "rejected" && toMaestroError(loaded.reason).code === "RUN_TOO_NEW") source.newer.add(runId);
  if (loaded.status === "rejected" && NOT_OURS.has(toMaestroError(loaded.reason).code)) throw loaded.reason;
  if (head.status === "rejected") throw head.reason;
  if (head.value === undefined) throw new MaestroError("RUN_NOT_FOUND", { facts: { runId } });
  if (head.value.status === "quarantined") throw quarantined(runId, head.value.errorMessage);
  if (loaded.status === "rejected") throw loaded.reason;
  return { state: loaded.value, head: head.value, durationMs: source.clock.monotonic() - startedMs };
}

/** The error of who wants something of a quarantined run. */
export function quarantined(runId: RunId, reason = "its actor kept failing"): MaestroError {
  return new MaestroError("RUN_QUARANTINED", { facts: { runId, reason } });
}

/** @throws what {@link loadRun} throws, and SHARD_MOVED, JOURNAL_FENCED if this boot does not own the run */
async function loadOwned(source: RunSource, runId: RunId): Promise<RunState> {
  const tail = await source.journal.readTail(runId);
  requireOwner(runId, tail.standing);
  const state = await stateOfTail(source, runId, tail);
  // What took further readings may have taken long: who is the owner after them was it before.
  if (!tail.isWhole) requireOwner(runId, await source.journal.standing(runId));
  return state;
}

function requireOwner(runId: RunId, standing: Standing): void {
  if (standing === "fenced") throw new MaestroError("JOURNAL_FENCED", { facts: { detail: `it read run ${runId}` } });
  if (standing === "moved") throw moved(runId);
}

/**
 * The state of a run, whoever owns it. Most take one reading, which others share; those with a longer tail go on page by page.
 * @throws RUN_NOT_FOUND, JOURNAL_CORRUPT
 */
export async function loadRun(source: RunSource, runId: RunId): Promise<RunState> {
  return stateOfTail(source, runId, await source.journal.readTail(runId));
}

async function stateOfTail(source: RunSource, runId: RunId, tail: RunTail): Promise<RunState> {
  const begun =
    (await stateOf(source, runId, tail.snapshot)) ?? (tail.snapshot === undefined ? await stateOfRow(source, runId, tail.rows[0]) : undefined);
  // A snapshot that nobody can read is not looked at again: an older one may do. Without one in the tail there is none.
  const state = begun ?? (await stateBefore(source, runId, tail.snapshot?.seq ?? 1));
  for await (const entries of entriesAfter(source, state, begun === undefined ? undefined : tail)) {
    for (const entry of await bringBack(source.journal, runId, entries, state.lastSeq + 1)) fold(state, entry, evolve);
  }
  return state;
}

/** A state of the run that contains no entry from `seq` on, as late as a snapshot allows. @throws RUN_NOT_FOUND, JOURNAL_CORRUPT */
export async function stateBefore(source: RunSource, runId: RunId, seq: number): Promise<RunState> {
  const restored = await stateOf(source, runId, await source.journal.readSnapshot(runId, seq - 1));
  if (restored !== undefined) return restored;
  const [row] = await source.journal.read(runId, 1, 1);
  const state = await stateOfRow(source, runId, row);
  if (state === undefined) throw new MaestroError("RUN_NOT_FOUND", { facts: { runId } });
  return state;
}

/**
 * The entries that `state` does not contain yet, page by page, without what was moved out of them. The caller folds a page in before it asks for the
 * next. `read`: the first page, if it is there already. @throws JOURNAL_CORRUPT
 */
export async function* entriesAfter(source: RunSource, state: RunState, read?: RunTail): AsyncGenerator<readonly Entry[]> {
  yield* unseen(state, read?.rows ?? []);
  if (read?.isWhole === true) return;
  for (;;) {
    const rows = await source.journal.read(state.runId, state.lastSeq + 1, ROWS_PER_READ);
    yield* unseen(state, rows);
    if (rows.length < ROWS_PER_READ) return;
  }
}

/** Of each row the entries that `state` does not contain yet. */
function* unseen(state: RunState, rows: readonly JournalRow[]): Generator<readonly Entry[]> {
  for (const row of rows) {
    const entries = decodeEntries(state.runId, row.firstSeq, row.entries);
    const seen = state.lastSeq + 1 - row.firstSeq;
    if (seen < 0) throw corrupt(state.runId, state.lastSeq + 1, "entries are missing");
    yield entries.slice(seen);
  }
}

/** Folds an entry with `folding`. @throws JOURNAL_CORRUPT it can't follow what came before */
export function fold<T>(state: RunState, entry: Entry, folding: (state: RunState, entry: Entry) => T): T {
  try {
    return folding(state, entry);
  } catch (error) {
    throw corrupt(state.runId, state.lastSeq, messageOf(error));
  }
}

/** The state of a run that has no entry yet, by the row that begins its history; undefined without one. @throws JOURNAL_CORRUPT */
export async function stateOfRow(source: RunSource, runId: RunId, row: JournalRow | undefined): Promise<RunState | undefined> {
  if (row === undefined) return undefined;
  const [first] = decodeEntries(runId, row.firstSeq, row.entries);
  if (first?.event?.$case !== "runStarted") throw corrupt(runId, 1, "the first entry is not the run's start");
  return emptyRun(runId, first.event.value.workflowId, await source.workflow(first.event.value.workflowId));
}

/** A snapshot as a state. One that can't be read is passed over: the entries tell the same. @throws RUN_TOO_NEW only a newer program may go on from it */
async function stateOf(source: RunSource, runId: RunId, snapshot: Snapshot | undefined): Promise<RunState | undefined> {
  if (snapshot === undefined) return undefined;
  const parsed = parseSnapshot(snapshot.state);
  if (parsed !== undefined) refuseNewer(runId, snapshot.seq, parsed.readsFrom);
  const restored = parsed && restoreSnapshot(runId, await source.workflow(parsed.workflowId), parsed);
  if (restored === undefined) source.events.emit("journal.snapshotRefused", { runId, seq: snapshot.seq, reason: "format" });
  return restored;
}

function corrupt(runId: RunId, seq: number, reason: string): MaestroError {
  return new MaestroError("JOURNAL_CORRUPT", { facts: { runId, seq, reason } });
}
