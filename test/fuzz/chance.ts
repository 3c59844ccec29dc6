/** Draws for generators of hostile input, all from one seeded source: the same seed gives the same case. */
import type { Random } from "../../runtime/random.ts";

/** See the file header. */
export class Chance {
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  /** An integer from 0 up to, and without, `end`; 0 if `end` is 0. */
  below(end: number): number {
    return Math.floor(this.#random.fraction() * end);
  }

  /** True once in `times` draws, on average. */
  oneIn(times: number): boolean {
    return this.below(times) === 0;
  }

  /** One of `values`, which must not be empty. */
  pick<T>(values: readonly T[]): T {
    return values[this.below(values.length)] as T;
  }

  /** `length` values of `make`. */
  list<T>(length: number, make: () => T): T[] {
    return Array.from({ length }, make);
  }

  /** Any bytes. */
  bytes(length: number): Buffer {
    return Buffer.from(this.list(length, () => this.below(256)));
  }

  /** A size that is mostly small and sometimes up to `most`. */
  size(most: number): number {
    return Math.floor(most ** this.#random.fraction()) - (this.oneIn(2) ? 1 : 0);
  }

  /** Text of `length` UTF-16 units: letters mostly, and what programs stumble over. */
  text(length: number): string {
    return this.list(length, () => (this.oneIn(4) ? this.pick(ODD_CHARACTERS) : String.fromCharCode(97 + this.below(26)))).join("");
  }

  /** A number that is likely to be a mistake. */
  number(): number {
    return this.oneIn(2) ? this.pick(ODD_NUMBERS) : this.below(1_000) - 500;
  }
}

const ODD_CHARACTERS = [
  ..."\0\t\n\r \"'\\/{}[]:,&*#?|-<>=!%@`~$.;()0\u007f\u0085\u00a0\u2028\u2029\ufeff\ufffe\uffff",
  ..."\ud800 \udfff \u202e \u0301".split(" "),
  "\u{1f4a5}",
  "ß",
];

const ODD_NUMBERS = [0, -0, 1, -1, 0.5, 127, 128, 255, 256, 65_535, 2 ** 31 - 1, 2 ** 31, 2 ** 32, 2 ** 53 - 1, 2 ** 53, 1e21, 1e308, 5e-324, -1e308];

/** Names that mean something to JavaScript itself. */
export const PROTOTYPE_NAMES = [
  "__proto__",
  "constructor",
  "prototype",
  "toString",
  "valueOf",
  "hasOwnProperty",
  "__defineGetter__",
  "toJSON",
  "then",
];
