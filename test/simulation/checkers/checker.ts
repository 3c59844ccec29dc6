/**
 * What a checker of the simulation is given, and what it says.
 */

import type { RunView } from "../../../actors/runs.ts";
import type { RunId } from "../../../runtime/ids.ts";
import type { StoredMessage } from "../../../runtime/stream/stream.ts";
import type { Evidence } from "../../chaos/evidence.ts";
import type { CommittedRow, Database } from "../database.ts";
import type { Crowd, Execution } from "../execution-log.ts";
import type { Order } from "../order.ts";

/** What the world was like at its end, and what had happened in it. */
export interface Findable {
  /** True: everything was healed long ago, so nothing may be under way any more. */
  readonly isFinal: boolean;
  readonly orders: readonly Order[];
  readonly database: Database;
  /** Every row, in the order of the commits. */
  readonly committed: readonly CommittedRow[];
  /** The store, read once more from the beginning. */
  readonly stored: Evidence;
  readonly executions: readonly Execution[];
  /** Moments in which several attempts of a concurrency key were executed. */
  readonly crowds: readonly Crowd[];
  readonly events: readonly StoredMessage[];
  /** How far the wall clocks of two nodes, or of a node and the store, were apart at most, in milliseconds. */
  readonly skewMs: number;
  /** How runs were shown at the end, to whoever asked any node. */
  readonly views: ReadonlyMap<RunId, RunView>;
  /** Runs that an auditor of a node found without anything to wake them. */
  readonly withoutWakeup: readonly string[];
  /** Promises that were rejected with nobody to hear of it, and errors that no actor should meet. */
  readonly broken: readonly string[];
}

/** One violation. */
export interface Finding {
  /** A sentence. */
  readonly sentence: string;
  /** The runs, shards or clients that it is about, as they stand in the trace. */
  readonly about: readonly string[];
}

/** Judges one invariant. */
export type Checker = (world: Findable) => readonly Finding[];

/** A finding about some things. */
export function finding(sentence: string, ...about: readonly string[]): Finding {
  return { sentence, about };
}
