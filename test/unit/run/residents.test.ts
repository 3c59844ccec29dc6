/** Who counts as work under way, from admission to the end. */
import assert from "node:assert/strict";
import { Residents } from "../../../actors/run/residents.ts";
import { newRunId } from "../../../runtime/ids.ts";
import { seededRandom } from "../../../runtime/random.ts";

const random = seededRandom(1);
const id = () => newRunId(1, 0, random);

describe("residents", () => {
  it("count a run from its admission to its end, and not while it only waits", () => {
    const residents = new Residents();
    const runId = id();
    residents.note(runId, "admitted");
    assert.equal(residents.activeCount, 1);
    residents.add(runId);
    assert.equal(residents.activeCount, 1, "the actor that comes is the run that was admitted");
    residents.note(runId, "active");
    assert.deepEqual([residents.activeCount, residents.willTell(runId)], [1, true]);
    residents.note(runId, "waiting");
    assert.deepEqual([residents.activeCount, residents.willTell(runId)], [0, true]);
    residents.note(runId, "ended");
    assert.deepEqual([residents.activeCount, residents.willTell(runId), residents.has(runId)], [0, false, true]);
    residents.remove(runId);
    assert.equal(residents.has(runId), false);
  });

  it("count a run once, however often the same is noted of it", () => {
    const residents = new Residents();
    const runId = id();
    for (const residence of ["active", "active", "waiting", "waiting", "active", "active"] as const) residents.note(runId, residence);
    assert.equal(residents.activeCount, 1);
    for (const residence of ["waiting", "ended", "ended"] as const) residents.note(runId, residence);
    residents.remove(runId);
    assert.equal(residents.activeCount, 0);
  });

  it("forget an admitted run that did not come, and only that", () => {
    const residents = new Residents();
    const [gone, there] = [id(), id()];
    residents.note(gone, "admitted");
    residents.note(there, "active");
    for (const runId of [gone, there]) residents.withdraw(runId);
    assert.deepEqual([residents.has(gone), residents.has(there), residents.activeCount], [false, true, 1]);
  });
});
