/**
 * What happened in a simulated world, line by line: every message, every call of the store, every commit, every fault, every word of a client. Its hash stands
 * for the whole: two runs of one seed are the same if and only if their hashes are. The lines are only kept where somebody wants to read them.
 */
import { crc32 } from "node:zlib";
import type { Clock } from "../../runtime/clock.ts";

/** The trace of one world. */
export class Trace {
  readonly #clock: Clock;
  readonly #kept: string[] | undefined;
  #hash = 0;
  #count = 0;

  /** `isKept`: the lines can be read afterwards. */
  constructor(clock: Clock, isKept: boolean) {
    this.#clock = clock;
    this.#kept = isKept ? [] : undefined;
  }

  /** Adds a line. `who`: a boot, a client, or what else acts; `what`: without spaces at its ends. */
  note(who: string, what: string): void {
    const line = `${this.#clock.monotonic().toFixed(3)} ${who} ${what}`;
    this.#hash = crc32(line, this.#hash);
    this.#count += 1;
    this.#kept?.push(line);
  }

  /** The number of lines and their sum. */
  get hash(): string {
    return `${this.#count}-${(this.#hash >>> 0).toString(16).padStart(8, "0")}`;
  }

  /** The lines that speak of one of these things, or of what befell the whole; all, without things. */
  lines(...things: readonly string[]): readonly string[] {
    const kept = this.#kept ?? [];
    return things.length === 0 ? kept : kept.filter((line) => line.includes(" world ") || things.some((thing) => line.includes(thing)));
  }
}
