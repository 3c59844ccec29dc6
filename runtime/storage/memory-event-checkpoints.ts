/**
 * The marks of what is published, in memory, for tests and simulation.
 */
import { type BootId, type RunId, type Shard, shardOf } from "../ids.ts";
import { type ChangedRuns, CLOCK_MARGIN_MS, type EventCheckpoints, OLDEST_DEBT_MS, type PublishMark, type TakenDebt } from "./event-checkpoints.ts";
import type { ShardEpochs } from "./held-shards.ts";
import { NIL_RUN_ID, WAKE } from "./journal.ts";
import type { MemoryStore } from "./memory-store.ts";
import { ShardSet } from "./shard-set.ts";

/** The marks. For tests. */
export class MemoryEventCheckpoints implements EventCheckpoints {
  readonly #store: MemoryStore;
  #leftMarks = 0;

  constructor(store: MemoryStore) {
    this.#store = store;
  }

  async begin(bootId: BootId, nowMs: number): Promise<PublishMark> {
    const own: PublishMark = { committedAt: await this.now(), entriesFromMs: nowMs };
    this.#store.marks.set(bootId, own);
    return own;
  }

  async debtOf(bootId: BootId, shards: ShardSet): Promise<TakenDebt> {
    const left = [...this.#store.marks].filter(([boot]) => boot !== bootId && !this.#isMember(boot)).map(([, mark]) => mark);
    const oldestMs = this.#store.clock.now() - OLDEST_DEBT_MS;
    const since = {
      committedAt: new Date(Math.max(Math.min(...left.map(({ committedAt }) => Date.parse(committedAt)), 8.64e15), oldestMs)).toISOString(),
      entriesFromMs: Math.max(Math.min(...left.map(({ entriesFromMs }) => entriesFromMs)), oldestMs),
    };
    const own = this.#ownOf(bootId, shards);
    const owing = left.length === 0 ? [] : [...own.keys()].filter((shard) => this.#owes(shard, 1));
    return { shards: ShardSet.of(owing), since, foreign: ShardSet.of([...shards].filter((shard) => !own.has(shard))) };
  }

  async settle(bootId: BootId, shards: ShardEpochs): Promise<void> {
    const { marks, published } = this.#store;
    for (const [shard, epoch] of this.#tenuresOf(bootId, shards))
      if (this.#owes(shard, 1) && published.get(shard) !== -epoch) published.set(shard, epoch - 1);
    if (!this.#doesAnyOwe()) for (const boot of [...marks.keys()]) if (!this.#isMember(boot)) marks.delete(boot);
  }

  async now(): Promise<string> {
    return new Date(this.#store.clock.now()).toISOString();
  }

  async advance(bootId: BootId, mark: PublishMark): Promise<string> {
    if (this.#store.marks.has(bootId)) this.#store.marks.set(bootId, mark);
    return this.now();
  }

  async handOver(bootId: BootId, shards: ShardEpochs, since: PublishMark | undefined): Promise<void> {
    const { marks, published } = this.#store;
    for (const [shard, epoch] of this.#tenuresOf(bootId, shards)) published.set(shard, since === undefined ? epoch : -epoch);
    if (since !== undefined) marks.set(`${bootId} left ${++this.#leftMarks}` as BootId, since);
  }

  async end(bootId: BootId): Promise<void> {
    for (const [shard, epoch] of this.#ownOf(bootId, ShardSet.all)) if (!this.#owes(shard, 1)) this.#store.published.set(shard, epoch);
    this.#store.marks.delete(bootId);
  }

  async listChanged({ shards, since, isWithReady }: ChangedRuns, limit: number, after: RunId = NIL_RUN_ID): Promise<readonly RunId[]> {
    const sinceMs = Date.parse(since.committedAt) - CLOCK_MARGIN_MS;
    return [...this.#store.runs.values()]
      .filter(({ updatedAtMs, wake }) => updatedAtMs >= sinceMs || (isWithReady && (wake & WAKE.ready) !== 0))
      .map(({ runId }) => runId)
      .filter((runId) => runId > after && shards.has(shardOf(runId)))
      .sort()
      .slice(0, limit);
  }

  async close(): Promise<void> {
    // Nothing is held.
  }

  /** Those of the shards that a boot owns, with their epochs. */
  #ownOf(bootId: BootId, asked: ShardSet): ShardEpochs {
    const own = new Map<Shard, number>();
    for (const shard of asked) {
      const stored = this.#store.shards.get(shard);
      if (stored?.owner === bootId) own.set(shard, stored.epoch);
    }
    return own;
  }

  /** Those of the shards that a boot owns under the epochs named. */
  #tenuresOf(bootId: BootId, asked: ShardEpochs): ShardEpochs {
    const own = this.#ownOf(bootId, ShardSet.of(asked.keys()));
    return new Map([...asked].filter(([shard, epoch]) => own.get(shard) === epoch));
  }

  #doesAnyOwe(): boolean {
    for (const [shard, { owner }] of this.#store.shards) if (this.#owes(shard, owner !== undefined && this.#isMember(owner) ? 1 : 0)) return true;
    return false;
  }

  /** `tenures`: how many of the latest epochs do not count. */
  #owes(shard: Shard, tenures: number): boolean {
    const { shards, published } = this.#store;
    return (published.get(shard) ?? 0) < (shards.get(shard)?.epoch ?? 0) - tenures;
  }

  #isMember(bootId: BootId): boolean {
    const node = this.#store.nodes.get(bootId);
    return node !== undefined && node.end === undefined;
  }
}
