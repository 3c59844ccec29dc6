/** The bed of the journal's target in memory. */
import { systemClock } from "../../../runtime/clock.ts";
import { EventHub } from "../../../runtime/events.ts";
import { newBootId } from "../../../runtime/ids.ts";
import { systemRandom } from "../../../runtime/random.ts";
import { HeldShards } from "../../../runtime/storage/held-shards.ts";
import { MemoryFaults } from "../../../runtime/storage/memory-faults.ts";
import { openMemoryJournal } from "../../../runtime/storage/memory-journal.ts";
import { MemoryOwnership } from "../../../runtime/storage/memory-ownership.ts";
import { MemoryStore } from "../../../runtime/storage/memory-store.ts";
import { MemoryTaskLedger } from "../../../runtime/storage/memory-task-ledger.ts";
import { type JournalBed, openBed } from "./bed.ts";
import { putRun } from "./stored-run.ts";

/** Makes it. `damage` changes the store beyond what the cases do. */
export function memoryBed(damage: (store: MemoryStore) => void = () => undefined): JournalBed {
  const clock = systemClock();
  const random = systemRandom();
  return {
    async open(runs, histories) {
      const store = new MemoryStore(clock);
      for (const run of runs) putRun(store, run);
      damage(store);
      const events = new EventHub();
      const bootId = newBootId(random);
      const held = new HeldShards((await new MemoryOwnership(store).join({ bootId, nodeName: "test", lanes: 1, leaseMs: 60_000 })).shards);
      const journal = await openMemoryJournal({ store, bootId, held, clock, random, events, faults: new MemoryFaults() });
      return openBed({ journal, held, ledger: new MemoryTaskLedger(store), events }, histories);
    },
    close: async () => undefined,
  };
}
