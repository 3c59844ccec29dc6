/**
 * The port for chance. Nothing else in the product draws random numbers, so that a whole node can run from a seed.
 */
import { randomFillSync } from "node:crypto";

/** A source of uniformly distributed numbers. */
export interface Random {
  /** An integer from 0 to 2^32 - 1. */
  uint32(): number;
  /** A number from 0 (included) to 1 (excluded). */
  fraction(): number;
}

/** Chance from the operating system, drawn in blocks because a system call for each number would show in profiles. */
export function systemRandom(): Random {
  const block = new Uint32Array(1024);
  let next = block.length;
  const uint32 = (): number => {
    if (next === block.length) {
      randomFillSync(block);
      next = 0;
    }
    return block[next++] as number;
  };
  return { uint32, fraction: () => uint32() / 2 ** 32 };
}

/** Reproducible chance (the mulberry32 generator): the same seed gives the same numbers. For tests and simulation. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  const uint32 = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (t ^ (t >>> 14)) >>> 0;
  };
  return { uint32, fraction: () => uint32() / 2 ** 32 };
}
