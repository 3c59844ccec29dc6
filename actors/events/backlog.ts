/**
 * Shards whose events are to be read from the journal, and from when on. What comes while one pass is under way is for the next. And shards that stay in debt
 * although they are live: what they owe only a newer version of the program can read.
 */
import type { Shard } from "../../runtime/ids.ts";
import type { EventDebt, PublishMark } from "../../runtime/storage/event-checkpoints.ts";
import { ShardSet } from "../../runtime/storage/shard-set.ts";

/** What one pass is about. */
export interface PassPlan extends EventDebt {
  /** Some of it was committed by this boot. */
  readonly isOwn: boolean;
}

/** The backlog of one node. */
export class Backlog {
  readonly #shards = new Set<Shard>();
  readonly #tooNew = new Set<Shard>();
  #since: PublishMark | undefined;
  #isOwn = false;
  #isPassOwn = false;

  /** True if nothing waits for a pass. */
  get isEmpty(): boolean {
    return this.#shards.size === 0;
  }

  /** True if something that this boot committed waits, or is in the pass that is under way. */
  get isOwn(): boolean {
    return this.#isOwn || this.#isPassOwn;
  }

  /** Shards that are missing what was committed since a mark. */
  add(shards: ReadonlySet<Shard>, since: PublishMark, isOwn: boolean): void {
    if (shards.size === 0) return;
    for (const shard of shards) this.#shards.add(shard);
    this.#since = this.#since === undefined ? since : earlier(this.#since, since);
    this.#isOwn ||= isOwn;
  }

  /** True if a newer node has something to publish, once it owns the shard. */
  get owesToNewer(): boolean {
    return this.#tooNew.size > 0;
  }

  /** A pass has looked at `shards`; `tooNew` are those of them that it could not publish all of. */
  looked(shards: ShardSet, tooNew: ReadonlySet<Shard>): void {
    for (const shard of shards) this.#tooNew.delete(shard);
    for (const shard of tooNew) this.#tooNew.add(shard);
  }

  /** Those of some shards that owe nothing to a newer node. */
  payable(shards: Iterable<Shard>): ShardSet {
    return ShardSet.of([...shards].filter((shard) => !this.#tooNew.has(shard)));
  }

  /** Shards that are on another node now. */
  remove(shards: ReadonlySet<Shard>): void {
    for (const shard of shards) {
      this.#shards.delete(shard);
      this.#tooNew.delete(shard);
    }
    if (this.isEmpty) this.#clear();
  }

  /** A pass begins: all that waits is for it. */
  begin(): PassPlan {
    const plan = { shards: ShardSet.of(this.#shards), since: this.#since ?? { committedAt: "", entriesFromMs: 0 }, isOwn: this.#isOwn };
    this.#isPassOwn = this.#isOwn;
    this.#clear();
    return plan;
  }

  /** The pass has ended; what it could not do was added again. */
  ended(): void {
    this.#isPassOwn = false;
  }

  #clear(): void {
    this.#shards.clear();
    this.#since = undefined;
    this.#isOwn = false;
  }
}

/** The lesser of two marks, which may be of different boots. */
function earlier(a: PublishMark, b: PublishMark): PublishMark {
  const first = Date.parse(a.committedAt) < Date.parse(b.committedAt) ? a : b;
  return { committedAt: first.committedAt, entriesFromMs: Math.min(a.entriesFromMs, b.entriesFromMs) };
}
