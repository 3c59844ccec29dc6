/** The order of a run's writes while its payloads are being stored as objects. */
import assert from "node:assert/strict";
import { systemClock } from "../../../runtime/clock.ts";
import type { MaestroError } from "../../../runtime/errors.ts";
import { EventHub } from "../../../runtime/events.ts";
import { newBootId, type RunId } from "../../../runtime/ids.ts";
import { LIMITS } from "../../../runtime/limits.ts";
import { seededRandom } from "../../../runtime/random.ts";
import { HeldShards } from "../../../runtime/storage/held-shards.ts";
import { openMemoryJournal } from "../../../runtime/storage/memory-journal.ts";
import { MemoryObjectStore } from "../../../runtime/storage/memory-object-store.ts";
import { MemoryOwnership } from "../../../runtime/storage/memory-ownership.ts";
import { MemoryStore } from "../../../runtime/storage/memory-store.ts";
import { objectName } from "../../../runtime/storage/object-store.ts";
import { createWrite, entryWrite, runIdOn } from "../../support/run-writes.ts";

/** An object store that keeps everyone waiting until it is released. */
class HeldObjects extends MemoryObjectStore {
  readonly #gate = Promise.withResolvers<void>();
  failures = 0;

  release(): void {
    this.#gate.resolve();
  }

  override async put(runId: RunId, bytes: Uint8Array): Promise<string> {
    await this.#gate.promise;
    if (this.failures-- > 0) throw new Error("the disk is full");
    return super.put(runId, bytes);
  }
}

async function open() {
  const clock = systemClock();
  const random = seededRandom(1);
  const store = new MemoryStore(clock);
  const bootId = newBootId(random);
  const held = new HeldShards((await new MemoryOwnership(store).join({ bootId, nodeName: "a", lanes: 1, leaseMs: 1_000 })).shards);
  const [objects, events] = [new HeldObjects(), new EventHub()];
  return { store, objects, events, journal: await openMemoryJournal({ store, bootId, held, clock, random, events, objects }) };
}

const payload = (seq: number, size = 300_000) => ({ payloads: [{ seq, place: 0, bytes: new Uint8Array(size) }] });

describe("large payloads", () => {
  it("hold up the writes of their run, in order, and of no other run", async () => {
    const { journal, objects, store } = await open();
    const [runId, other] = [runIdOn(), runIdOn()];
    await journal.append(createWrite(runId));
    const settled: number[] = [];
    const appends = [entryWrite(runId, 2, payload(2)), entryWrite(runId, 3), entryWrite(runId, 4, payload(4))].map((write) =>
      journal.append(write).then(() => settled.push(write.firstSeq)),
    );
    await journal.append(createWrite(other));
    assert.deepEqual([settled, store.rows.get(runId)?.length], [[], 1]);
    assert.equal(journal.pressure().queuedBytes > 600_000, true);
    objects.release();
    await journal.flush();
    await Promise.all(appends);
    assert.deepEqual(settled, [2, 3, 4]);
    assert.equal(journal.pressure().queuedBytes, 0);
  });

  it("are stored again until it works, and say so", async () => {
    const { journal, objects, events } = await open();
    const runId = runIdOn();
    const reasons: string[] = [];
    events.on("journal.retried", ({ reason }) => reasons.push(reason));
    objects.failures = 2;
    objects.release();
    await journal.append({ ...createWrite(runId), ...payload(1) });
    assert.deepEqual(reasons, ["the disk is full", "the disk is full"]);
    assert.equal((await journal.readPayload(runId, 1, 0)).length, 300_000);
  });

  it("are refused when too many wait, and leave no gap then", async () => {
    const { journal, objects } = await open();
    const runId = runIdOn();
    await journal.append(createWrite(runId));
    const first = journal.append(entryWrite(runId, 2, { ...payload(2, LIMITS.laneQueueBytes - 100_000), essential: true }));
    const codes = [entryWrite(runId, 3, payload(3)), entryWrite(runId, 4, { essential: true })].map((write) =>
      journal.append(write).then(
        () => "stored",
        (error: MaestroError) => error.code,
      ),
    );
    objects.release();
    await first;
    assert.deepEqual(await Promise.all(codes), ["JOURNAL_OVERLOADED", "JOURNAL_OVERLOADED"]);
    await journal.append(entryWrite(runId, 3));
    assert.equal((await journal.read(runId, 1, 10)).length, 3);
  });

  it("go with a run that was not created because its key is taken, and stay with one that is there", async () => {
    const { journal, objects } = await open();
    const [runId, owner, refused] = [runIdOn(), runIdOn(), runIdOn()];
    objects.release();
    await journal.append({ ...createWrite(runId), ...payload(1) });
    const other = { entries: Buffer.from("other") };
    await assert.rejects(journal.append({ ...createWrite(runId), ...payload(1), ...other }), { code: "RUN_EXISTS" });
    assert.equal((await journal.readPayload(runId, 1, 0)).length, 300_000);
    await journal.append(createWrite(owner, { key: "taken" }));
    await assert.rejects(journal.append({ ...createWrite(refused, { key: "taken" }), ...payload(1) }), { code: "IDEMPOTENCY_KEY_REUSED" });
    assert.equal(await objects.get(refused, objectName(new Uint8Array(300_000))), undefined);
  });
});
