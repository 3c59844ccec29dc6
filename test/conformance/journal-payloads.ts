/** What every journal must do with payloads that are kept apart from the entries. */
import assert from "node:assert/strict";
import type { Journal } from "../../runtime/storage/journal.ts";
import { createWrite, entryWrite, RUNNING, runIdOn } from "../support/run-writes.ts";
import type { StorageBed } from "./bed.ts";

const inRow = Buffer.from("r".repeat(10_000));
const inObject = Buffer.from("o".repeat(300_000));

/** Declares the cases. `bed`, `current`: those of the case that runs. */
export function payloadCases(bed: () => StorageBed, current: () => Journal): void {
  const read = async (...args: Parameters<Journal["readPayload"]>) => Buffer.from(await current().readPayload(...args));

  it("keeps payloads of any size with the write that brought them", async () => {
    const journal = current();
    const [runId, other] = [runIdOn(), runIdOn()];
    const objects = bed().objects.objects.size;
    await journal.append({ ...createWrite(runId), payloads: [{ seq: 1, place: 0, bytes: inRow }] });
    await Promise.all([
      journal.append(createWrite(other)),
      journal.append(
        entryWrite(runId, 2, {
          payloads: [
            { seq: 2, place: 0, bytes: inObject },
            { seq: 2, place: 7, bytes: inRow },
          ],
        }),
      ),
      journal.append(entryWrite(runId, 3, { payloads: [{ seq: 3, place: 0, bytes: new Uint8Array(0) }] })),
    ]);
    assert.deepEqual([await read(runId, 1, 0), await read(runId, 2, 0), await read(runId, 2, 7)], [inRow, inObject, inRow]);
    assert.equal((await read(runId, 3, 0)).length, 0);
    assert.equal(bed().objects.objects.size, objects + 1);
    assert.equal((await journal.read(runId, 1, 10)).map((row) => Buffer.from(row.entries).toString()).join(""), "1;2;3;");
    await assert.rejects(read(runId, 2, 1), { code: "JOURNAL_CORRUPT" });
    await assert.rejects(read(other, 1, 0), { code: "JOURNAL_CORRUPT" });
  });

  it("stores no payload of a write that it refuses, and takes the next attempt's", async () => {
    const journal = current();
    const runId = runIdOn();
    await journal.append(createWrite(runId));
    const payloads = [inRow, inObject].map((bytes, place) => ({ seq: 2, place, bytes }));
    await assert.rejects(journal.append(entryWrite(runId, 2, { payloads, head: { ...RUNNING, wake: 40_000 } })), { code: "JOURNAL_REJECTED" });
    for (const place of [0, 1]) await assert.rejects(read(runId, 2, place), { code: "JOURNAL_CORRUPT" });
    await journal.append(entryWrite(runId, 2, { payloads }));
    assert.deepEqual([await read(runId, 2, 0), await read(runId, 2, 1)], [inRow, inObject]);
  });

  it("keeps no object of a run that it refuses to create", async () => {
    const journal = current();
    const [owner, refused] = [runIdOn(), runIdOn()];
    const key = `owned ${owner}`;
    await journal.append(createWrite(owner, { key }));
    const payloads = [{ seq: 1, place: 0, bytes: inObject }];
    await assert.rejects(journal.append({ ...createWrite(refused, { key }), payloads }), { code: "IDEMPOTENCY_KEY_REUSED" });
    assert.ok(![...bed().objects.objects.keys()].some((name) => name.startsWith(refused)));
    await journal.append({ ...createWrite(refused), payloads });
    assert.deepEqual(await read(refused, 1, 0), inObject);
  });

  it("notices a payload that was damaged, in its row or as an object", async () => {
    const runId = runIdOn();
    const payloads = [inRow, inObject].map((bytes, place) => ({ seq: 1, place, bytes }));
    await current().append({ ...createWrite(runId), payloads });
    await bed().damagePayload(runId, 1, 0);
    await assert.rejects(read(runId, 1, 0), { code: "JOURNAL_CORRUPT" });
    const { objects } = bed().objects;
    const key = [...objects.keys()].find((name) => name.startsWith(runId)) ?? assert.fail("an object was stored");
    objects.set(key, Buffer.from("something else"));
    await assert.rejects(read(runId, 1, 1), { code: "JOURNAL_CORRUPT" });
  });
}
