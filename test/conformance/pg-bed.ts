/** The conformance suites' bed on PostgreSQL. */
import { systemClock } from "../../runtime/clock.ts";
import { EventHub } from "../../runtime/events.ts";
import { newBootId } from "../../runtime/ids.ts";
import { systemRandom } from "../../runtime/random.ts";
import { HeldShards } from "../../runtime/storage/held-shards.ts";
import type { Journal } from "../../runtime/storage/journal.ts";
import { MemoryObjectStore } from "../../runtime/storage/memory-object-store.ts";
import { openPgDocuments } from "../../runtime/storage/pg-documents.ts";
import { openPgEventCheckpoints } from "../../runtime/storage/pg-event-checkpoints.ts";
import { openPgJournal } from "../../runtime/storage/pg-journal.ts";
import { openPgOwnership } from "../../runtime/storage/pg-ownership.ts";
import { openPgRetention } from "../../runtime/storage/pg-retention.ts";
import { openPgTaskLedger } from "../../runtime/storage/pg-task-ledger.ts";
import { openPgTaskSlots } from "../../runtime/storage/pg-task-slots.ts";
import type { AttemptRecord } from "../../runtime/storage/task-ledger.ts";
import { execute, freshDatabase } from "../support/pg-fixture.ts";
import type { StorageBed } from "./bed.ts";

const ATTEMPTS = `SELECT run_id AS "runId", frame, attempt, path, handler, status, error_message AS "errorMessage",
  (extract(epoch FROM created_at) * 1000)::float8 AS "createdAtMs", (extract(epoch FROM ended_at) * 1000)::float8 AS "endedAtMs"
  FROM task_executions ORDER BY run_id, frame, attempt`;

/** Makes the bed. */
export async function pgBed(): Promise<StorageBed> {
  const url = await freshDatabase();
  const [clock, random] = [systemClock(), systemRandom()];
  const ownership = await openPgOwnership({ url });
  const documents = await openPgDocuments({ url });
  const ledger = await openPgTaskLedger({ url, bootId: newBootId(random), clock, events: new EventHub() });
  const objects = new MemoryObjectStore();
  const retention = await openPgRetention({ url, objects });
  const checkpoints = await openPgEventCheckpoints({ url });
  const slots = openPgTaskSlots({ url });
  const journals: Journal[] = [];
  const others: { close(): Promise<void> }[] = [];
  const another = async <T extends { close(): Promise<void> }>(opening: Promise<T> | T): Promise<T> => {
    others.push(await opening);
    return opening;
  };
  return {
    ownership,
    openOwnership: () => another(openPgOwnership({ url })),
    documents,
    ledger,
    objects,
    retention,
    checkpoints,
    slots,
    openSlots: () => another(openPgTaskSlots({ url })),
    async boot(nodeName = "a", lanes = 2, bounds) {
      const bootId = newBootId(random);
      const held = new HeldShards((await ownership.join({ bootId, nodeName, lanes, leaseMs: 60_000 })).shards);
      const events = new EventHub();
      const journal = await openPgJournal({ url, bootId, held, lanes, clock, random, events, bounds, objects });
      journals.push(journal);
      return { bootId, held, events, journal };
    },
    async closeBoots() {
      await Promise.all(journals.splice(0).map((journal) => journal.close()));
    },
    async attempts() {
      const rows = await execute<Record<string, unknown>>(url, ATTEMPTS);
      return rows.map((row) => Object.fromEntries(Object.entries(row).filter(([, value]) => value !== null)) as unknown as AttemptRecord);
    },
    async damage(runId, seq, how) {
      const change =
        how === "remove"
          ? "DELETE FROM journal WHERE run_id = $1 AND seq = $2"
          : "UPDATE journal SET entries = set_byte(entries, 0, get_byte(entries, 0) # 1) WHERE run_id = $1 AND seq = $2";
      await execute(url, change, [runId, seq]);
    },
    async damageSnapshot(runId, seq) {
      await execute(url, "UPDATE run_snapshots SET state = set_byte(state, 0, get_byte(state, 0) # 1) WHERE run_id = $1 AND seq = $2", [runId, seq]);
    },
    async damagePayload(runId, seq, place) {
      const text = "UPDATE payloads SET bytes = set_byte(bytes, 0, get_byte(bytes, 0) # 1) WHERE run_id = $1 AND seq = $2 AND place = $3";
      await execute(url, text, [runId, seq, place]);
    },
    async close() {
      await Promise.all([...journals, ...others, ownership, documents, ledger, retention, checkpoints, slots].map((opened) => opened.close()));
    },
  };
}
