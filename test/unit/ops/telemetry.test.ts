import assert from "node:assert/strict";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LOG_TABLE } from "../../../ops/log-table.ts";
import { logEvents, openLog } from "../../../ops/pino-logging.ts";
import { type NodeMetrics, openMetrics } from "../../../ops/prom-metrics.ts";
import { EventHub } from "../../../runtime/events.ts";

describe("the log", () => {
  const file = join(tmpdir(), `maestro-log-${process.pid}.jsonl`);
  afterEach(() => rmSync(file, { force: true }));

  function linesOf(level: "debug" | "info" | "warn", emit: (events: EventHub) => void): Record<string, unknown>[] {
    const events = new EventHub();
    const log = openLog({ level, pretty: false, file, base: { node: "n1" }, now: () => 0, onLost: () => undefined });
    const stop = logEvents(events, log, level);
    emit(events);
    stop();
    emit(events);
    log.close();
    const text = readFileSync(file, "utf8");
    return text.split("\n").flatMap((line) => (line === "" ? [] : [JSON.parse(line) as Record<string, unknown>]));
  }

  it("refuses a file in a folder that is not there, and does not make it", () => {
    const folder = join(tmpdir(), "maestro-no-such-folder");
    const open = () => openLog({ level: "info", pretty: false, file: join(folder, "node.log"), base: {}, now: () => 0, onLost: () => undefined });
    assert.throws(open, /MAESTRO_LOG_FILE can't be written: ENOENT/);
    assert.equal(existsSync(folder), false);
  });

  it("writes a JSON line for an event, with its name, level and facts, until it is told to stop", () => {
    const lines = linesOf("info", (events) => events.emit("lease.failed", { reason: "no route" }));
    assert.equal(lines.length, 1);
    const [line] = lines;
    assert.equal(line?.level, "warn");
    assert.equal(line?.event, "lease.failed");
    assert.equal(line?.reason, "no route");
    assert.equal(line?.time, "1970-01-01T00:00:00.000Z");
  });

  it("gives a task's own lines the level that the task chose", () => {
    const lines = linesOf("info", (events) =>
      events.emit("task.log", { level: "error", runId: "r", task: "/do/0/a", attempt: 2, message: "disk full" }),
    );
    assert.deepEqual([lines[0]?.level, lines[0]?.msg, lines[0]?.attempt], ["error", "disk full", 2]);
  });

  it("says what an error was, with its stack", () => {
    const lines = linesOf("info", (events) => events.emit("actor.failed", { path: "/a", directive: "restart", error: new Error("boom") }));
    assert.equal(lines[0]?.problem, "boom");
    assert.match(String(lines[0]?.stack), /telemetry\.test/);
  });

  it("says nothing about an audit that found nothing", () => {
    const lines = linesOf("info", (events) => {
      events.emit("run.withoutWakeup", { runIds: [] });
      events.emit("run.withoutWakeup", { runIds: ["r1"] });
    });
    assert.deepEqual(
      lines.map((line) => line.runIds),
      [["r1"]],
    );
  });

  it("warns of a limit that is near, with what to do about it", () => {
    const near = { limit: "activeRuns", value: 30_000, bound: 50_000, subject: "runs with work under way", suppressed: 0 } as const;
    const [line] = linesOf("info", (events) => events.emit("limit.near", near));
    assert.deepEqual([line?.level, line?.limit, line?.value, line?.bound], ["warn", "activeRuns", 30_000, 50_000]);
    assert.match(String(line?.advice), /^More runs are started than end/);
  });

  it("warns of a clock that is off, with what comes of it, and says that it is right again", () => {
    const lines = linesOf("info", (events) => {
      events.emit("clock.compared", { offsetMs: 2_000.4, uncertaintyMs: 1.2 });
      events.emit("clock.skewed", { offsetMs: 2_000.4, uncertaintyMs: 1.2 });
      events.emit("clock.skewed", { offsetMs: -61_540, uncertaintyMs: 9 });
      events.emit("clock.aligned", { offsetMs: 0.2, uncertaintyMs: 1 });
    });
    assert.deepEqual(
      lines.map(({ level, msg, offsetMs, uncertaintyMs }) => [level, msg, offsetMs, uncertaintyMs]),
      [
        ["warn", "this node's wall clock is 2.0 s ahead of PostgreSQL's", 2_000, 1],
        ["warn", "this node's wall clock is 61.5 s behind PostgreSQL's", -61_540, 9],
        ["info", "this node's wall clock agrees with PostgreSQL's again", 0, 1],
      ],
    );
    assert.match(String(lines[0]?.advice), /^Check NTP .* set fire early by that here, and those set here fire late /);
    assert.match(String(lines[1]?.advice), /^Check NTP .* set fire late by that here, and those set here fire early /);
  });

  it("does not even listen to what it would not write", () => {
    const events = new EventHub();
    const log = openLog({ level: "warn", pretty: false, file, base: {}, now: () => 0, onLost: () => undefined });
    const stop = logEvents(events, log, "warn");
    assert.equal(events.has("run.started"), false);
    assert.equal(events.has("lease.failed"), true);
    stop();
  });
});

describe("the metrics", () => {
  let metrics: NodeMetrics;
  let events: EventHub;
  beforeEach(() => {
    events = new EventHub();
    metrics = openMetrics(events, "n1");
  });
  afterEach(() => metrics.close());

  async function metricOf(name: string, label = ""): Promise<number | undefined> {
    const { text } = await metrics.page();
    const line = text.split("\n").find((candidate) => candidate.startsWith(`${name}{`) && candidate.includes(label));
    return line === undefined ? undefined : Number(line.split(" ").at(-1));
  }

  it("counts runs as operators know them", async () => {
    events.emit("run.started", { runId: "r1", workflow: "w" });
    events.emit("run.started", { runId: "r2", workflow: "w" });
    events.emit("run.ended", { runId: "r1", workflow: "w", status: "completed", durationMs: 1500 });
    events.emit("run.ended", { runId: "r2", workflow: "w", status: "failed", durationMs: 500 });
    assert.equal(await metricOf("maestro_jobs_started_total"), 2);
    assert.equal(await metricOf("maestro_jobs_succeeded_total"), 1);
    assert.equal(await metricOf("maestro_jobs_failed_total"), 1);
    assert.equal(await metricOf("maestro_workflow_run_duration_seconds_count", 'status="failed"'), 1);
    assert.equal(await metricOf("maestro_job_latency_seconds_sum"), 2);
    assert.equal(await metricOf("maestro_workflow_run_duration_seconds_sum", 'status="completed"'), 1.5);
  });

  it("lets an alert divide the runs that failed by those that ended: both have the same labels", async () => {
    events.emit("run.ended", { runId: "r1", workflow: "w", status: "completed", durationMs: 1500 });
    events.emit("run.ended", { runId: "r2", workflow: "w", status: "failed", durationMs: 500 });
    const lines = (await metrics.page()).text.split("\n");
    assert.ok(lines.includes('maestro_workflow_failures_total{node="n1"} 1'));
    assert.ok(lines.includes('maestro_workflow_runs_total{node="n1"} 2'));
  });

  it("shows the pool as it is now", async () => {
    events.emit("pool.changed", { tier: "thread", threads: 4, active: 3, queued: 9 });
    assert.equal(await metricOf("maestro_executor_pool_size"), 4);
    assert.equal(await metricOf("maestro_executor_active_tasks"), 3);
  });

  it("shows how far the clock is off, once that is known", async () => {
    assert.equal(await metricOf("maestro_clock_offset_seconds"), undefined);
    events.emit("clock.compared", { offsetMs: -2_500, uncertaintyMs: 1 });
    assert.equal(await metricOf("maestro_clock_offset_seconds"), -2.5);
    events.emit("clock.compared", { offsetMs: 0, uncertaintyMs: 1 });
    assert.equal(await metricOf("maestro_clock_offset_seconds"), 0);
  });

  it("reads a gauge when the page is asked for", async () => {
    let actors = 3;
    metrics.addGauge("maestro_actors", "Actors in memory.", () => actors);
    assert.equal(await metricOf("maestro_actors"), 3);
    actors = 4;
    assert.equal(await metricOf("maestro_actors"), 4);
  });

  it("has a gauge for each of some names, and drops those that are gone", async () => {
    const depths = new Map([
      ["gpu", 2],
      ["default", 1],
    ]);
    metrics.addGauges("maestro_queue_depth", "Attempts that wait.", "queue", () => depths);
    assert.equal(await metricOf("maestro_queue_depth", 'queue="gpu"'), 2);
    depths.delete("gpu");
    assert.equal(await metricOf("maestro_queue_depth", 'queue="gpu"'), undefined);
    assert.equal(await metricOf("maestro_queue_depth", 'queue="default"'), 1);
  });

  it("counts limits that come near by name, those that went untold included, and shows what is used of them", async () => {
    let used = 0.25;
    metrics.addUsage("activeRuns", () => used);
    metrics.addUsage("pendingReplies", () => 0);
    events.emit("limit.near", { limit: "payloadBytes", value: 2, bound: 3, subject: "a payload", runId: "secret", suppressed: 4 });
    used = 0.75;
    assert.equal(await metricOf("maestro_limit_warnings_total", 'limit="payloadBytes"'), 5);
    assert.equal(await metricOf("maestro_limit_usage_ratio", 'limit="activeRuns"'), 0.75);
    assert.equal(await metricOf("maestro_limit_usage_ratio", 'limit="pendingReplies"'), 0);
    assert.ok(!(await metrics.page()).text.includes("secret"), "labels are bounded");
  });

  it("keeps two nodes of one process apart", async () => {
    const other = openMetrics(new EventHub(), "n2");
    events.emit("run.started", { runId: "r1", workflow: "w" });
    assert.match((await other.page()).text, /maestro_jobs_started_total\{node="n2"\} 0/);
    other.close();
  });

  it("stops listening when it is closed", () => {
    metrics.close();
    assert.equal(events.has("run.started"), false);
  });
});

describe("the tables of telemetry", () => {
  // That every event has a row is proven by the compiler; that a row which says nothing is deliberate, by the other table.
  it("let every event be seen in the log or in the metrics", () => {
    const events = new EventHub();
    const metrics = openMetrics(events, "n1");
    const names = Object.keys(LOG_TABLE) as (keyof typeof LOG_TABLE)[];
    const unseen = names.filter((name) => LOG_TABLE[name] === undefined && !events.has(name));
    metrics.close();
    assert.deepEqual(unseen, []);
  });
});
