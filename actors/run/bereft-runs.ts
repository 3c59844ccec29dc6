/**
 * The runs of nodes that were lost, until each has stored that its attempts went down with its node. Runs are marked before their shard is served, so that
 * nothing loads them unmarked. Where they could not be listed, each run of the shard counts as marked until it was loaded once.
 */
import { type RunId, type Shard, shardOf } from "../../runtime/ids.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { ShardSet } from "../../runtime/storage/shard-set.ts";
import type { TaskSlot } from "../../runtime/storage/task-slots.ts";
import { attemptIdOf } from "./attempt-id.ts";

/** The marks of one node. */
export class BereftRuns {
  readonly #marked = new Set<RunId>();
  /** Lost shards whose runs could not be listed. */
  readonly #unlisted = new Set<Shard>();
  /** Runs of those that need no mark any more. */
  readonly #settled = new Set<RunId>();
  /** Attempts of lost shards that had a slot of a concurrency key when the shard came. */
  readonly #withSlot = new Map<Shard, Set<string>>();

  /** True if the run has still to store that its attempts went down with an earlier node. */
  has(runId: RunId): boolean {
    return this.#marked.has(runId) || (this.#unlisted.has(shardOf(runId)) && !this.#settled.has(runId));
  }

  /** Notes which attempts of the runs of lost shards have slots of concurrency keys: only these can have begun, of those that need one. */
  noteSlots(shards: Iterable<Shard>, slots: Iterable<TaskSlot>): void {
    for (const shard of shards) this.#withSlot.set(shard, new Set());
    for (const slot of slots) this.#withSlot.get(shardOf(slot.runId))?.add(attemptIdOf(slot));
  }

  /** False if it is known that the attempt of a marked run had no slot when its shard came. */
  mayHaveSlot(attemptId: string): boolean {
    return this.#withSlot.get(shardOf(attemptId as RunId))?.has(attemptId) ?? true;
  }

  /** Marks a run. */
  add(runId: RunId): void {
    this.#marked.add(runId);
  }

  /** Marks all runs of shards, whichever they are. */
  addAllOf(shards: Iterable<Shard>): void {
    for (const shard of shards) this.#unlisted.add(shard);
  }

  /** The run has stored it, or has nothing to store. */
  delete(runId: RunId): void {
    this.#marked.delete(runId);
    if (!this.#unlisted.has(shardOf(runId))) return;
    this.#settled.add(runId);
    if (this.#settled.size <= LIMITS.residentRuns) return;
    // So many were loaded since that those with work ready are among them: the auditor has brought them back.
    this.#unlisted.clear();
    this.#settled.clear();
  }

  /** True if there are marked runs but for these. */
  hasMoreThan(others: ReadonlySet<string>): boolean {
    return this.#unlisted.size > 0 || [...this.#marked].some((runId) => !others.has(runId));
  }

  /** Forgets the runs of shards, and answers in which of these there were any but for these. */
  take(shards: ShardSet, others: ReadonlySet<string>): ShardSet {
    const taken: Shard[] = [];
    for (const runId of this.#marked) {
      if (!shards.has(shardOf(runId))) continue;
      this.#marked.delete(runId);
      if (!others.has(runId)) taken.push(shardOf(runId));
    }
    for (const shard of shards) if (this.#unlisted.delete(shard)) taken.push(shard);
    for (const shard of shards) this.#withSlot.delete(shard);
    for (const runId of this.#settled) if (shards.has(shardOf(runId))) this.#settled.delete(runId);
    return ShardSet.of(taken);
  }
}
