/**
 * Who may join, and what follows for those that are there. Pure: the rules that all adapters of the ownership share.
 */
import { MaestroError } from "../errors.ts";
import type { BootId } from "../ids.ts";
import { type JoinRequest, NODE_ROLES, type NodeRole } from "./ownership.ts";

/** A boot that neither left nor was fenced. */
export interface Member {
  readonly bootId: BootId;
  readonly nodeName: string;
  readonly roles: readonly NodeRole[];
  readonly isAlone: boolean;
  /** When its lease ends or ended, milliseconds since the epoch. */
  readonly leaseUntilMs: number;
}

/** What a join does. */
export interface JoinPlan {
  /** Members that stay. All others are fenced. */
  readonly staying: readonly BootId[];
  /** True: the boot takes all shards. */
  readonly takesAll: boolean;
}

/** See {@link Ownership.join}. `nowMs`: by the store's clock. @throws OWNED_ELSEWHERE */
export function planJoin(members: readonly Member[], request: JoinRequest, nowMs: number): JoinPlan {
  const { nodeName, roles = NODE_ROLES, isAlone = false } = request;
  const others = members.filter((member) => member.nodeName !== nodeName);
  const live = others.filter((member) => member.leaseUntilMs > nowMs);
  const holder = live.find((member) => isAlone || member.isAlone);
  if (holder !== undefined) {
    throw new MaestroError("OWNED_ELSEWHERE", { facts: { node: holder.nodeName, until: new Date(holder.leaseUntilMs).toISOString() } });
  }
  // In a cluster an ended lease proves nothing by itself: the store may have been away for all. Its members fence each other when they know more.
  const staying = others.filter((member) => live.includes(member) || !(isAlone || member.isAlone));
  const takesAll = roles.includes("engine") && !staying.some((member) => member.roles.includes("engine"));
  return { staying: staying.map(({ bootId }) => bootId), takesAll };
}
