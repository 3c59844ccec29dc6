/**
 * What a node does next so that, if all nodes do so, every shard comes to the node that it belongs to. Pure, and the whole of it: from the cluster as it
 * was seen, what this node holds and the time follow the actions. No action hangs on a message having arrived, and each may be done twice.
 *
 * Nodes may see different moments of the cluster and act on them: the ownership table refuses what is not so any more, and the next look corrects it.
 */
import { type BootId, SHARD_COUNT, type Shard } from "../ids.ts";
import { type ClusterNode, type ClusterView, isMember } from "./cluster-view.ts";
import { Placement } from "./placement.ts";

/** Something to do. */
export type ClusterAction =
  /** Take over a boot whose lease has ended. */
  | { readonly kind: "fence"; readonly bootId: BootId }
  /** Take shards that are free, or that are this node's by a call whose answer was lost. */
  | { readonly kind: "acquire"; readonly shards: readonly Shard[] }
  /** Hand a group of shards over: stop what runs there, flush, give it up. */
  | { readonly kind: "release"; readonly shards: readonly Shard[] };

/** How quickly shards move. */
export interface ConvergencePace {
  /**
   * Shards that one node hands over at a time. Their runs stand still meanwhile, but changes of ownership take turns: many small groups stand still
   * for longer.
   */
  readonly releasesAtOnce: number;
  /** How long a free shard waits for the node that it belongs to before any node takes it, in milliseconds. */
  readonly graceMs: number;
  /** How long a shard that was taken so is kept from the node that did not want it, in milliseconds. */
  readonly adoptedMs: number;
}

/** The pace of the product. */
export const CONVERGENCE_PACE: ConvergencePace = { releasesAtOnce: 128, graceMs: 3_000, adoptedMs: 60_000 };

/** What this node has of a shard: nothing; `held`: it acts for it; `leaving`: it is handing it over. */
export type Holding = "none" | "held" | "leaving";

/** What is known at one moment. */
export interface Situation {
  readonly view: ClusterView;
  readonly self: BootId;
  holdingOf(shard: Shard): Holding;
  /** Members other than this one whose leases have ended. */
  readonly expired: readonly BootId[];
  /** This node is about to end: it takes nothing, whatever the others do. Default false. */
  readonly isLeaving?: boolean;
  /** Milliseconds on the monotonic clock. */
  readonly nowMs: number;
}

/** What is remembered from one look to the next. */
export interface ConvergenceMemory {
  readonly placement: Placement;
  /** Free shards of other nodes, and since when they are seen to be free. */
  readonly freeSinceMs: ReadonlyMap<Shard, number>;
  /** Shards that were taken because nobody did, and when that was. */
  readonly adoptedAtMs: ReadonlyMap<Shard, number>;
}

/** What a node remembers that has not looked yet. */
export const NOTHING_SEEN: ConvergenceMemory = { placement: new Placement([]), freeSinceMs: new Map(), adoptedAtMs: new Map() };

/** What to do now, and what to remember. Without actions there is nothing to do until something changes. */
export function converge(
  situation: Situation,
  memory: ConvergenceMemory,
  pace: ConvergencePace,
): { readonly actions: readonly ClusterAction[]; readonly memory: ConvergenceMemory } {
  const { view, self, expired, isLeaving = false } = situation;
  const own = view.nodes.find(({ bootId, state }) => bootId === self && isMember(state));
  const fences = expired.filter((bootId) => bootId !== self).map((bootId): ClusterAction => ({ kind: "fence", bootId }));
  if (own === undefined) return { actions: fences, memory };
  const hosts = hostsOf(situation);
  const placement = placementOf(hosts, memory.placement);
  const isHost = !isLeaving && hosts.includes(own);
  const survey = surveyOf(situation);
  const isHome = (shard: Shard): boolean => placement.ownerOf(shard) === own.nodeName;
  const taken = isHost ? shardsToTake(survey, situation.nowMs, memory, isHome, pace) : { ...NOTHING_SEEN, shards: survey.unknown };
  const leaving = shardsToLeave(survey, taken.adoptedAtMs, (shard) => isHost && isHome(shard), pace);
  const acquires: ClusterAction[] = taken.shards.length === 0 ? [] : [{ kind: "acquire", shards: taken.shards }];
  const releases: ClusterAction[] = leaving.length === 0 ? [] : [{ kind: "release", shards: leaving }];
  return {
    actions: [...fences, ...acquires, ...releases],
    memory: { placement, freeSinceMs: taken.freeSinceMs, adoptedAtMs: taken.adoptedAtMs },
  };
}

