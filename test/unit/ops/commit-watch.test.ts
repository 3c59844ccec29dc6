import assert from "node:assert/strict";
import { CommitWatch } from "../../../ops/commit-watch.ts";
import { virtualClock } from "../../../runtime/clock.ts";
import { EventHub } from "../../../runtime/events.ts";

function world() {
  const [clock, events, told] = [virtualClock(), new EventHub(), [] as string[]];
  new CommitWatch({ clock, events, onStalled: (reason) => told.push(reason), onRecovered: () => told.push("recovered") });
  const retry = (lane: number) => events.emit("journal.retried", { lane, attempt: 1, reason: "No space left on device" });
  const commit = (lane: number) => events.emit("journal.committed", { lane, writes: 1, entries: 1, bytes: 1, durationMs: 1 });
  return { clock, told, retry, commit };
}

describe("the watch over commits", () => {
  it("tells of a lane that only retries for seconds, with the reason, and of its next commit", () => {
    const { clock, told, retry, commit } = world();
    retry(0);
    clock.advance(2_000);
    retry(0);
    assert.deepEqual(told, []);
    clock.advance(2_000);
    retry(0);
    commit(0);
    commit(0);
    assert.deepEqual(told, ["lane 0 has committed nothing for 4 s: No space left on device", "recovered"]);
  });

  it("says nothing of a lane that commits between its retries", () => {
    const { clock, told, retry, commit } = world();
    for (let round = 0; round < 5; round += 1) {
      retry(0);
      clock.advance(2_000);
      commit(0);
    }
    assert.deepEqual(told, []);
  });

  it("waits for every lane that retries", () => {
    const { clock, told, retry, commit } = world();
    for (const lane of [0, 1]) retry(lane);
    clock.advance(5_000);
    for (const lane of [0, 1]) retry(lane);
    commit(0);
    assert.ok(!told.includes("recovered"));
    commit(1);
    assert.equal(told.at(-1), "recovered");
  });
});
