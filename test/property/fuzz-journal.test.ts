import { journalChecksum } from "../../runtime/storage/journal-checksum.ts";
import type { MemoryStore } from "../../runtime/storage/memory-store.ts";
import { fuzzBriefly, fuzzUntilNoticed } from "../fuzz/briefly.ts";
import { journalTarget } from "../fuzz/journal/journal-target.ts";
import { memoryBed } from "../fuzz/journal/memory-bed.ts";

/** A store that answers with rows whose checksums it has made right, whatever is in them. */
function sealEverything(store: MemoryStore): void {
  for (const [runId, rows] of store.rows) {
    const sealed = rows.map((row) => ({ ...row, checksum: journalChecksum(runId, row.firstSeq, row.entryCount, [row.entries]) }));
    store.rows.set(runId, sealed);
  }
}

/** A store that has lost the rows of one run after the other. */
function loseRows(store: MemoryStore): void {
  for (const runId of store.rows.keys()) store.rows.set(runId, []);
}

describe("damaged histories", function () {
  this.timeout(60_000);

  it("set aside their own run, and nothing else", async () => fuzzBriefly(await journalTarget()));

  it("are noticed if checksums are not looked at", async () =>
    fuzzUntilNoticed(await journalTarget({ bed: memoryBed(sealEverything) }), /to be quarantined|damage is named/));

  it("are noticed if a sound run suffers", async () =>
    fuzzUntilNoticed(await journalTarget({ bed: memoryBed(loseRows) }), /a sound run answers|to be quarantined/));
});
