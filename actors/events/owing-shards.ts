/**
 * Shards whose events are to be read from the journal, and from when on. What comes while one pass is under way is for the next. And shards that stay in debt
 * although they are live: what they owe only a newer version of the program can read.
 */
import type { Shard } from "../../runtime/ids.ts";
import type { EventDebt, PublishMark } from "../../runtime/storage/event-checkpoints.ts";
import { ShardSet } from "../../runtime/storage/shard-set.ts";

/** Those of one node. */
export class OwingShards {
  readonly #shards = new Set<Shard>();
  readonly #tooNew = new Set<Shard>();
  #since: PublishMark | undefined;
  #isPassing = false;

  /** True if nothing waits for a pass. */
  get isEmpty(): boolean {
    return this.#shards.size === 0;
  }

  /**
   * True while something waits, or is in the pass that is under way. What this boot commits of such a shard is noted nowhere else, so its own mark
   * must stay, also where it was an earlier owner who left the debt: a pass that fails drops what it held, though it may have paid that debt.
   */
  get isOwing(): boolean {
    return this.#isPassing || !this.isEmpty;
  }

  /** Shards that are missing what was committed since a mark. */
  add(shards: ReadonlySet<Shard>, since: PublishMark): void {
    if (shards.size === 0) return;
    for (const shard of shards) this.#shards.add(shard);
    this.#since = this.#since === undefined ? since : earlier(this.#since, since);
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
  begin(): EventDebt {
    const plan = { shards: ShardSet.of(this.#shards), since: this.#since ?? { committedAt: "", entriesFromMs: 0 } };
    this.#isPassing = true;
    this.#clear();
    return plan;
  }

  /** The pass has ended; what it could not do was added again. */
  ended(): void {
    this.#isPassing = false;
  }

  #clear(): void {
    this.#shards.clear();
    this.#since = undefined;
  }
}

/** The lesser of two marks, which may be of different boots. */
function earlier(a: PublishMark, b: PublishMark): PublishMark {
  const first = Date.parse(a.committedAt) < Date.parse(b.committedAt) ? a : b;
  return { committedAt: first.committedAt, entriesFromMs: Math.min(a.entriesFromMs, b.entriesFromMs) };
}
