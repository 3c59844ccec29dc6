/**
 * Everything that can go wrong in a simulated world, each kind with a level of its own that is drawn for the seed. Many seeds have many kinds, some
 * have only one: what hides behind the noise of the others shows there.
 */
import { crc32 } from "node:zlib";
import { type Random, seededRandom } from "../../runtime/random.ts";

/** The kinds. */
export const FAULT_KINDS = [
  ...(["loss", "delay", "duplication", "reordering", "partition", "oneWayPartition", "busDown", "busFreeze"] as const),
  ...(["requestLost", "answerLost", "lateCall", "refusal", "slowStore", "stall", "failover"] as const),
  ...(["crash", "crashInside", "pause", "usurper", "restart", "rollingRestart"] as const),
  ...(["wallJump", "drift"] as const),
  ...(["slowTask", "lostTask", "stubbornTask", "poison"] as const),
  ...(["eventAckLost", "eventRefused", "streamDown"] as const),
] as const;

/** One kind. */
export type FaultKind = (typeof FAULT_KINDS)[number];

/** Share of the seeds that have one kind only, and of the kinds that other seeds have. */
const LONELY_SHARE = 0.2;
const KINDS_SHARE = 0.45;
const LEVEL_MIN = 0.1;
/** A kind that is alone is there in earnest. */
const LONELY_MIN = 0.6;

/** Chance for one purpose of one seed: what one purpose draws does not change what another one is given. */
export function randomFor(seed: number, purpose: string): Random {
  return seededRandom(crc32(purpose, seed));
}

/** True with a chance from 0 to 1. */
export function happens(random: Random, chance: number): boolean {
  return chance > 0 && random.fraction() < chance;
}

/** A number from `least` to `most`. */
export function between(random: Random, least: number, most: number): number {
  return least + random.fraction() * (most - least);
}

/** One of these. */
export function pick<T>(random: Random, from: readonly T[]): T {
  return from[random.uint32() % from.length] as T;
}

/** How much there is of each kind: 0 none, 1 very much. */
export type FaultLevels = Readonly<Record<FaultKind, number>>;

/** The levels of a seed, without some kinds. */
export function faultLevels(seed: number, without: readonly FaultKind[] = []): FaultLevels {
  const random = randomFor(seed, "levels");
  const only = happens(random, LONELY_SHARE) ? pick(random, FAULT_KINDS) : undefined;
  const levels = FAULT_KINDS.map((kind) => {
    const isDrawn = happens(random, KINDS_SHARE);
    const level = between(random, only === undefined ? LEVEL_MIN : LONELY_MIN, 1);
    const isThere = (only === undefined ? isDrawn : kind === only) && !without.includes(kind);
    return [kind, isThere ? level : 0] as const;
  });
  return Object.fromEntries(levels) as FaultLevels;
}

/** The faults of one world while they last; and how many there were of each kind. */
export class Faults {
  readonly #levels: FaultLevels;
  readonly #random: Random;
  readonly counts = new Map<FaultKind, number>();
  #isOver = false;

  constructor(levels: FaultLevels, random: Random) {
    this.#levels = levels;
    this.#random = random;
  }

  /** The level of a kind; 0 once all is healed. */
  level(kind: FaultKind): number {
    return this.#isOver ? 0 : this.#levels[kind];
  }

  /** Draws whether something of a kind happens now; `most`: its chance at the highest level. */
  strikes(kind: FaultKind, most: number): boolean {
    const doesStrike = happens(this.#random, this.level(kind) * most);
    if (doesStrike) this.note(kind);
    return doesStrike;
  }

  /** One more of a kind. */
  note(kind: FaultKind): void {
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1);
  }

  /** How many there were. */
  get total(): number {
    return [...this.counts.values()].reduce((sum, count) => sum + count, 0);
  }

  /** From now on nothing goes wrong. */
  end(): void {
    this.#isOver = true;
  }
}
