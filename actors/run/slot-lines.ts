/**
 * The lines of all concurrency keys that something waits for on one node, and which of them are due: worth asking the store for.
 */
import { SlotLine, type SlotSeeker } from "./slot-line.ts";

/** See the file header. */
export class SlotLines {
  readonly #byKey = new Map<string, SlotLine>();
  readonly #byHash = new Map<string, SlotLine>();
  readonly #due = new Set<SlotLine>();

  /** True if a line is due. */
  get isDue(): boolean {
    return this.#due.size > 0;
  }

  /** Has an attempt wait. If nobody waits before it, or its line is due anyhow, its line is due. */
  add(seeker: SlotSeeker): void {
    const line = this.#of(seeker);
    if (line.isEmpty) this.#due.add(line);
    line.add(seeker);
  }

  /** An attempt that is not being asked for waits no more. */
  remove(seeker: SlotSeeker): void {
    const line = this.#of(seeker);
    line.remove(seeker);
    this.#forgetIfEmpty(line);
  }

  /** An attempt that is not being asked for is the first of its line from now on, which is due. */
  toFront(seeker: SlotSeeker): void {
    const line = this.#of(seeker);
    line.remove(seeker);
    seeker.turnMs = Number.NEGATIVE_INFINITY;
    line.add(seeker);
    this.#due.add(line);
  }

  /** Takes attempts of lines that are due out, in their order, to ask for them: of each line so many at most. These lines are not due any more. */
  take(count: number, perLine: number): SlotSeeker[] {
    const taken: SlotSeeker[] = [];
    for (const line of this.#due) {
      if (taken.length >= count) break;
      this.#due.delete(line);
      taken.push(...line.take(Math.min(count - taken.length, perLine)));
    }
    return taken;
  }

  /** An attempt that was asked for got its slot, or wants it no more. If it got it, there may be one for those behind it. */
  served(seeker: SlotSeeker, isHeld: boolean): void {
    const line = this.#of(seeker);
    if (isHeld && line.size > 0) this.#due.add(line);
    this.#answered(line);
  }

  /** There was no slot for an attempt, or no answer: it waits on, and so do those behind it. */
  refused(seeker: SlotSeeker): void {
    const line = this.#of(seeker);
    line.add(seeker);
    this.#due.delete(line);
    this.#answered(line);
  }

  /** Lines whose keys have these hashes are due; answers whether there are any. */
  noteHashes(hashes: Iterable<string>): boolean {
    for (const hash of hashes) {
      const line = this.#byHash.get(hash);
      if (line === undefined) continue;
      this.#due.add(line);
      line.isStale ||= line.asked > 0;
    }
    return this.isDue;
  }

  /** Those of the hashes whose keys something waits for. */
  awaited(hashes: readonly string[]): readonly string[] {
    return hashes.filter((hash) => this.#byHash.has(hash));
  }

  /** All lines are due. */
  noteAll(): void {
    for (const line of this.#byKey.values()) if (line.size > 0) this.#due.add(line);
  }

  #of({ request: { key } }: SlotSeeker): SlotLine {
    let line = this.#byKey.get(key);
    if (line === undefined) {
      line = new SlotLine(key);
      this.#byKey.set(key, line);
      this.#byHash.set(line.hash, line);
    }
    return line;
  }

  /** One of those that were asked for has its answer. With the last of them they are asked for again if a slot became free meanwhile. */
  #answered(line: SlotLine): void {
    line.asked -= 1;
    if (line.asked === 0 && line.isStale) {
      line.isStale = false;
      this.#due.add(line);
    }
    this.#forgetIfEmpty(line);
  }

  #forgetIfEmpty(line: SlotLine): void {
    if (!line.isEmpty) return;
    this.#byHash.delete(line.hash);
    this.#due.delete(line);
    this.#byKey.delete(line.key);
  }
}
