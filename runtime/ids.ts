/**
 * Identifiers: what they look like, and how to make and read them. A run's id carries its shard, so that whoever sees an id knows,
 * without asking anyone, where the run belongs.
 *
 * The layout of a run id is a disk and wire format and must not change: UUID version 7 (RFC 9562), whose 48 bits of time are the run's
 * creation in milliseconds, and whose 12 bits of `rand_a` are its shard.
 */
import type { Random } from "./random.ts";

/** Number of virtual shards. Part of the run id's format: 12 bits. */
export const SHARD_COUNT = 4096;

/** Identifier of a run: a lower-case UUID version 7 with the shard in its `rand_a` bits. */
export type RunId = string & { readonly __brand: "RunId" };

/** Number of a virtual shard, 0 to {@link SHARD_COUNT} - 1. */
export type Shard = number;

/** One incarnation of a node process. A new one is made at every start; fencing is by boot, never by node name. */
export type BootId = string & { readonly __brand: "BootId" };

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const RUN_ID = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** True if `text` is a UUID in its usual form, lower case. */
export function isUuid(text: string): boolean {
  return UUID.test(text);
}

/** The run id that `text` spells in any case, or undefined if it is not one. */
export function parseRunId(text: string): RunId | undefined {
  const lower = text.toLowerCase();
  return RUN_ID.test(lower) ? (lower as RunId) : undefined;
}

/** A new run id on a shard. `timeMs` is milliseconds since the epoch. */
export function newRunId(shard: Shard, timeMs: number, random: Random): RunId {
  const time = timeMs.toString(16).padStart(12, "0");
  const variant = (0x8000 | (random.uint32() & 0x3fff)).toString(16);
  const tail = hex8(random.uint32()) + hex8(random.uint32()).slice(4);
  return `${time.slice(0, 8)}-${time.slice(8)}-7${hex8(shard).slice(5)}-${variant}-${tail}` as RunId;
}

/** A new random UUID (version 4): for boots, workflow versions, anything that needs no order. */
export function newUuid(random: Random): string {
  const a = hex8(random.uint32());
  const b = hex8(random.uint32());
  const c = hex8((random.uint32() & 0x3fffffff) | 0x80000000);
  const d = hex8(random.uint32());
  return `${a}-${b.slice(0, 4)}-4${b.slice(5)}-${c.slice(0, 4)}-${c.slice(4)}${d}`;
}

/** A new {@link BootId}. */
export function newBootId(random: Random): BootId {
  return newUuid(random) as BootId;
}

/** The shard of a run. */
export function shardOf(runId: RunId): Shard {
  return Number.parseInt(runId.slice(15, 18), 16);
}

/** When a run was created, in milliseconds since the epoch. */
export function timeOf(runId: RunId): number {
  return Number.parseInt(runId.slice(0, 8) + runId.slice(9, 13), 16);
}

function hex8(value: number): string {
  return (value >>> 0).toString(16).padStart(8, "0");
}
