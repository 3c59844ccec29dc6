/** What the process holds after a full collection of garbage. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

/** Bytes of JavaScript objects that are in use. */
function usedHeapBytes(): number {
  collect();
  collect();
  return process.memoryUsage().heapUsed;
}

/** Notices a heap that grows from look to look. The first look, after everything has been loaded and warmed up, is what the others are measured by. */
export class HeapGuard {
  readonly #growthMax: number;
  #first: number | undefined;

  /** `growthMax`: bytes that may be held beyond the first look. */
  constructor(growthMax: number) {
    this.#growthMax = growthMax;
  }

  /** Throws if the heap has grown. */
  check(): void {
    const bytes = usedHeapBytes();
    this.#first ??= bytes;
    const growth = bytes - this.#first;
    if (growth > this.#growthMax)
      throw new Error(`the heap has grown by ${Math.round(growth / 1_048_576)} MiB to ${Math.round(bytes / 1_048_576)} MiB`);
  }
}
