/**
 * The batch store of one lane in memory: commits whole batches to a {@link MemoryStore}, with the constraints and the fence of the real
 * tables, and with the faults that a test asks for.
 */
import type { Clock } from "../clock.ts";
import { type BootId, type RunId, shardOf, timeOf } from "../ids.ts";
import type { Batch, BatchRow } from "./batch.ts";
import type { BatchStore, Collision, Outcome } from "./batch-store.ts";
import type { HeldShards } from "./held-shards.ts";
import { journalChecksum } from "./journal-checksum.ts";
import type { MemoryFaults } from "./memory-faults.ts";
import { type MemoryRow, type MemoryStore, timerName } from "./memory-store.ts";
import { pause } from "./pause.ts";

/** What it is made from. */
export interface MemoryBatchStoreOptions {
  readonly store: MemoryStore;
  readonly bootId: BootId;
  readonly held: HeldShards;
  readonly faults: MemoryFaults;
  readonly clock: Clock;
}

/** The store. */
export class MemoryBatchStore implements BatchStore {
  readonly #options: MemoryBatchStoreOptions;

  constructor(options: MemoryBatchStoreOptions) {
    this.#options = options;
  }

  async commit(batch: Batch): Promise<Outcome> {
    const { faults, clock } = this.#options;
    const { kind, delayMs = 0 } = faults.next();
    if (delayMs > 0) await pause(delayMs, clock);
    if (faults.isDown || kind === "lost") return { kind: "unknown", reason: "the batch was lost" };
    if (kind === "refused") return { kind: "refused", reason: "refused by a fault", isDuplicate: false };
    const outcome = this.#apply(batch);
    return kind === "answerLost" ? { kind: "unknown", reason: "the answer was lost" } : outcome;
  }

  async holds(batch: Batch): Promise<boolean> {
    this.#requireUp();
    const { rows, runs, timersSet } = batch;
    const { store } = this.#options;
    if (rows[0] !== undefined) return this.#holdsSame(rows[0]);
    if (runs[0] !== undefined) return store.runs.has(runs[0].runId);
    return timersSet[0] !== undefined && store.timers.has(timerName(timersSet[0]));
  }

  async findCollision(batch: Batch): Promise<Collision> {
    this.#requireUp();
    const owners = new Map<RunId, RunId>();
    for (const { key, runId } of batch.keys) {
      const owner = this.#options.store.keys.get(key);
      if (owner !== undefined && owner !== runId) owners.set(runId, owner);
    }
    if (owners.size > 0) return { kind: "keysTaken", owners };
    return batch.rows.length > 0 && batch.rows.every((row) => this.#holdsSame(row)) ? { kind: "committed" } : { kind: "other" };
  }

  async close(): Promise<void> {
    // Nothing is held.
  }

  #requireUp(): void {
    if (this.#options.faults.isDown) throw new Error("the store can't be reached");
  }

  #apply(batch: Batch): Outcome {
    const { store, bootId } = this.#options;
    if (store.nodes.get(bootId)?.isFenced !== false) return { kind: "fenced" };
    const duplicate = this.#findDuplicate(batch);
    if (duplicate !== undefined) return { kind: "refused", reason: `${duplicate} is there already`, isDuplicate: true };
    const unfit = findUnfit(batch) ?? this.#findGap(batch);
    if (unfit !== undefined) return { kind: "refused", reason: unfit, isDuplicate: false };
    for (const { key, runId } of batch.keys) store.keys.set(key, runId);
    this.#applyHeads(batch);
    for (const row of batch.rows) this.#insertRow(row);
    for (const { runId, seq, state } of batch.snapshots) {
      const checksum = journalChecksum(runId, seq, 0, [state]);
      store.snapshots.set(runId, [{ seq, state, checksum }, ...(store.snapshots.get(runId) ?? [])]);
    }
    for (const { runId, seq, place, ...payload } of batch.payloads) {
      store.payloads.set(`${runId}/${seq}/${place}`, { ...payload, checksum: journalChecksum(runId, seq, place, [payload.bytes]) });
    }
    for (const timer of batch.timersSet) store.timers.set(timerName(timer), timer);
    for (const timer of batch.timersCleared) store.timers.delete(timerName(timer));
    return { kind: "committed" };
  }

  #findDuplicate({ keys, runs, rows, timersSet }: Batch): string | undefined {
    const { store } = this.#options;
    if (keys.some(({ key }) => store.keys.has(key))) return "an idempotency key";
    if (runs.some(({ runId }) => store.runs.has(runId))) return "a run";
    if (rows.some((row) => this.#find(row) !== undefined)) return "a journal row";
    return timersSet.some((timer) => store.timers.has(timerName(timer))) ? "a timer" : undefined;
  }

  #findGap({ isChecked, rows }: Batch): string | undefined {
    const endBefore = ({ runId, firstSeq }: BatchRow): number => {
      const last = this.#options.store.rows.get(runId)?.findLast((row) => row.firstSeq < firstSeq);
      return last === undefined ? 1 : last.firstSeq + last.entryCount;
    };
    return isChecked && rows.some((row) => endBefore(row) !== row.firstSeq) ? "a history would have a gap" : undefined;
  }

  #applyHeads({ runs, heads }: Batch): void {
    const { store } = this.#options;
    const updatedAtMs = store.clock.now();
    for (const { runId, run, head } of runs) {
      const { workflowId, userId, labels } = run;
      store.runs.set(runId, { runId, workflowId, userId, labels, createdAtMs: timeOf(runId), updatedAtMs, ...head });
    }
    for (const { runId, head } of heads) {
      const run = store.runs.get(runId);
      if (run === undefined) continue;
      const { workflowId, userId, labels, createdAtMs } = run;
      store.runs.set(runId, { runId, workflowId, userId, labels, createdAtMs, updatedAtMs, ...head });
    }
  }

  #insertRow({ runId, firstSeq, entryCount, parts }: BatchRow): void {
    const { store, held } = this.#options;
    const rows = store.rows.get(runId) ?? [];
    store.rows.set(runId, rows);
    const checksum = journalChecksum(runId, firstSeq, entryCount, parts);
    rows.push({ firstSeq, entryCount, entries: Buffer.concat(parts), checksum, epoch: held.epochOf(shardOf(runId)) });
    rows.sort((a, b) => a.firstSeq - b.firstSeq);
  }

  #find({ runId, firstSeq }: BatchRow): MemoryRow | undefined {
    return this.#options.store.rows.get(runId)?.find((row) => row.firstSeq === firstSeq);
  }

  #holdsSame(row: BatchRow): boolean {
    const found = this.#find(row);
    return found !== undefined && found.epoch === this.#options.held.epochOf(shardOf(row.runId)) && Buffer.concat(row.parts).equals(found.entries);
  }
}

/** What PostgreSQL would refuse: a number that its column can't hold, or a text with the character zero. */
function findUnfit({ runs, heads }: Batch): string | undefined {
  if ([...runs, ...heads].some(({ head }) => head.wake > SMALLINT_MAX)) return "wake is out of range";
  const texts = runs.flatMap(({ run }) => [run.userId, ...Object.entries(run.labels).flat()]);
  return texts.some((text) => text.includes("\0")) ? "a text holds the character zero" : undefined;
}

const SMALLINT_MAX = 32_767;
