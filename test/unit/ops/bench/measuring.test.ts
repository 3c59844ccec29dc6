/** The benchmarks' own arithmetic: loads, rounds, tables. What they measure is nobody's test. */
import assert from "node:assert/strict";
import { type BenchSetting, type Figure, measureInTurn, percentile } from "../../../../ops/bench/benchmark.ts";
import { closedLoop } from "../../../../ops/bench/closed-loop.ts";
import { ratios } from "../../../../ops/bench/ratios.ts";
import { tablesOf } from "../../../../ops/bench/report.ts";
import { requireResult, WORKLOADS } from "../../../../ops/bench/workload.ts";
import { virtualClock } from "../../../../runtime/clock.ts";
import { seededRandom } from "../../../../runtime/random.ts";

function setting(rounds: number, signal = new AbortController().signal): BenchSetting {
  const ports = { clock: virtualClock(), random: seededRandom(1) };
  return {
    ...ports,
    rounds,
    roundMs: 1_000,
    scale: 1,
    long: false,
    signal,
    profileFolder: undefined,
    peersFolder: undefined,
    target: undefined,
    progress: () => undefined,
    remark: () => undefined,
  };
}

function figure(name: string, median: number, details: Figure["details"] = {}): Figure {
  return { name, unit: "runs/s", about: `about ${name}`, min: median - 1, median, max: median + 1, details };
}

describe("closedLoop", () => {
  it("starts an operation when the previous one has ended, until the time is up", async () => {
    const clock = virtualClock();
    const report = await closedLoop({ inFlight: 1, durationMs: 100 }, clock, async () => clock.advance(10));
    assert.deepEqual({ ...report, cpuUs: 0 }, { operations: 10, elapsedMs: 100, cpuUs: 0, p50Ms: 10, p95Ms: 10, p99Ms: 10 });
  });

  it("ends after as many operations as were asked for", async () => {
    const clock = virtualClock();
    const report = await closedLoop({ inFlight: 4, durationMs: 1_000, operations: 10 }, clock, async () => clock.advance(1));
    assert.equal(report.operations, 10);
  });

  it("ends with the first failure, long before its time", async () => {
    const clock = virtualClock();
    let started = 0;
    const operation = async (): Promise<void> => {
      started += 1;
      clock.advance(1);
      if (started === 5) throw new Error("the fifth");
    };
    await assert.rejects(closedLoop({ inFlight: 2, durationMs: 1_000 }, clock, operation), /the fifth/);
    assert.ok(started < 20, `${started} operations were started`);
  });

  it("gives up on an operation that never ends", async () => {
    const clock = virtualClock();
    const load = closedLoop({ inFlight: 3, durationMs: 100 }, clock, () => new Promise(() => undefined));
    clock.advance(60_000);
    await assert.rejects(load, /have not ended/);
  });
});

describe("measureInTurn", () => {
  it("takes a round of each before the next round of any", async () => {
    const order: string[] = [];
    const thing = (name: string, values: number[]) => ({
      label: { name, unit: "us", about: name },
      round: () => {
        order.push(name);
        const value = values.shift() ?? Number.NaN;
        return { value, details: { "twice us": 2 * value } };
      },
    });
    const figures = await measureInTurn(setting(3), [thing("a", [3, 1, 2]), thing("b", [9, 9, 9])]);
    assert.equal(order.join(""), "ababab");
    assert.deepEqual(figures[0], {
      ...{ name: "a", unit: "us", about: "a", min: 1, median: 2, max: 3 },
      details: { "twice us": { min: 2, median: 4, max: 6 } },
    });
  });

  it("stops between rounds when it is interrupted", async () => {
    const interrupted = new AbortController();
    let rounds = 0;
    const round = () => {
      rounds += 1;
      interrupted.abort(new Error("interrupted"));
      return { value: 1 };
    };
    await assert.rejects(measureInTurn(setting(3, interrupted.signal), [{ label: { name: "a", unit: "", about: "" }, round }]), /interrupted/);
    assert.equal(rounds, 1);
  });
});

describe("figures", () => {
  it("are compared by what the machine gives without it", () => {
    const four = figure("group commit, 1", 500, { "p50 ms": { min: 2, median: 2, max: 2 } });
    const compared = ratios([four, figure("W1a unary, 300", 1_000), figure("gRPC unary echo, 300", 4_000), figure("W1b stream, p50", 5)]);
    assert.deepEqual(
      compared.map(({ name, median }) => [name, median]),
      [
        ["W1a unary, 300 / gRPC unary echo, 300", 0.25],
        ["W1b stream, p50 / group commit, 1", 2.5],
      ],
    );
  });

  it("stand in a table for each kind of details, and each is explained", () => {
    const text = tablesOf([figure("a", 12_345), figure("b", 1.23456, { "p50 ms": { min: 1, median: 2, max: 3 } })]);
    assert.match(text, /^a +runs\/s +12,344 +12,345 +12,346$/m);
    assert.match(text, /^b +runs\/s +0\.235 +1\.23 +2\.23 +2\.00$/m);
    assert.match(text, /^a +about a$/m);
  });

  it("have percentiles", () => {
    const sorted = Array.from({ length: 100 }, (_none, index) => index);
    assert.deepEqual([percentile(sorted, 0.5), percentile(sorted, 0.99), percentile(sorted, 1), percentile([], 0.5)], [50, 99, 99, Number.NaN]);
  });

  it("of a run that ended in anything but its result are not taken", () => {
    requireResult(WORKLOADS.w1, "completed", WORKLOADS.w1.output, undefined);
    assert.throws(() => requireResult(WORKLOADS.w1, "failed", undefined, { title: "Broken" }), /failed.*Broken/);
    assert.throws(() => requireResult(WORKLOADS.w1, "completed", "null", undefined), /did not end with its result/);
  });
});
