/**
 * Gives memory back to the operating system once the node is quiet. V8 keeps the pages of a heap that has shrunk: after a burst of work a node of a few dozen
 * megabytes would hold hundreds for as long as it lives. Only a collection "of last resort" returns them; it stops the thread for about a tenth
 * of a second, so it is made when next to nothing is committed, the heap is small, and there is something to gain.
 */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { CancelTimer, Clock } from "../runtime/clock.ts";
import type { EventHub } from "../runtime/events.ts";

/** How often it is looked whether the node is quiet, and how many commits it may have made meanwhile to count as such. */
const LOOK_EVERY_MS = 5_000;
const QUIET_COMMITS = 100;
/** A heap with more in use takes too long to collect. */
const HEAP_BYTES_MAX = 128 * 2 ** 20;
/** Growth since the memory was last trimmed that makes it worth trimming again. */
const GROWTH_BYTES = 64 * 2 ** 20;

/** The memory of a process. */
export interface ProcessMemory {
  /** Resident memory, in bytes. */
  residentBytes(): number;
  /** What JavaScript uses of it, in bytes. */
  heapBytes(): number;
  /** Collects all garbage and returns what is free to the operating system. Blocks. */
  release(): void;
}

/** What the trimmer needs. */
export interface MemoryTrimmerOptions {
  readonly clock: Clock;
  readonly events: EventHub;
  readonly memory: ProcessMemory;
  /** Memory was released; for the log. */
  onTrimmed(freedBytes: number, durationMs: number): void;
}

/** See the file header. */
export class MemoryTrimmer {
  readonly #options: MemoryTrimmerOptions;
  readonly #unlisten: () => void;
  #cancelLook: CancelTimer | undefined;
  #commits = 0;
  /** Resident memory when it could not be less. */
  #floorBytes: number;

  /** Looks from now on. */
  constructor(options: MemoryTrimmerOptions) {
    this.#options = options;
    this.#floorBytes = options.memory.residentBytes();
    this.#unlisten = options.events.on("journal.committed", () => void this.#commits++);
    this.#arm();
  }

  /** Looks no more. */
  close(): void {
    this.#unlisten();
    this.#cancelLook?.();
  }

  #arm(): void {
    this.#cancelLook = this.#options.clock.schedule(LOOK_EVERY_MS, () => {
      this.#look();
      this.#arm();
    });
  }

  #look(): void {
    const isQuiet = this.#commits <= QUIET_COMMITS;
    this.#commits = 0;
    const { memory, clock, onTrimmed } = this.#options;
    const residentBytes = memory.residentBytes();
    if (!isQuiet || residentBytes < this.#floorBytes + GROWTH_BYTES || memory.heapBytes() > HEAP_BYTES_MAX) return;
    const startedMs = clock.monotonic();
    memory.release();
    this.#floorBytes = memory.residentBytes();
    onTrimmed(residentBytes - this.#floorBytes, clock.monotonic() - startedMs);
  }
}

/** The memory of this process. */
export function processMemory(): ProcessMemory {
  let collect: NodeJS.GCFunction | undefined;
  return {
    residentBytes: () => process.memoryUsage.rss(),
    heapBytes: () => process.memoryUsage().heapUsed,
    release() {
      collect ??= exposeCollector();
      collect({ type: "major", execution: "sync", flavor: "last-resort" });
    },
  };
}

/** V8's collector, which contexts see that are made while its flag is set. */
function exposeCollector(): NodeJS.GCFunction {
  setFlagsFromString("--expose-gc");
  const collector: unknown = runInNewContext("gc");
  setFlagsFromString("--no-expose-gc");
  return collector as NodeJS.GCFunction;
}
