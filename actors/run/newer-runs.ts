/**
 * The runs of a node that only a newer version of the program can read: they wait, as they are, for a node of that version to own them. Nothing is wrong with
 * them, so the wake-up auditor leaves them out; an operator is told of each once, and how many there are.
 */
import type { EventHub } from "../../runtime/events.ts";
import { type RunId, shardOf } from "../../runtime/ids.ts";
import { LIMITS } from "../../runtime/limits.ts";
import type { ShardSet } from "../../runtime/storage/shard-set.ts";

/** Those of one node, as far as it has tried to read them. */
export class NewerRuns {
  readonly #events: EventHub;
  readonly #runs = new Set<RunId>();
  /** Those that were told of. A run may leave this node and come back. */
  readonly #told = new Set<RunId>();

  constructor(events: EventHub) {
    this.#events = events;
  }

  /** How many there are. */
  get size(): number {
    return this.#runs.size;
  }

  /** True if the run is one of them. */
  has(runId: RunId): boolean {
    return this.#runs.has(runId);
  }

  /** A run could not be read because it is for a newer version. */
  add(runId: RunId): void {
    this.#runs.add(runId);
    if (this.#told.has(runId)) return;
    // Of so many, being told of one again is no harm.
    if (this.#told.size === LIMITS.residentRuns) this.#told.clear();
    this.#told.add(runId);
    this.#events.emit("run.leftToNewer", { runId });
  }

  /** Shards were handed over: their runs are others' concern. */
  leave(shards: ShardSet): void {
    for (const runId of this.#runs) if (shards.has(shardOf(runId))) this.#runs.delete(runId);
  }
}
