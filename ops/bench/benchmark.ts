/**
 * What every benchmark is: a name and a function that measures a few figures. A benchmark measures and never judges; what it measured
 * wrongly (a run that did not complete, a wrong output) it throws.
 */
import type { Clock } from "../../runtime/clock.ts";
import type { Random } from "../../runtime/random.ts";
import type { TargetRequest } from "./target.ts";

/** More digits than these are noise. */
const SIGNIFICANT_DIGITS = 5;

/** One benchmark of `npm run bench`. */
export interface Benchmark {
  /** What the command line calls it. */
  readonly name: string;
  /** One sentence about all of it. */
  readonly about: string;
  /** Measures; ends all that it started, also if it throws. */
  measure(setting: BenchSetting): Promise<readonly Figure[]>;
}

/** How the figures are taken. */
export interface BenchSetting {
  readonly clock: Clock;
  readonly random: Random;
  /** Rounds of each figure: 3, or 1 with `--quick`. */
  readonly rounds: number;
  /** Milliseconds of one round, for what is measured for a time: 3,000, or 1,000 with `--quick`. */
  readonly roundMs: number;
  /** Share of the work of a round, for what is measured by a count: 1, or 0.1 with `--quick`. */
  readonly scale: number;
  /** With `--long`: the amounts that the product is made for, which take minutes. */
  readonly long: boolean;
  /** With `--folder`: a folder with scripts of other engines. */
  readonly peersFolder: string | undefined;
  /** With `--target`: nodes that run already, which are loaded instead of one that would be started. */
  readonly target: TargetRequest | undefined;
  /** Aborted when the user interrupts: checked between rounds. */
  readonly signal: AbortSignal;
  /** Folder that the profiles of node processes are written to. */
  readonly profileFolder: string | undefined;
  /** Says what is being measured, to whoever watches. */
  progress(text: string): void;
  /** A sentence that belongs beside the figures: what could not be measured, and why. */
  remark(text: string): void;
}

/** Least, middle and greatest of the rounds. */
export interface Spread {
  readonly min: number;
  readonly median: number;
  readonly max: number;
}

/** What a figure is called and what it means. */
export interface FigureLabel {
  readonly name: string;
  /** Unit of the value. */
  readonly unit: string;
  /** One line for a reader who sees the figure for the first time. */
  readonly about: string;
}

/** One measured value over all rounds, with what else was seen in the same rounds. */
export interface Figure extends FigureLabel, Spread {
  /** Further values, by name with unit. */
  readonly details: Readonly<Record<string, Spread>>;
}

/** What one round gave. */
export interface Round {
  readonly value: number;
  readonly details?: Readonly<Record<string, number>>;
}

/** A figure from its rounds, all of which have the same details. */
export function figureOf(label: FigureLabel, rounds: readonly Round[]): Figure {
  const names = Object.keys(rounds[0]?.details ?? {});
  const details = names.map((name) => [name, spreadOf(rounds.map((round) => round.details?.[name] ?? Number.NaN))] as const);
  return { ...label, ...spreadOf(rounds.map((round) => round.value)), details: Object.fromEntries(details) };
}

/** Something that is measured round by round. */
export interface Measured {
  readonly label: FigureLabel;
  round(): Promise<Round> | Round;
}

/**
 * The figures of several things, taken in turn: a round of each, then the next round of each. So a disturbance of the machine shows as a
 * wide spread of all, not as a wrong value of one.
 */
export async function measureInTurn(setting: BenchSetting, things: readonly Measured[]): Promise<readonly Figure[]> {
  const rounds = things.map((): Round[] => []);
  for (let number = 1; number <= setting.rounds; number++) {
    for (const [index, thing] of things.entries()) {
      setting.signal.throwIfAborted();
      setting.progress(`round ${number} of ${setting.rounds}: ${thing.label.name}`);
      rounds[index]?.push(await thing.round());
    }
  }
  return things.map((thing, index) => figureOf(thing.label, rounds[index] ?? []));
}

/** The value below which `share` (0 to 1) of the sorted values are. NaN of none. */
export function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

/** A round of single operations: the median of their times, and its tail. */
export function latencyRound(latenciesUs: readonly number[]): Round {
  const sorted = [...latenciesUs].sort((a, b) => a - b);
  return { value: percentile(sorted, 0.5), details: { "p99 us": percentile(sorted, 0.99) } };
}

function spreadOf(values: readonly number[]): Spread {
  const sorted = values.map((value) => Number(value.toPrecision(SIGNIFICANT_DIGITS))).sort((a, b) => a - b);
  return { min: sorted[0] ?? Number.NaN, median: percentile(sorted, 0.5), max: sorted.at(-1) ?? Number.NaN };
}
