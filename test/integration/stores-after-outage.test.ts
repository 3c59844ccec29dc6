/**
 * What a node's stores do when the database is known to be back: a call whose answer the network has swallowed is given up at once, instead of keeping a node
 * that was taken over from its end, or a change of the ownership from being tried again.
 */
import assert from "node:assert/strict";
import { systemClock } from "../../runtime/clock.ts";
import { MaestroError } from "../../runtime/errors.ts";
import { EventHub } from "../../runtime/events.ts";
import { newBootId } from "../../runtime/ids.ts";
import { systemRandom } from "../../runtime/random.ts";
import { openPgDocuments } from "../../runtime/storage/pg-documents.ts";
import { openPgOwnership } from "../../runtime/storage/pg-ownership.ts";
import { openPgRetention } from "../../runtime/storage/pg-retention.ts";
import { openPgTaskLedger } from "../../runtime/storage/pg-task-ledger.ts";
import { FaultyProxy } from "../support/faulty-proxy.ts";
import { freshDatabase } from "../support/pg-fixture.ts";
import { runIdOn } from "../support/run-writes.ts";
import { waitUntil } from "../support/wait-until.ts";

const clock = systemClock();
const bootId = newBootId(systemRandom());

interface Store {
  /** Asks the database something. */
  ask(): Promise<unknown>;
  close(): Promise<void>;
}

const STORES: Readonly<Record<string, (url: string, events: EventHub) => Promise<Store>>> = {
  ownership: async (url, events) => {
    const ownership = await openPgOwnership({ url, events });
    return { ask: () => ownership.announce(bootId, { isDraining: true }), close: () => ownership.close() };
  },
  documents: async (url, events) => {
    const documents = await openPgDocuments({ url, events });
    return { ask: () => documents.byId(runIdOn()), close: () => documents.close() };
  },
  retention: async (url, events) => {
    const retention = await openPgRetention({ url, objects: undefined, events });
    return { ask: () => retention.removeRuns(0, 1), close: () => retention.close() };
  },
  "task ledger": async (url, events) => {
    const ledger = await openPgTaskLedger({ url, bootId, clock, events });
    const ask = async (): Promise<void> => {
      const delayed = new Promise<void>((_, reject) =>
        events.on("ledger.delayed", () => reject(new MaestroError("DATABASE_UNAVAILABLE", { facts: {} }))),
      );
      ledger.record({
        runId: runIdOn(),
        frame: 1,
        attempt: 1,
        path: "/do/0/pay",
        handler: "pay",
        status: "completed",
        createdAtMs: 1_700_000_000_001,
      });
      await Promise.race([ledger.flush(), delayed]);
    };
    return { ask, close: () => ledger.close() };
  },
};

describe("a store whose answer was swallowed", function () {
  this.timeout(60_000);

  for (const [name, open] of Object.entries(STORES)) {
    it(`gives it up when the database is back: ${name}`, async () => {
      const proxy = await FaultyProxy.start(await freshDatabase());
      const events = new EventHub();
      const store = await open(proxy.url, events);
      try {
        await store.ask();
        proxy.swallow();
        let outcome: unknown;
        store.ask().then(
          () => (outcome = "an answer"),
          (error: unknown) => (outcome = error instanceof MaestroError ? error.code : error),
        );
        await waitUntil("the request to be swallowed", () => proxy.swallowed > 0);
        proxy.restore();
        events.emit("database.returned", { awayMs: 1 });
        // Each waits longer than this for an answer by itself.
        assert.equal(await waitUntil("the call to be given up", () => outcome, 10_000), "DATABASE_UNAVAILABLE");
      } finally {
        await store.close();
        await proxy.stop();
      }
    });
  }
});
