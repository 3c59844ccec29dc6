/** Runs near their bounds: real actors over the journal in memory. */
import assert from "node:assert/strict";
import type { Workflow } from "../../../actors/language/model.ts";
import { emptyRun } from "../../../actors/run/core/state.ts";
import { RunLimits } from "../../../actors/run/run-limits.ts";
import { EventHub, type RuntimeEvents } from "../../../runtime/events.ts";
import { newRunId } from "../../../runtime/ids.ts";
import { LimitWatch } from "../../../runtime/limit-watch.ts";
import { LIMITS } from "../../../runtime/limits.ts";
import { seededRandom } from "../../../runtime/random.ts";
import { runsBed, SIGNAL } from "../../support/runs-bed.ts";
import { startOf } from "../../support/runs-node.ts";
import { waitUntil } from "../../support/wait-until.ts";

describe("a run near its bounds", () => {
  const bed = runsBed();
  let seen: RuntimeEvents["limit.near"][];
  const of = (limit: string): RuntimeEvents["limit.near"][] => seen.filter((event) => event.limit === limit);
  beforeEach(() => {
    seen = [];
    bed.node.events.on("limit.near", (event) => seen.push(event));
  });

  it("is told of when a payload has more than half of the bytes that one may have", async () => {
    const id = await bed.store.deploy(SIGNAL);
    await bed.node.runs.start(startOf(id, "x".repeat(LIMITS.payloadBytes / 4)));
    assert.deepEqual(seen, []);
    const { runId } = await bed.node.runs.start(startOf(id, "x".repeat(LIMITS.payloadBytes / 2)));
    const [event, ...more] = of("payloadBytes");
    assert.deepEqual([event?.runId, event?.workflow, more], [runId, "test/sample", []]);
  });

  it("is told of once when signals pile up that nobody consumes", async () => {
    const { runId } = await bed.node.runs.start(startOf(await bed.store.deploy(SIGNAL)));
    const signal = (index: number) => bed.node.runs.signal(runId, { name: "other", payload: "1", signalId: `${index}` });
    // While the store is away the run takes none: how many it took beside those that were still coming would depend on the machine.
    bed.node.faults.isDown = true;
    const sent = Promise.all(Array.from({ length: LIMITS.bufferedSignals / 2 + 300 }, (_, index) => signal(index)));
    await waitUntil("what waits at the run to be told of", () => of("mailboxLength").some((waiting) => waiting.runId === runId));
    bed.node.faults.isDown = false;
    await sent;
    const [event, ...more] = of("bufferedSignals");
    assert.equal(event?.runId, runId);
    assert.ok((event?.value ?? 0) > LIMITS.bufferedSignals / 2);
    assert.deepEqual(more, []);
  });

  it("is told of when its context is large", async () => {
    const half = LIMITS.expressionResultBytes / 2;
    const body = `do: [{ grow: { set: { text: '\${ "x" * ${half} }' }, export: { as: '\${ .text }' } } }, { ask: { call: signal@default, with: { name: go } } }]`;
    const { runId } = await bed.node.runs.start(startOf(await bed.store.deploy(body)));
    await waitUntil("the context to be told of", () => of("expressionResultBytes")[0]?.runId === runId);
  });

  it("is told of once for each time that tasks to undo are many", async () => {
    const id = await bed.store.deploy(SIGNAL);
    const runId = newRunId(1, 0, seededRandom(1));
    const events = new EventHub();
    const told: number[] = [];
    events.on("limit.near", ({ value }) => told.push(value));
    const limits = new RunLimits(new LimitWatch({ ...bed.store.clock, monotonic: () => told.length * 60_000 }, events), runId);
    const state = emptyRun(runId, id, bed.store.workflows.get(id) as Workflow);
    for (const share of [0.4, 0.6, 0.4, 0.6, 0.2, 0.6]) {
      state.undoable = LIMITS.undoPerRun * share;
      limits.noteTurn(state, []);
    }
    assert.deepEqual(told, [LIMITS.undoPerRun * 0.6, LIMITS.undoPerRun * 0.6]);
  });

  it("is told of once when its history is long, and not again after it was read back", async () => {
    const id = await bed.store.deploy(SIGNAL);
    const runId = newRunId(1, 0, seededRandom(1));
    const events = new EventHub();
    const told: [string, number][] = [];
    events.on("limit.near", ({ limit, value }) => told.push([limit, value]));
    const watch = new LimitWatch({ ...bed.store.clock, monotonic: () => told.length * 60_000 }, events);
    const state = emptyRun(runId, id, bed.store.workflows.get(id) as Workflow);
    const limits = new RunLimits(watch, runId);
    for (const lastSeq of [99_000, 100_000, 100_500, 300_000]) limits.noteTurn(Object.assign(state, { lastSeq }), []);
    const again = new RunLimits(watch, runId);
    again.noteLoaded(state);
    again.noteTurn(state, []);
    assert.deepEqual(told, [["historyEntries", 100_500]]);
  });
});
