import assert from "node:assert/strict";
import fc from "fast-check";
import type { RunId } from "../../../runtime/ids.ts";
import { batchLength, bytesOf, formBatch } from "../../../runtime/storage/batch.ts";
import type { RunHead, RunStatus, RunTimer, RunWrite } from "../../../runtime/storage/journal.ts";
import { createWrite, entryWrite, headWrite, RUNNING, runIdOn } from "../../support/run-writes.ts";

const RUN_IDS: readonly RunId[] = [runIdOn(), runIdOn(), runIdOn()];

/** What a number of writes leaves behind, kept in the plainest way: one write after the other. */
class Model {
  readonly histories = new Map<RunId, string>();
  readonly heads = new Map<RunId, RunHead>();
  readonly timers = new Set<string>();

  apply(write: RunWrite): void {
    const { runId, entries, head, timersSet = [], timersCleared = [] } = write;
    if (write.entryCount > 0) this.histories.set(runId, (this.histories.get(runId) ?? "") + Buffer.from(entries).toString());
    if (head !== undefined) this.heads.set(runId, head);
    for (const timer of timersSet) this.timers.add(nameOf(timer));
    for (const timer of timersCleared) this.timers.delete(nameOf(timer));
  }
}

const nameOf = ({ runId, timer, dueAtMs }: RunTimer): string => `${runId}/${timer}/${dueAtMs}`;

/** Sequences of writes as a sound caller makes them: numbered without gaps, timers set once and cleared only while they are set. */
const writesArbitrary: fc.Arbitrary<readonly RunWrite[]> = fc
  .array(fc.record({ run: fc.nat(2), entries: fc.nat(3), head: fc.boolean(), timer: fc.option(fc.nat(3)) }), { maxLength: 40 })
  .map((steps) => {
    const lastSeq = [0, 0, 0];
    const set = new Set<string>();
    return steps.map((step, index): RunWrite => {
      const runId = RUN_IDS[step.run] as RunId;
      const firstSeq = (lastSeq[step.run] ?? 0) + 1;
      lastSeq[step.run] = firstSeq + step.entries - 1;
      const entries = Buffer.from(Array.from({ length: step.entries }, (_, offset) => `${firstSeq + offset};`).join(""));
      const head = { status: "running" as RunStatus, wake: index };
      const timer = { runId, timer: step.timer ?? 0, dueAtMs: 1_000 };
      const isSet = set.has(nameOf(timer));
      if (step.timer !== null && isSet) set.delete(nameOf(timer));
      else if (step.timer !== null) set.add(nameOf(timer));
      const timers = step.timer === null ? {} : isSet ? { timersCleared: [timer] } : { timersSet: [timer] };
      return { runId, firstSeq, entryCount: step.entries, entries, ...(step.head ? { head } : {}), ...timers };
    });
  });

describe("a batch", () => {
  it("leaves the same behind as its writes one after the other", () => {
    fc.assert(
      fc.property(writesArbitrary, fc.nat(40), (writes, split) => {
        const expected = new Model();
        for (const write of writes) expected.apply(write);
        const actual = new Model();
        for (const half of [writes.slice(0, split), writes.slice(split)]) applyBatch(actual, half);
        assert.deepEqual(actual, expected);
      }),
    );
  });

  it("has one row and one head for each run", () => {
    fc.assert(
      fc.property(writesArbitrary, (writes) => {
        const { rows, heads } = formBatch(writes);
        for (const list of [rows, heads]) assert.equal(new Set(list.map(({ runId }) => runId)).size, list.length);
      }),
    );
  });

  it("gives a new run its last head, and updates nothing", () => {
    const runId = runIdOn();
    const head = { status: "completed", wake: 0, endedAtMs: 1 } as const;
    const { runs, heads } = formBatch([createWrite(runId), entryWrite(runId, 2), headWrite(runId, head)]);
    assert.deepEqual(heads, []);
    assert.deepEqual(
      runs.map((run) => run.head),
      [head],
    );
  });

  it("leaves writes apart that do not follow each other", () => {
    const runId = runIdOn();
    assert.deepEqual(
      formBatch([entryWrite(runId, 1), entryWrite(runId, 3)]).rows.map((row) => row.firstSeq),
      [1, 3],
    );
  });

  it("sorts its keys", () => {
    const keys = ["b", "a", "ä", "B"];
    const batch = formBatch(keys.map((key) => createWrite(runIdOn(), { key })));
    assert.deepEqual(
      batch.keys.map(({ key }) => key),
      [...keys].sort(),
    );
  });
});

/** Applies a batch to the model, refusing what a table would refuse. */
function applyBatch(model: Model, writes: readonly RunWrite[]): void {
  const batch = formBatch(writes);
  for (const { runId, parts } of batch.rows) model.histories.set(runId, (model.histories.get(runId) ?? "") + Buffer.concat(parts).toString());
  for (const { runId, head } of batch.heads) model.heads.set(runId, head);
  const cleared = new Set(batch.timersCleared.map(nameOf));
  assert.ok(!batch.timersSet.some((timer) => cleared.has(nameOf(timer))), "no timer is both set and cleared");
  for (const timer of batch.timersCleared) assert.ok(model.timers.delete(nameOf(timer)), "a cleared timer was there");
  for (const timer of batch.timersSet) {
    assert.ok(!model.timers.has(nameOf(timer)), "a set timer was not there");
    model.timers.add(nameOf(timer));
  }
}

describe("the length of the next batch", () => {
  const queueOf = (writes: readonly RunWrite[]) => writes.map((write) => ({ write }));
  const sized = (bytes: number): RunWrite => ({ ...entryWrite(runIdOn(), 1), entries: new Uint8Array(bytes) });

  it("is bounded by writes and bytes, but at least one write", () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(50), { minLength: 1 }),
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 1, max: 200 }),
        (sizes, writes, bytes) => {
          const queue = queueOf(sizes.map(sized));
          const length = batchLength(queue, { writes, bytes });
          const total = (count: number) => queue.slice(0, count).reduce((sum, { write }) => sum + bytesOf(write), 0);
          assert.ok(length >= 1 && length <= writes);
          assert.ok(length === 1 || total(length) <= bytes);
          assert.ok(length === queue.length || length === writes || total(length + 1) > bytes, "it takes what fits");
        },
      ),
    );
  });

  it("ends before a key that it holds already", () => {
    const writes = ["a", "b", "a", "c"].map((key) => createWrite(runIdOn(), { key, head: RUNNING }));
    assert.equal(batchLength(queueOf(writes), { writes: 10, bytes: 1_000 }), 2);
  });

  it("is nothing for an empty queue", () => {
    assert.equal(batchLength([], { writes: 10, bytes: 10 }), 0);
  });
});
