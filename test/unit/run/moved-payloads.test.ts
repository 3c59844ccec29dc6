/** Large texts leave their entries when a run is written and come back when it is read. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { decodeEntries, type Entry, encodeEntries } from "../../../actors/run/core/entry.ts";
import { bringBack, movedSizes, moveOut } from "../../../actors/run/core/moved-payloads.ts";
import { newRunId } from "../../../runtime/ids.ts";
import { LIMITS } from "../../../runtime/limits.ts";
import { seededRandom } from "../../../runtime/random.ts";
import { FOREVER, runsBed, SIGNAL } from "../../support/runs-bed.ts";
import { startOf, startRunsNode } from "../../support/runs-node.ts";

const runId = newRunId(1, 0, seededRandom(1));
const text = fc.oneof(
  fc.constantFrom('"short"', "1", "null"),
  fc.integer({ min: 0, max: 4 }).map((extra) => JSON.stringify("ü".repeat(LIMITS.inlineTextLength - 4 + extra))),
);
const event: fc.Arbitrary<Entry> = fc
  .oneof(
    text.map((output): Entry["event"] => ({ $case: "attemptCompleted", value: { frame: 1, attempt: 1, output } })),
    fc.tuple(text, fc.option(text, { nil: undefined })).map(([output, context]): Entry["event"] => ({
      $case: "taskCompleted",
      value: { frame: 1, output, context, matchedCase: 0, skipped: false, consumedSignal: false },
    })),
    text.map((payload): Entry["event"] => ({ $case: "signalReceived", value: { name: "a", payload, signalId: "" } })),
    fc.constant<Entry["event"]>({ $case: "taskCancelled", value: { frame: 1 } }),
  )
  .map((inner) => ({ offsetMs: 1, event: inner, moved: [] }));

describe("large texts of entries", () => {
  it("come back as they were, and what is written is short", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(event, { maxLength: 6 }), async (entries) => {
        const { entries: written, payloads } = moveOut(entries, 11);
        const bytes = encodeEntries(written);
        assert.ok(bytes.length < (entries.length + 1) * 3 * LIMITS.inlineTextLength);
        const stored = new Map(payloads.map((payload) => [`${payload.seq}/${payload.place}`, payload.bytes]));
        const journal = {
          readPayload: async (_: unknown, seq: number, place: number) => stored.get(`${seq}/${place}`) ?? assert.fail("no such payload"),
        };
        const read = decodeEntries(runId, 11, bytes);
        for (const entry of read) for (const size of movedSizes(entry).values()) assert.ok(size > LIMITS.inlineTextLength);
        assert.deepEqual(encodeEntries(await bringBack(journal, runId, read, 11)), encodeEntries(entries));
      }),
    );
  });

  describe("of a run", () => {
    const bed = runsBed();

    it("are stored apart wherever they come from, survive a restart, and show in the history by their size", async () => {
      const large = "x".repeat(400_000);
      const body = "do: [{ one: { call: charge@default } }, { ask: { call: signal@default, with: { name: go } } }, { two: { call: ship@default } }]";
      const { runId: id } = await bed.node.runs.start(startOf(await bed.store.deploy(body), { large }));
      await bed.node.stop();
      bed.node = await startRunsNode(bed.store, bed.tasks);
      await bed.node.runs.signal(id, { name: "go", payload: JSON.stringify(large), signalId: "" });
      const { output } = await bed.node.runs.outcome(id, FOREVER);
      assert.deepEqual(JSON.parse(output ?? ""), { shipped: large });
      const rows = bed.store.memory.rows.get(id) ?? [];
      assert.ok(rows.reduce((bytes, row) => bytes + row.entries.length, 0) < 2_000, "the rows of the journal stay short");
      const history = await bed.node.runs.history(id, 1, 100);
      assert.deepEqual(JSON.parse(history[0]?.details ?? "").input, { $large: { bytes: JSON.stringify({ large }).length } });
      await bed.node.stop();
      bed.node = await startRunsNode(bed.store, bed.tasks);
      const view = await bed.node.runs.get(id);
      assert.deepEqual([view.input.length, view.output?.length], [large.length + 12, large.length + 14]);
    });

    it("that are damaged quarantine their run", async () => {
      const { runId: id } = await bed.node.runs.start(startOf(await bed.store.deploy(SIGNAL), { large: "x".repeat(20_000) }));
      await bed.node.stop();
      bed.store.memory.payloads.clear();
      bed.node = await startRunsNode(bed.store, bed.tasks);
      await assert.rejects(bed.node.runs.signal(id, { name: "go", payload: "1", signalId: "" }), { code: "JOURNAL_CORRUPT" });
    });
  });
});
