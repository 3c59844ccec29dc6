/**
 * A node as a row of a table. Pure.
 */
import { describeDuration } from "./terminal.ts";
import { type ClusterNode, isMember, millisecondsOf, nodeStateName, roleNames, secondOf, spanMsOf } from "./wire.ts";

/** Headings over {@link nodeRow}. */
export const NODE_HEADINGS = ["NODE", "STATE", "ROLES", "SHARDS", "LOAD", "VERSION", "ADDRESS", "STARTED", "BOOT"] as const;

/** The cells of a node. `nowMs`: milliseconds since the epoch, for how long ago it ended. */
export function nodeRow(node: ClusterNode, nowMs: number): readonly string[] {
  const { name, shards, load, version, grpcAddress, startedAt, bootId } = node;
  const shownLoad = isMember(node) ? percent(load) : "-";
  const state = describeState(node, nowMs);
  return [name, state, roleNames(node).join(","), String(shards), shownLoad, version, grpcAddress, secondOf(startedAt), bootId];
}

/** The state of a member, and for how long it is not well: `live`, `silent 1.8 s`, `draining, silent 1.8 s`. */
export function describeMember(node: ClusterNode): string {
  const { silentFor, leaseLeft } = node;
  const state = nodeStateName(node);
  if (silentFor !== undefined) return `${state === "live" ? "" : `${state}, `}silent ${describeDuration(spanMsOf(silentFor))}`;
  return spanMsOf(leaseLeft) === 0 ? `${state}, lease over` : state;
}

function describeState(node: ClusterNode, nowMs: number): string {
  if (isMember(node)) return describeMember(node);
  const state = nodeStateName(node);
  // The time is the store's, whose clock may be ahead of ours.
  return node.endedAt === undefined ? state : `${state} ${describeDuration(Math.max(0, nowMs - millisecondsOf(node.endedAt)))} ago`;
}

/** A share of 1 as tables show it. */
export function percent(share: number): string {
  return `${Math.round(share * 100)}%`;
}
