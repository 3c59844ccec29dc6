/**
 * The journal in memory: the very lanes of the real one over a store in memory, for unit tests and simulation. With a virtual clock, a
 * seeded random and a `defer` of the simulation it is deterministic.
 */
import type { Clock } from "../clock.ts";
import type { EventHub } from "../events.ts";
import type { BootId } from "../ids.ts";
import type { Random } from "../random.ts";
import type { HeldShards } from "./held-shards.ts";
import type { Journal } from "./journal.ts";
import { Lane, type LaneBounds } from "./lane.ts";
import { LanedJournal } from "./laned-journal.ts";
import { LargePayloads } from "./large-payloads.ts";
import { MemoryBatchStore } from "./memory-batch-store.ts";
import { MemoryFaults } from "./memory-faults.ts";
import { MemoryJournalReader } from "./memory-journal-reader.ts";
import type { MemoryStore } from "./memory-store.ts";
import type { ObjectStore } from "./object-store.ts";

/** What the journal is made from. */
export interface MemoryJournalOptions {
  readonly store: MemoryStore;
  readonly bootId: BootId;
  readonly held: HeldShards;
  /** Number of writer lanes. Default 1. */
  readonly lanes?: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly events: EventHub;
  /** Faults of the store. Default: none. */
  readonly faults?: MemoryFaults;
  /** Where the largest payloads go. Default: none, they stay in the table. */
  readonly objects?: ObjectStore | undefined;
  /** Calls back after the current tick. Default: `setImmediate`. */
  readonly defer?: (callback: () => void) => void;
  /** For tests only. */
  readonly bounds?: LaneBounds | undefined;
}

/** Opens the journal of a boot that joined. */
export async function openMemoryJournal(options: MemoryJournalOptions): Promise<Journal> {
  const { store, bootId, held, clock, random, events, faults = new MemoryFaults(), defer = setImmediate } = options;
  const lanes = Array.from({ length: options.lanes ?? 1 }, (_, lane) => {
    const batches = new MemoryBatchStore({ store, bootId, held, faults, clock });
    return new Lane({ lane, store: batches, held, clock, random, events, defer, bounds: options.bounds });
  });
  const [reader, large] = [new MemoryJournalReader(store), new LargePayloads(options.objects, clock)];
  return new LanedJournal({ bootId, lanes, held, reader, large, events, defer });
}
