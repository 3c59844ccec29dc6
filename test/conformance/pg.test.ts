/** The ports of storage, on the PostgreSQL adapters. */
import { documentsConformance } from "./documents.ts";
import { eventCheckpointsConformance } from "./event-checkpoints.ts";
import { journalConformance } from "./journal.ts";
import { ownershipConformance } from "./ownership.ts";
import { pgBed } from "./pg-bed.ts";
import { retentionConformance } from "./retention.ts";
import { taskLedgerConformance } from "./task-ledger.ts";
import { taskSlotsConformance } from "./task-slots.ts";

describe("PostgreSQL storage", () => {
  for (const declare of [
    journalConformance,
    ownershipConformance,
    documentsConformance,
    taskLedgerConformance,
    retentionConformance,
    eventCheckpointsConformance,
    taskSlotsConformance,
  ])
    declare(pgBed);
});
