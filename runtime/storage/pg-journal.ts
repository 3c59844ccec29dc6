/**
 * The journal in PostgreSQL: group commit over a few writer lanes, and a small pool for reading.
 *
 * The connections must be direct, or through a pooler in session mode: lanes rely on session settings, prepared statements and a lock.
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
import type { ObjectStore } from "./object-store.ts";
import { PgBatchStore } from "./pg-batch-store.ts";
import { PgDatabase } from "./pg-database.ts";
import { PgJournalReader } from "./pg-journal-reader.ts";
import { PgLaneConnection } from "./pg-lane-connection.ts";
import { BatchStatements } from "./pg-statement.ts";

/** What the journal is made from. */
export interface PgJournalOptions {
  readonly url: string;
  readonly bootId: BootId;
  /** The shards that this boot owns; they may change while the journal is open. */
  readonly held: HeldShards;
  /** Number of writer lanes: as joined with. */
  readonly lanes: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly events: EventHub;
  /** Where the largest payloads go. Default: none, they stay in the table. */
  readonly objects?: ObjectStore | undefined;
  /** Calls back after the current tick. Default: `setImmediate`. */
  readonly defer?: (callback: () => void) => void;
  /** For tests only. */
  readonly bounds?: LaneBounds | undefined;
}

/** Connections for reading. */
const READERS = 4;

/** Opens the journal of a boot that joined. Connections are made when they are needed. */
export async function openPgJournal(options: PgJournalOptions): Promise<Journal> {
  const { url, bootId, held, clock, random, events, defer = setImmediate } = options;
  const lanes = Array.from({ length: options.lanes }, (_, lane) => {
    const connection = new PgLaneConnection({ url, bootId, lane, clock });
    events.on("database.returned", () => connection.doubt());
    const store = new PgBatchStore(connection, new BatchStatements(bootId, lane, held));
    return new Lane({ lane, store, held, clock, random, events, defer, bounds: options.bounds });
  });
  const reader = new PgJournalReader(new PgDatabase({ url, applicationName: `maestro-read-${bootId}`, size: READERS, events }));
  return new LanedJournal({ bootId, lanes, held, reader, large: new LargePayloads(options.objects, clock), events, defer });
}
