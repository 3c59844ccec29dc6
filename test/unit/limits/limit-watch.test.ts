import assert from "node:assert/strict";
import fc from "fast-check";
import { virtualClock } from "../../../runtime/clock.ts";
import { EventHub, type RuntimeEvents } from "../../../runtime/events.ts";
import { LimitEdge, LimitWatch } from "../../../runtime/limit-watch.ts";
import { LIMITS } from "../../../runtime/limits.ts";
import { isNear } from "../../../runtime/watched-limits.ts";

function setUp() {
  const clock = virtualClock();
  const events = new EventHub();
  const seen: RuntimeEvents["limit.near"][] = [];
  events.on("limit.near", (event) => seen.push(event));
  return { clock, seen, watch: new LimitWatch(clock, events) };
}

describe("LimitEdge", () => {
  it("tells once when more than half is used, with what, how much, and of how much", () => {
    const { seen, watch } = setUp();
    const edge = new LimitEdge(watch, "activeRuns", "runs", 100);
    for (let value = 0; value <= 100; value++) edge.note(value);
    assert.deepEqual(seen, [{ limit: "activeRuns", value: 51, bound: 100, subject: "runs", suppressed: 0 }]);
  });

  it("tells again only after less than a quarter was used", () => {
    const { clock, seen, watch } = setUp();
    const edge = new LimitEdge(watch, "activeRuns", "runs", 100);
    for (const value of [51, 49, 51, 26, 51, 25, 51]) {
      edge.note(value);
      clock.advance(60_000);
    }
    assert.equal(seen.length, 2);
  });

  it("never tells twice without having been far in between, whatever comes", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(120), { maxLength: 200 }), (values) => {
        let near = false;
        let highest = 0;
        for (const value of values) {
          const now = isNear(near, value, 100);
          if (now && !near) assert.ok(value > 50 && highest <= 50, `told at ${value} after ${highest}`);
          if (near && !now) highest = 0;
          near = now;
          highest = value <= 25 ? value : Math.max(highest, value);
        }
      }),
    );
  });
});

describe("LimitWatch", () => {
  it("tells of one limit every ten seconds at most, and how many it did not tell of", () => {
    const { clock, seen, watch } = setUp();
    for (let run = 0; run < 5; run++) watch.near("framesPerRun", 60_000, { subject: "a run", runId: `r${run}`, workflow: "default/w" });
    watch.near("bufferedSignals", 9_000, { subject: "a run", runId: "r9" });
    clock.advance(10_000);
    watch.near("framesPerRun", 70_000, { subject: "a run", runId: "r6", workflow: "default/w" });
    assert.deepEqual(
      seen.map(({ limit, runId, suppressed, bound }) => [limit, runId, suppressed, bound]),
      [
        ["framesPerRun", "r0", 0, LIMITS.framesPerRun],
        ["bufferedSignals", "r9", 0, LIMITS.bufferedSignals],
        ["framesPerRun", "r6", 4, LIMITS.framesPerRun],
      ],
    );
  });

  it("measures single things, and does not even name what is small", () => {
    const { seen, watch } = setUp();
    watch.measure("payloadBytes", LIMITS.payloadBytes / 2, () => assert.fail("it is not near"));
    watch.measure("payloadBytes", LIMITS.payloadBytes / 2 + 1, () => ({ subject: "a payload" }));
    assert.deepEqual(
      seen.map(({ value }) => value),
      [LIMITS.payloadBytes / 2 + 1],
    );
  });
});
