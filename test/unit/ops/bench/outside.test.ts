/** What the benchmarks take from elsewhere and give away: ends of runs, lines of other engines' scripts, plots. */
import assert from "node:assert/strict";
import type { Figure } from "../../../../ops/bench/benchmark.ts";
import { OutageLog } from "../../../../ops/bench/outage-report.ts";
import { obstacleOf, PEER_ENGINES, summariesOf } from "../../../../ops/bench/peer-engines.ts";
import { awaitEnds } from "../../../../ops/bench/storm-watch.ts";
import { plotOf } from "../../../../ops/bench/svg-plot.ts";
import { virtualClock } from "../../../../runtime/clock.ts";
import { EventHub } from "../../../../runtime/events.ts";

const END = { runId: "", workflow: "bench/storm", status: "completed", durationMs: 1 };

function figure(name: string, unit: string, median: number): Figure {
  return { name, unit, about: name, min: median / 2, median, max: median * 2, details: {} };
}

describe("a storm", () => {
  it("is over when the last of its runs has ended, and each was as late as it was", async () => {
    const [clock, events] = [virtualClock(), new EventHub()];
    const report = awaitEnds({ kind: "ends", count: 3, dueAtMs: clock.now() + 100, timeoutMs: 1_000 }, events, clock);
    for (const delayMs of [90, 20, 40]) {
      clock.advance(delayMs);
      events.emit("run.ended", END);
    }
    assert.deepEqual(await report, { p50Ms: 10, p99Ms: 50, lastMs: 50, early: 1 });
  });

  it("that does not end says how many did", async () => {
    const [clock, events] = [virtualClock(), new EventHub()];
    const report = awaitEnds({ kind: "ends", count: 3, dueAtMs: clock.now() + 100, timeoutMs: 1_000 }, events, clock);
    events.emit("run.ended", END);
    clock.advance(1_200);
    await assert.rejects(report, /1 of 3 runs have ended 1000 ms after/);
  });
});

describe("other engines", () => {
  it("are heard where they sum up a workload that ours has, too", () => {
    const summary = { engine: "restate", settings: "conc 100", unit: "wf/s", min: 1, median: 2, max: 3, p50: 4, p99: 5 };
    const lines = [
      "starting",
      ...["W1a", "W1a:summary", "W1b:summary", "W2:summary", "W4:summary"].map((fig) => JSON.stringify({ ...summary, fig })),
    ];
    assert.deepEqual(
      summariesOf(lines).map(({ fig }) => fig),
      ["W1a:summary", "W1b:summary", "W2:summary"],
    );
  });

  it("that can't run say what is missing", () => {
    const [engine] = PEER_ENGINES;
    assert.match((engine && obstacleOf(engine, "/nowhere")) ?? "", /\/nowhere has no restate\/bench.mjs/);
  });
});

describe("a plot", () => {
  it("has a bar for each figure, as long as its median is of the greatest value of its unit", () => {
    const svg = plotOf("core <1>", [figure("a", "runs/s", 100), figure("b", "runs/s", 50), figure("c", "ms", 7)]);
    const widths = [...svg.matchAll(/class="bar" x="\d+" y="[\d.]+" width="([\d.]+)"/g)].map((match) => Number(match[1]));
    assert.equal(widths.length, 3);
    assert.equal(widths[0], (widths[1] ?? 0) * 2);
    assert.equal(widths[0], widths[2]);
    assert.match(svg, />core &lt;1&gt;</);
  });

  it("of a figure that could not be measured has no length", () => {
    assert.match(plotOf("none", [figure("a", "x", Number.NaN)]), /class="bar" x="\d+" y="[\d.]+" width="0"/);
  });
});

describe("what clients notice of an outage", () => {
  it("is told by times, gaps and codes", () => {
    const log = new OutageLog(1_000);
    for (const [sentMs, nowMs] of [
      [1_000, 1_010],
      [1_005, 1_500],
      [1_100, 1_510],
    ] as const)
      log.complete(sentMs, nowMs);
    log.fail("NODE_UNREACHABLE", true);
    log.fail("NODE_UNREACHABLE", true);
    log.fail("NODE_STOPPING", false);
    assert.deepEqual(log.report(1_600), {
      ...{ completed: 3, failed: 1, repeated: 2, codes: { NODE_UNREACHABLE: 2, NODE_STOPPING: 1 } },
      ...{ p50Ms: 410, p99Ms: 495, maxMs: 495, longestGapMs: 490, elapsedMs: 600 },
    });
    assert.equal(log.report(9_999).longestGapMs, 8_489, "also when nothing comes any more");
  });
});