/** The engines that shards belong to: those that are there to stay. If all of these are lost, draining ones are better than none. */
function hostsOf({ view, expired }: Situation): readonly ClusterNode[] {
  const engines = (among: ClusterNode["state"]): readonly ClusterNode[] =>
    view.nodes.filter(({ state, roles, bootId }) => state === among && roles.includes("engine") && !expired.includes(bootId));
  const live = engines("live");
  return live.length > 0 ? live : engines("draining");
}

/** The placement over these nodes; the one before if they are the same. */
function placementOf(hosts: readonly ClusterNode[], before: Placement): Placement {
  const names = hosts.map(({ nodeName }) => nodeName).sort();
  const isSame = names.length === before.nodeNames.length && names.every((name, index) => name === before.nodeNames[index]);
  return isSame ? before : new Placement(names);
}

/** All shards, as far as something may have to be done for them. */
interface Survey {
  /** This node's in the table without its knowledge: the answer to a call was lost. They are taken again, if only to be given up. */
  readonly unknown: readonly Shard[];
  /** Nobody's. */
  readonly free: readonly Shard[];
  /** This node acts for them. */
  readonly held: readonly Shard[];
  /** How many are being handed over. */
  readonly leaving: number;
}

/** Looks at every shard once. */
function surveyOf({ view, self, holdingOf }: Situation): Survey {
  const unknown: Shard[] = [];
  const free: Shard[] = [];
  const held: Shard[] = [];
  let leaving = 0;
  for (let shard = 0; shard < SHARD_COUNT; shard++) {
    const holding = holdingOf(shard);
    if (holding === "held") held.push(shard);
    else if (holding === "leaving") leaving++;
    else {
      const owner = view.ownerOf(shard);
      if (owner === undefined) free.push(shard);
      else if (owner === self) unknown.push(shard);
    }
  }
  return { unknown, free, held, leaving };
}

/** Free shards that belong here or that nobody took in time, and those without this node's knowledge. */
function shardsToTake(
  { unknown, free }: Survey,
  nowMs: number,
  memory: ConvergenceMemory,
  isHome: (shard: Shard) => boolean,
  { graceMs, adoptedMs }: ConvergencePace,
): { readonly shards: readonly Shard[] } & Pick<ConvergenceMemory, "freeSinceMs" | "adoptedAtMs"> {
  const shards = [...unknown];
  const freeSinceMs = new Map<Shard, number>();
  const adoptedAtMs = new Map([...memory.adoptedAtMs].filter(([, atMs]) => nowMs - atMs < adoptedMs));
  for (const shard of free) {
    if (isHome(shard)) {
      shards.push(shard);
      continue;
    }
    const sinceMs = memory.freeSinceMs.get(shard) ?? nowMs;
    freeSinceMs.set(shard, sinceMs);
    if (nowMs - sinceMs < graceMs) continue;
    shards.push(shard);
    adoptedAtMs.set(shard, nowMs);
  }
  return { shards, freeSinceMs, adoptedAtMs };
}

/** Shards that are to be handed over now, the lowest first, as many as the pace allows beside those that are leaving already. */
function shardsToLeave(
  { held, leaving }: Survey,
  adoptedAtMs: ReadonlyMap<Shard, number>,
  staysHere: (shard: Shard) => boolean,
  { releasesAtOnce }: ConvergencePace,
): readonly Shard[] {
  const shards: Shard[] = [];
  for (const shard of held) {
    if (shards.length >= releasesAtOnce - leaving) break;
    if (!staysHere(shard) && !adoptedAtMs.has(shard)) shards.push(shard);
  }
  return shards;
}
