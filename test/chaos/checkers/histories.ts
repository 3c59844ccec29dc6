/**
 * Histories are whole (dense from 1, checksums hold, epochs never fall), fold to an end once, and hold no result twice.
 */
import { describe } from "../../../actors/run/core/history.ts";
import { emptyRun } from "../../../actors/run/core/state.ts";
import type { HistoryEntry } from "../../../actors/runs.ts";
import { ENDED, type RunStatus } from "../../../runtime/storage/journal.ts";
import type { Evidence, StoredRun } from "../evidence.ts";
import type { Checker } from "./finding.ts";

/** Rows are dense from 1, intact, and written under epochs that never fall. */
export const checkRows: Checker = ({ runs }) =>
  runs.flatMap(({ id, rows, damage }) => {
    const findings = damage === undefined ? [] : [`run ${id}: its history can't be read: ${damage}`];
    let next = 1;
    let epoch = 0;
    for (const row of rows) {
      if (row.seq !== next) findings.push(`run ${id}: a row begins at ${row.seq}, not at ${next}`);
      if (row.epoch < epoch) findings.push(`run ${id}: epoch ${row.epoch} follows epoch ${epoch} at ${row.seq}`);
      next = row.seq + row.count;
      epoch = row.epoch;
    }
    if (rows.length === 0) findings.push(`run ${id} has no history`);
    return findings;
  });

/** Every history folds, ends when its row says so, and holds each result once for each time that the task began. */
export const checkResultsOnce: Checker = (evidence) => evidence.runs.flatMap((run) => judge(evidence, run));

function judge({ workflows }: Evidence, run: StoredRun): string[] {
  const workflow = workflows.get(run.workflowId);
  if (workflow === undefined || run.damage !== undefined) return [];
  const state = emptyRun(run.id, run.workflowId, workflow);
  const results = new Results();
  try {
    for (const entry of run.entries) results.take(describe(state, entry));
  } catch (error) {
    return [`run ${run.id}: its history does not fold: ${String(error)}`];
  }
  if (state.status !== run.status && ENDED.has(run.status)) results.findings.push(`its row says ${run.status}, its history ${state.status}`);
  if (ENDED.has(run.status)) results.end(run.status);
  return results.findings.map((finding) => `run ${run.id}: ${finding}`);
}

const ENDINGS = new Set(["task.completed", "task.faulted", "task.cancelled"]);

/** Counts the beginnings and ends of tasks, by path with iterations. */
class Results {
  readonly findings: string[] = [];
  readonly #open = new Map<string, number>();
  readonly #completed = new Set<string>();
  readonly #attempts = new Set<string>();
  #ends = 0;
  #starts = 0;

  take(entry: HistoryEntry): void {
    const { type, path, seq } = entry;
    if (this.#ends > 0) this.findings.push(`${type} at ${seq} follows the run's end`);
    if (type === "run.started") this.#starts += 1;
    if (type === "run.ended") this.#ends += 1;
    if (type === "task.started") this.#begin(path);
    if (ENDINGS.has(type)) this.#finish(entry);
    if (type === "attempt.completed" || type === "attempt.failed") this.#attempt(entry);
    // A try that is retried executes its tasks again: they may complete again.
    if (type === "try.retried") for (const done of this.#completed) if (done.startsWith(`${path}/`)) this.#completed.delete(done);
  }

  end(status: RunStatus): void {
    // Only a run that completed had to wait for all of its tasks: any other end abandons what is under way.
    for (const [path, count] of this.#open) if (status === "completed" && count !== 0) this.findings.push(`${path} is left open`);
    if (this.#starts !== 1 || this.#ends !== 1) this.findings.push(`it started ${this.#starts} times and ended ${this.#ends} times`);
  }

  #begin(path: string): void {
    this.#open.set(path, (this.#open.get(path) ?? 0) + 1);
    for (const attempt of this.#attempts) if (attempt.startsWith(`${path}#`)) this.#attempts.delete(attempt);
  }

  #finish({ type, path, seq }: HistoryEntry): void {
    const count = this.#open.get(path) ?? 0;
    if (count !== 1) this.findings.push(`${type} of ${path} at ${seq}, which is open ${count} times`);
    this.#open.set(path, count - 1);
    if (type !== "task.completed") return;
    if (this.#completed.has(path)) this.findings.push(`a second result of ${path} at ${seq}`);
    this.#completed.add(path);
  }

  #attempt({ path, attempt, seq }: HistoryEntry): void {
    const name = `${path}#${attempt}`;
    if (this.#attempts.has(name)) this.findings.push(`a second end of attempt ${attempt} of ${path} at ${seq}`);
    this.#attempts.add(name);
  }
}
