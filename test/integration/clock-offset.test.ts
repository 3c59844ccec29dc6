/** What a node says whose wall clock is not that of its PostgreSQL. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { loadConfig } from "../../ops/config.ts";
import { type RunningNode, startNode } from "../../ops/node.ts";
import { type Clock, systemClock } from "../../runtime/clock.ts";
import type { RuntimeEvents } from "../../runtime/events.ts";
import { freshDatabase, temporaryFolder } from "../support/pg-fixture.ts";
import { waitUntil } from "../support/wait-until.ts";

const SHIFT_MS = 2_000;
/** A busy machine answers late: nothing is certain of the clock before one answer came in time. */
const PATIENCE_MS = 60_000;

describe("a node whose clock is off", function () {
  this.timeout(4 * PATIENCE_MS);
  const system = systemClock();
  const logFile = join(temporaryFolder(), "node.log");
  let shiftMs = SHIFT_MS;
  let node: RunningNode;
  const changes: (readonly ["skewed" | "aligned", RuntimeEvents["clock.skewed"]])[] = [];

  before(async () => {
    const clock: Clock = { ...system, now: () => system.now() + shiftMs };
    const flags = { nodeName: "n1", pgUrl: await freshDatabase(), grpcPort: "0", opsPort: "0", threads: "1", leaseMs: "1500", logFile };
    node = await startNode({ config: loadConfig({ env: {}, flags }), prettyLog: false, clock });
    node.events.on("clock.skewed", (event) => changes.push(["skewed", event]));
    node.events.on("clock.aligned", (event) => changes.push(["aligned", event]));
  });
  after(() => node.stop());

  /** The metric, once it is there. */
  async function offsetSeconds(): Promise<number | undefined> {
    const page = await (await fetch(`http://127.0.0.1:${node.opsPort}/metrics`)).text();
    const value = /^maestro_clock_offset_seconds\{node="n1"\} (\S+)$/m.exec(page)?.[1];
    return value === undefined ? undefined : Number(value);
  }

  async function awaitOffset(wantedMs: number): Promise<void> {
    const isShown = async () => Math.abs(((await offsetSeconds()) ?? Number.NaN) * 1_000 - wantedMs) < 250;
    await waitUntil(`the metric to show ${wantedMs} ms`, isShown, PATIENCE_MS);
  }

  const loggedOf = (event: string) =>
    readFileSync(logFile, "utf8")
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>)
      .filter((line) => line.event === event);

  it("says so when it begins with such a clock, in its log and its metrics, and works nevertheless", async () => {
    await awaitOffset(SHIFT_MS);
    const line = await waitUntil("the line in the log", () => loggedOf("clock.skewed")[0], PATIENCE_MS);
    assert.equal(line.level, "warn");
    assert.match(String(line.msg), /is [12]\.\d s ahead of PostgreSQL's$/);
    assert.match(String(line.advice), /^Check NTP /);
    assert.equal((await fetch(`http://127.0.0.1:${node.opsPort}/readyz`)).status, 200);
  });

  it("says once that the clock is right again, and once that it has leapt the other way", async () => {
    assert.deepEqual(changes.splice(0).slice(1), [], "it is told once");
    shiftMs = 0;
    await awaitOffset(0);
    await waitUntil("the node to say so", () => changes.length > 0, PATIENCE_MS);
    shiftMs = -SHIFT_MS;
    await awaitOffset(-SHIFT_MS);
    await waitUntil("the node to say so", () => changes.length > 1, PATIENCE_MS);
    const [aligned, skewed, ...more] = changes;
    assert.deepEqual([aligned?.[0], skewed?.[0], more], ["aligned", "skewed", []]);
    assert.ok((skewed?.[1].offsetMs ?? 0) < -SHIFT_MS + 250);
    assert.equal(loggedOf("clock.skewed").length, 2);
  });
});
