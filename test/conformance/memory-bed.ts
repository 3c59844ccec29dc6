/** The conformance suites' bed on the memory adapters. */
import { systemClock } from "../../runtime/clock.ts";
import { EventHub } from "../../runtime/events.ts";
import { newBootId } from "../../runtime/ids.ts";
import { systemRandom } from "../../runtime/random.ts";
import { HeldShards } from "../../runtime/storage/held-shards.ts";
import { MemoryDocuments } from "../../runtime/storage/memory-documents.ts";
import { MemoryEventCheckpoints } from "../../runtime/storage/memory-event-checkpoints.ts";
import { openMemoryJournal } from "../../runtime/storage/memory-journal.ts";
import { MemoryObjectStore } from "../../runtime/storage/memory-object-store.ts";
import { MemoryOwnership } from "../../runtime/storage/memory-ownership.ts";
import { MemoryRetention } from "../../runtime/storage/memory-retention.ts";
import { MemoryStore } from "../../runtime/storage/memory-store.ts";
import { MemoryTaskLedger } from "../../runtime/storage/memory-task-ledger.ts";
import { MemoryTaskSlots } from "../../runtime/storage/memory-task-slots.ts";
import type { StorageBed } from "./bed.ts";

/** Makes the bed. */
export async function memoryBed(): Promise<StorageBed> {
  const clock = systemClock();
  const random = systemRandom();
  const store = new MemoryStore(clock);
  const ownership = new MemoryOwnership(store);
  const objects = new MemoryObjectStore();
  return {
    ownership,
    openOwnership: async () => new MemoryOwnership(store),
    documents: new MemoryDocuments(store),
    ledger: new MemoryTaskLedger(store),
    objects,
    retention: new MemoryRetention(store, objects),
    checkpoints: new MemoryEventCheckpoints(store),
    slots: new MemoryTaskSlots(store),
    openSlots: async () => new MemoryTaskSlots(store),
    async boot(nodeName = "a", lanes = 2, bounds) {
      const bootId = newBootId(random);
      const held = new HeldShards((await ownership.join({ bootId, nodeName, lanes, leaseMs: 60_000 })).shards);
      const events = new EventHub();
      return { bootId, held, events, journal: await openMemoryJournal({ store, bootId, held, lanes, clock, random, events, bounds, objects }) };
    },
    async closeBoots() {
      // Nothing is held.
    },
    async attempts() {
      return [...store.attempts.values()];
    },
    async damage(runId, seq, how) {
      const rows = store.rows.get(runId) ?? [];
      const index = rows.findIndex((row) => row.firstSeq === seq);
      const row = rows[index];
      if (row === undefined) throw new Error("no such row");
      rows.splice(index, 1, ...(how === "remove" ? [] : [{ ...row, entries: row.entries.map((byte) => byte ^ 1) }]));
    },
    async damageSnapshot(runId, seq) {
      const snapshots = store.snapshots.get(runId) ?? [];
      const damaged = snapshots.map((stored) => (stored.seq === seq ? { ...stored, state: stored.state.map((byte) => byte ^ 1) } : stored));
      store.snapshots.set(runId, damaged);
    },
    async damagePayload(runId, seq, place) {
      const key = `${runId}/${seq}/${place}`;
      const stored = store.payloads.get(key);
      if (stored === undefined) throw new Error("no such payload");
      store.payloads.set(key, { ...stored, bytes: stored.bytes.map((byte) => byte ^ 1) });
    },
    async close() {
      // Nothing is held.
    },
  };
}
