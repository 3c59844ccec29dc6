/**
 * Which queued writes form the next batch of a lane, and what that batch changes in the tables. Pure.
 *
 * A batch is one transaction, so only its end result is sent: the writes of one run become one journal row, only the last head of a run
 * counts, of its snapshots only the last is kept, and a timer that is set and cleared in the same batch never existed.
 */
import type { RunId } from "../ids.ts";
import type { NewRun, RunHead, RunPayload, RunTimer, RunWrite, Snapshot } from "./journal.ts";

/** A row of `journal`, its bytes in pieces. */
export interface BatchRow {
  readonly runId: RunId;
  readonly firstSeq: number;
  readonly entryCount: number;
  readonly parts: readonly Uint8Array[];
}

/** A new row of `workflow_runs`. */
export interface BatchRun {
  readonly runId: RunId;
  readonly run: NewRun;
  readonly head: RunHead;
}

/** A change of a row of `workflow_runs`. */
export interface BatchHead {
  readonly runId: RunId;
  readonly head: RunHead;
}

/** A new row of `run_snapshots`. */
export interface BatchSnapshot extends Snapshot {
  readonly runId: RunId;
}

/** A new row of `payloads`. */
export interface BatchPayload extends RunPayload {
  readonly runId: RunId;
}

/** A new row of `run_keys`. */
export interface BatchKey {
  readonly key: string;
  readonly runId: RunId;
}

/** What one commit changes. */
export interface Batch {
  readonly runs: readonly BatchRun[];
  readonly rows: readonly BatchRow[];
  readonly heads: readonly BatchHead[];
  readonly snapshots: readonly BatchSnapshot[];
  readonly payloads: readonly BatchPayload[];
  readonly timersSet: readonly RunTimer[];
  readonly timersCleared: readonly RunTimer[];
  /** Sorted by key, so that two lanes that insert the same keys can't deadlock. */
  readonly keys: readonly BatchKey[];
  /** The store must refuse a row that does not begin where the history of its run ends. Costs a look-up for each row. */
  readonly isChecked: boolean;
}

/** How large a batch may become. The first write is always taken. */
export interface BatchBounds {
  readonly writes: number;
  readonly bytes: number;
}

/** What a write counts against the bounds of bytes. */
export function bytesOf(write: RunWrite): number {
  const payloadBytes = write.payloads?.reduce((sum, { bytes }) => sum + bytes.length, 0) ?? 0;
  return write.entries.length + payloadBytes + (write.snapshot?.length ?? 0) + (write.head?.errorMessage?.length ?? 0);
}

/**
 * How many writes from the front of the queue the next batch takes. A batch never holds one idempotency key twice: the second write waits
 * for the next batch, where the store judges it against what the first one committed.
 */
export function batchLength(queue: readonly { readonly write: RunWrite }[], bounds: BatchBounds): number {
  const keys = new Set<string>();
  let bytes = 0;
  let length = 0;
  for (const { write } of queue) {
    const key = write.create?.idempotencyKey;
    bytes += bytesOf(write);
    const fits = length < bounds.writes && bytes <= bounds.bytes && (key === undefined || !keys.has(key));
    if (length > 0 && !fits) break;
    if (key !== undefined) keys.add(key);
    length++;
  }
  return length;
}

/** The changes that `writes`, in their order, make together. `isChecked`: see {@link Batch}. */
export function formBatch(writes: readonly RunWrite[], isChecked = false): Batch {
  const runs = new Map<RunId, BatchRun>();
  const heads = new Map<RunId, BatchHead>();
  const rows: OpenRow[] = [];
  const lastRow = new Map<RunId, OpenRow>();
  const timers = new TimerChanges();
  const snapshots = new Map<RunId, BatchSnapshot>();
  for (const write of writes) {
    addHead(write, runs, heads);
    if (write.entryCount > 0) addRow(write, rows, lastRow);
    if (write.snapshot !== undefined) snapshots.set(write.runId, snapshotOf(write, write.snapshot));
    for (const timer of write.timersSet ?? []) timers.set(timer);
    for (const timer of write.timersCleared ?? []) timers.clear(timer);
  }
  return {
    runs: [...runs.values()],
    rows,
    heads: [...heads.values()],
    snapshots: [...snapshots.values()],
    payloads: writes.flatMap(payloadsOf),
    timersSet: timers.added(),
    timersCleared: timers.removed(),
    keys: keysOf(runs.values()),
    isChecked,
  };
}

interface OpenRow extends BatchRow {
  entryCount: number;
  readonly parts: Uint8Array[];
}

function payloadsOf({ runId, payloads = [] }: RunWrite): readonly BatchPayload[] {
  return payloads.map((payload) => ({ runId, ...payload }));
}

function snapshotOf({ runId, firstSeq, entryCount }: RunWrite, state: Uint8Array): BatchSnapshot {
  return { runId, seq: firstSeq + entryCount - 1, state };
}

function addHead(write: RunWrite, runs: Map<RunId, BatchRun>, heads: Map<RunId, BatchHead>): void {
  const { runId, create, head } = write;
  if (head === undefined) return;
  const created = runs.get(runId);
  if (create !== undefined) runs.set(runId, { runId, run: create, head });
  else if (created !== undefined) runs.set(runId, { ...created, head });
  else heads.set(runId, { runId, head });
}

function addRow(write: RunWrite, rows: OpenRow[], lastRow: Map<RunId, OpenRow>): void {
  const { runId, firstSeq, entryCount, entries } = write;
  const row = lastRow.get(runId);
  if (row !== undefined && row.firstSeq + row.entryCount === firstSeq) {
    row.entryCount += entryCount;
    row.parts.push(entries);
    return;
  }
  const next: OpenRow = { runId, firstSeq, entryCount, parts: [entries] };
  rows.push(next);
  lastRow.set(runId, next);
}

/** Setting and clearing one and the same timer undo each other, in either order. */
class TimerChanges {
  readonly #added = new Map<string, RunTimer>();
  readonly #removed = new Map<string, RunTimer>();

  set(timer: RunTimer): void {
    const name = nameOf(timer);
    if (!this.#removed.delete(name)) this.#added.set(name, timer);
  }

  clear(timer: RunTimer): void {
    const name = nameOf(timer);
    if (!this.#added.delete(name)) this.#removed.set(name, timer);
  }

  added(): readonly RunTimer[] {
    return [...this.#added.values()];
  }

  removed(): readonly RunTimer[] {
    return [...this.#removed.values()];
  }
}

function nameOf({ runId, timer, dueAtMs }: RunTimer): string {
  return `${runId}/${timer}/${dueAtMs}`;
}

function keysOf(runs: Iterable<BatchRun>): readonly BatchKey[] {
  const keys: BatchKey[] = [];
  for (const { runId, run } of runs) if (run.idempotencyKey !== undefined) keys.push({ key: run.idempotencyKey, runId });
  return keys.sort((a, b) => (a.key < b.key ? -1 : 1));
}
