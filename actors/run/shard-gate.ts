/**
 * Which shards this node serves now. The one place that the parts of a node ask before they do anything for a run; who opens and closes is `shard-keeper.ts`.
 *
 * A shard's states here: elsewhere -> served -> leaving -> elsewhere. While it is being left no call begins for its runs, and what they have under way is
 * still written.
 */
import { MaestroError } from "../../runtime/errors.ts";
import { type RunId, type Shard, shardOf } from "../../runtime/ids.ts";
import { ChangingShards, type ServedShards } from "./served-shards.ts";

/** The shards of one node. */
export class ShardGate {
  readonly #served = new ChangingShards();
  /** Shards that are being left, and when they are. */
  readonly #leaving = new Map<Shard, Promise<void>>();

  /** The shards whose runs take calls, timers and tasks. */
  get served(): ServedShards {
    return this.#served;
  }

  /** How many shards are served. */
  get size(): number {
    return this.#served.size;
  }

  /** One of the served shards, by its place in their order, from 0; undefined beyond the last. */
  at(place: number): Shard | undefined {
    return this.#served.at(place);
  }

  /** True if calls for the run are served here. */
  serves(runId: RunId): boolean {
    return this.#served.has(shardOf(runId));
  }

  /** When a shard that is being left has been left; undefined for all others. */
  whenLeft(shard: Shard): Promise<void> | undefined {
    return this.#leaving.get(shard);
  }

  /** Serves shards from now on. */
  open(shards: Iterable<Shard>): void {
    this.#served.add(shards);
  }

  /** Serves shards no more. `left`: see {@link whenLeft}. */
  leave(shards: Iterable<Shard>, left: Promise<void>): void {
    this.#served.delete(shards);
    for (const shard of shards) this.#leaving.set(shard, left);
  }

  /** The shards have been left. */
  left(shards: Iterable<Shard>): void {
    for (const shard of shards) this.#leaving.delete(shard);
  }
}

/** What a call is answered whose run is, or is about to be, on another node. It never reaches a client: whoever routes calls tries there. */
export function moved(runId: RunId): MaestroError {
  return new MaestroError("SHARD_MOVED", { facts: { runId, shard: shardOf(runId) } });
}

/** What a call is answered whose actor stops under it. */
export function stopped(gate: ShardGate, runId: RunId): MaestroError {
  return gate.serves(runId) ? new MaestroError("NODE_STOPPING", { facts: { runId } }) : moved(runId);
}

/**
 * What is answered if the journal refused a write because the run is another node's; undefined for other errors. It names the run, so that whoever
 * asks there begins no other.
 */
export function elsewhere(runId: RunId, error: unknown): MaestroError | undefined {
  const isElsewhere = error instanceof MaestroError && (error.code === "JOURNAL_FENCED" || error.code === "SHARD_MOVED");
  return isElsewhere ? moved(runId) : undefined;
}
