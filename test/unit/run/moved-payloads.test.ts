/** Large texts leave their entries when a run is written and come back when it is read. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { decodeEntries, type Entry, encodeEntries, statusToWire } from "../../../actors/run/core/entry.ts";
import { bringBack, movedSizes, moveOut } from "../../../actors/run/core/moved-payloads.ts";
import { newRunId } from "../../../runtime/ids.ts";
import { LIMITS } from "../../../runtime/limits.ts";
import { seededRandom } from "../../../runtime/random.ts";
import type { RunPayload } from "../../../runtime/storage/journal.ts";
import { compileText, HEAD } from "../../support/compile-document.ts";
import { RunWorld, type TestHandler } from "../../support/run-world.ts";
import { FOREVER, runsBed, SIGNAL } from "../../support/runs-bed.ts";
import { startOf, startRunsNode } from "../../support/runs-node.ts";

/** Just too large for an entry, and just too large for a row. */
const SIZES = [8 * 1024 + 1, 256 * 1024 + 1] as const;

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
    fc.tuple(text, text).map(([detail, data]): Entry["event"] => ({
      $case: "attemptFailed",
      value: { frame: 1, attempt: 1, error: { type: "t", status: 500, title: "T", detail, instance: "/do/0", data }, retryOffsetMs: undefined },
    })),
    text.map((detail): Entry["event"] => ({
      $case: "runEnded",
      value: { status: statusToWire("failed"), output: undefined, error: { type: "t", status: 500, title: "", detail, instance: "", data: "" } },
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

  describe("in errors", () => {
    const fail: TestHandler = () => ({ kind: "failed", error: { kind: "thrown", message: "no", details: JSON.stringify("d".repeat(SIZES[1])) } });
    const raise = "raise: { error: { type: 'https://example.org/x', status: 409, detail: '${ .text }' } }";
    const RETRY = "{ limit: { attempt: { count: 1 } } }";
    /** How each kind of fact comes to have an error in it: its number in the contract, and a document. */
    const PLACES: Readonly<Record<string, readonly [place: number, body: string]>> = {
      taskFaulted: [2, `do: [{ bad: { ${raise} } }]`],
      runEnded: [3, `do: [{ bad: { ${raise} } }]`],
      errorCaught: [
        2,
        `do: [{ safe: { try: [{ bad: { ${raise} } }], catch: { do: [{ shown: { set: { length: '\${ $error.detail | length }' } } }] } } }]`,
      ],
      tryRetried: [3, `do: [{ safe: { try: [{ bad: { ${raise} } }], catch: { retry: ${RETRY} } } }]`],
      compensationStarted: [2, `do: [{ a: { set: '\${ . }', metadata: { compensate: [{ undo: { set: { a: 1 } } }] } } }, { bad: { ${raise} } }]`],
    };

    for (const size of SIZES) {
      for (const [kind, [place, body]] of Object.entries(PLACES)) {
        it(`are moved out of ${kind} at ${size} characters, and show how they begin`, async () => {
          const run = new RunWorld(await compileText(HEAD + body)).start({ text: "x".repeat(size) });
          const { entries, payloads } = moveOut(run.entries, 1);
          const index = entries.findIndex(({ event }) => event?.$case === kind);
          assert.ok(index >= 0, `the run has a ${kind}`);
          const moved = payloads.find(({ seq, place: at }) => seq === index + 1 && at === place);
          assert.equal(moved?.bytes.length, size);
          assert.match(JSON.stringify(entries[index]), /x{200}… \(\d+ bytes\)/);
          const journal = { readPayload: async (_: unknown, seq: number, at: number) => find(payloads, seq, at) };
          assert.deepEqual(encodeEntries(await bringBack(journal, runId, entries, 1)), encodeEntries(run.entries));
        });
      }
    }

    it("are moved out with what a task says beside its message, which expressions see", async () => {
      const body =
        "do: [{ safe: { try: [{ bad: { call: charge@default } }], catch: { do: [{ shown: { set: { n: '${ $error.data | length }' } } }] } } }]";
      const run = new RunWorld(await compileText(HEAD + body), { charge: fail }).start();
      assert.deepEqual(run.output, { n: SIZES[1] });
      const { entries, payloads } = moveOut(run.entries, 1);
      assert.deepEqual(
        payloads.map(({ seq, place }) => [entries[seq - 1]?.event?.$case, place]),
        [
          ["attemptFailed", 1003],
          ["taskFaulted", 1002],
          ["taskFaulted", 1002],
          ["errorCaught", 1002],
        ],
      );
      assert.ok(encodeEntries(entries).length < 2_000);
    });

    it("of an unknown number are noticed", async () => {
      const entry: Entry = { offsetMs: 1, event: { $case: "taskCancelled", value: { frame: 1 } }, moved: [{ place: 9, bytes: 10_000 }] };
      const journal = { readPayload: async () => Buffer.from("x") };
      await assert.rejects(bringBack(journal, runId, [entry], 1), { code: "JOURNAL_CORRUPT" });
    });
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

    it("come back with the error of a run that failed", async () => {
      const body = "do: [{ bad: { raise: { error: { type: 'https://example.org/x', status: 409, detail: '${ .text }' } } } }]";
      for (const size of SIZES) {
        const { runId: id } = await bed.node.runs.start(startOf(await bed.store.deploy(body), { text: "x".repeat(size) }));
        await bed.node.runs.outcome(id, FOREVER);
        await bed.node.stop();
        bed.node = await startRunsNode(bed.store, bed.tasks);
        assert.equal((await bed.node.runs.get(id)).error?.detail?.length, size);
        const rows = bed.store.memory.rows.get(id) ?? [];
        assert.ok(rows.reduce((bytes, row) => bytes + row.entries.length, 0) < 2_000, "the rows of the journal stay short");
        const ended = (await bed.node.runs.history(id, 1, 100)).at(-1);
        assert.ok((ended?.error?.detail?.length ?? 0) < 300);
      }
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

function find(payloads: readonly RunPayload[], seq: number, place: number): Uint8Array {
  return payloads.find((payload) => payload.seq === seq && payload.place === place)?.bytes ?? assert.fail(`no payload ${seq}/${place}`);
}
