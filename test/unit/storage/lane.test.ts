/** The lane's answers to faults, on the store in memory and a clock that stands still. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { type VirtualClock, virtualClock } from "../../../runtime/clock.ts";
import type { MaestroError } from "../../../runtime/errors.ts";
import { EventHub } from "../../../runtime/events.ts";
import { newBootId } from "../../../runtime/ids.ts";
import { seededRandom } from "../../../runtime/random.ts";
import { HeldShards } from "../../../runtime/storage/held-shards.ts";
import type { Journal } from "../../../runtime/storage/journal.ts";
import type { LaneBounds } from "../../../runtime/storage/lane.ts";
import { type Fault, MemoryFaults } from "../../../runtime/storage/memory-faults.ts";
import { openMemoryJournal } from "../../../runtime/storage/memory-journal.ts";
import { MemoryOwnership } from "../../../runtime/storage/memory-ownership.ts";
import { MemoryStore } from "../../../runtime/storage/memory-store.ts";
import { createWrite, entryWrite, runIdOn } from "../../support/run-writes.ts";

/** A journal on a store of its own. */
async function open(faults = new MemoryFaults(), bounds?: LaneBounds) {
  const clock = virtualClock();
  const random = seededRandom(1);
  const store = new MemoryStore(clock);
  const ownership = new MemoryOwnership(store);
  const bootId = newBootId(random);
  const held = new HeldShards((await ownership.join({ bootId, nodeName: "a", lanes: 1, leaseMs: 1_000 })).shards);
  const events = new EventHub();
  const journal = await openMemoryJournal({ store, bootId, held, clock, random, events, faults, bounds, defer: queueMicrotask });
  return { clock, random, store, ownership, events, journal, faults };
}

/** Lets time pass, timer by timer, until `work` is done. */
async function settle<T>(clock: VirtualClock, work: Promise<T>): Promise<T> {
  let isDone = false;
  const done = work.finally(() => {
    isDone = true;
  });
  done.catch(() => undefined); // The caller is told by the promise that it gets.
  while (!isDone) {
    for (let hop = 0; hop < 50 && !isDone; hop++) await Promise.resolve();
    if (!isDone) clock.advance(clock.untilNext() ?? 0);
  }
  return done;
}

const historyOf = async (journal: Journal, runId: ReturnType<typeof runIdOn>) =>
  (await journal.read(runId, 1, 1_000)).map((row) => Buffer.from(row.entries).toString()).join("");

describe("a writer lane", () => {
  const faultArbitrary: fc.Arbitrary<Fault> = fc.record({ kind: fc.constantFrom("none", "lost", "answerLost"), delayMs: fc.nat(20) });

  it("stores every write once and in order, whatever is lost on the way", () =>
    fc.assert(
      fc.asyncProperty(fc.array(faultArbitrary, { maxLength: 30 }), fc.integer({ min: 1, max: 25 }), async (faults, count) => {
        const { clock, journal } = await open(new MemoryFaults(planOf(faults)));
        const runIds = [runIdOn(), runIdOn()];
        const writeAll = async () => {
          for (const runId of runIds) void journal.append(createWrite(runId, { key: runId }));
          for (let seq = 2; seq <= count; seq++) {
            const appends = runIds.map((runId) => journal.append(entryWrite(runId, seq)));
            if (seq % 3 === 0) await Promise.all(appends);
          }
          await journal.flush();
        };
        await settle(clock, writeAll());
        const expected = Array.from({ length: count }, (_, index) => `${index + 1};`).join("");
        for (const runId of runIds) assert.equal(await historyOf(journal, runId), expected);
      }),
      { numRuns: 200 },
    ));

  it("waits while the store is away, and says so", async () => {
    const { clock, journal, events, faults } = await open();
    const runId = runIdOn();
    const attempts: number[] = [];
    events.on("journal.retried", ({ attempt }) => attempts.push(attempt));
    faults.isDown = true;
    const append = journal.append(createWrite(runId));
    let backAtMs = Number.NaN;
    clock.schedule(60_000, () => {
      faults.isDown = false;
      backAtMs = clock.monotonic();
    });
    await settle(clock, append);
    assert.equal(await historyOf(journal, runId), "1;");
    assert.ok(attempts.length > 60 && attempts.length < 130, `backs off: ${attempts.length} attempts in a minute`);
    assert.ok(clock.monotonic() - backAtMs <= 1_000, `is back after ${clock.monotonic() - backAtMs} ms`);
  });

  it("tells once when half of what may wait does", async () => {
    const { clock, journal, events, faults } = await open(new MemoryFaults(), { queueWrites: 8, queueBytes: 1_000, refusedRuns: 8 });
    const seen: string[] = [];
    events.on("limit.near", ({ limit, value, bound }) => seen.push(`${limit} ${value}/${bound}`));
    faults.isDown = true;
    const appends = Array.from({ length: 7 }, () => journal.append(createWrite(runIdOn())));
    faults.isDown = false;
    await settle(clock, Promise.all(appends));
    assert.deepEqual(seen, ["laneQueueWrites 5/8"]);
  });

  it("fails what a run had queued behind a refused write, and takes its next attempt", async () => {
    const { clock, journal, faults } = await open();
    const runId = runIdOn();
    await settle(clock, journal.append(createWrite(runId)));
    faults.inject({ kind: "refused", delayMs: 10 });
    const refused = journal.append(entryWrite(runId, 2));
    await Promise.resolve(); // The batch is on its way: what follows is queued behind it.
    const follower = journal.append(entryWrite(runId, 3));
    const bystander = runIdOn();
    const results = await settle(clock, Promise.allSettled([refused, follower, journal.append(createWrite(bystander))]));
    assert.deepEqual(
      results.map((result) => (result.status === "rejected" ? (result.reason as MaestroError).code : "stored")),
      ["JOURNAL_REJECTED", "JOURNAL_REJECTED", "stored"],
    );
    await settle(clock, journal.append(entryWrite(runId, 2)));
    assert.equal(await historyOf(journal, runId), "1;2;");
  });

  it("answers a lost batch by what the store says, also when it was fenced meanwhile", async () => {
    for (const [kind, expected] of [
      ["answerLost", "fulfilled"],
      ["lost", "rejected"],
    ] as const) {
      const { clock, random, journal, ownership, faults } = await open();
      faults.inject({ kind });
      const append = journal.append(createWrite(runIdOn()));
      await Promise.resolve();
      await Promise.resolve();
      await ownership.join({ bootId: newBootId(random), nodeName: "a", lanes: 1, leaseMs: 1_000 });
      const [result] = await settle(clock, Promise.allSettled([append]));
      assert.equal(result?.status, expected);
    }
  });
});

function planOf(faults: readonly Fault[]): () => Fault {
  let next = 0;
  return () => faults[next++] ?? { kind: "none" };
}
