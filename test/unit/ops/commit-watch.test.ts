import assert from "node:assert/strict";
import { CommitWatch } from "../../../ops/commit-watch.ts";
import { virtualClock } from "../../../runtime/clock.ts";
import { EventHub } from "../../../runtime/events.ts";

function world() {
  const [clock, events, told] = [virtualClock(), new EventHub(), [] as string[]];
  new CommitWatch({ clock, events, onStalled: (reason) => told.push(reason), onRecovered: () => told.push("recovered") });
  const begin = (lane: number) => events.emit("journal.begun", { lane });
  const retry = (lane: number) => events.emit("journal.retried", { lane, attempt: 1, reason: "No space left on device" });
  const settle = (lane: number) => events.emit("journal.settled", { lane });
  const pass = (durationMs: number) => {
    for (let passedMs = 0; passedMs < durationMs; passedMs += 100) clock.advance(100);
  };
  return { told, begin, retry, settle, pass };
}

describe("the watch over commits", () => {
  it("tells of a lane that only retries for seconds, with the reason, and of its next commit", () => {
    const { told, begin, retry, settle, pass } = world();
    begin(0);
    retry(0);
    pass(2_900);
    assert.deepEqual(told, []);
    pass(100);
    assert.deepEqual(told, ["lane 0 has committed nothing for 3 s: No space left on device"]);
    settle(0);
    begin(0);
    settle(0);
    assert.equal(told.length, 2);
    assert.equal(told.at(-1), "recovered");
  });

  it("tells of a lane that gets no answer at all", () => {
    const { told, begin, pass } = world();
    begin(1);
    pass(3_000);
    assert.deepEqual(told, ["lane 1 has committed nothing for 3 s: no answer"]);
  });

  it("says nothing of a lane that settles what it has, however busy it is", () => {
    const { told, begin, retry, settle, pass } = world();
    for (let round = 0; round < 5; round += 1) {
      begin(0);
      retry(0);
      pass(2_000);
      settle(0);
    }
    assert.deepEqual(told, []);
  });

  it("says nothing of a lane that has nothing to do, also after one write was refused for good", () => {
    const { told, begin, retry, settle, pass } = world();
    begin(0);
    retry(0);
    settle(0);
    pass(60_000);
    assert.deepEqual(told, []);
  });

  it("waits for every lane that is stalled", () => {
    const { told, begin, settle, pass } = world();
    for (const lane of [0, 1]) begin(lane);
    pass(5_000);
    settle(0);
    assert.ok(!told.includes("recovered"));
    settle(1);
    assert.equal(told.at(-1), "recovered");
  });
});
