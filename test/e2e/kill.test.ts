import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { HistoryEntry } from "../../actors/runs.ts";
import { DemoSite, EXAMPLES, SERVICE_SOURCE } from "../../ops/cli/demo/demo-site.ts";
import { connectGateway } from "../../ops/cli/gateway-connection.ts";
import type { Gateway } from "../../ops/cli/gateway-port.ts";
import { systemClock } from "../../runtime/clock.ts";
import { endAll, MaestroProcess } from "../support/maestro-process.ts";

/**
 * The node is killed without warning in the middle of the pipeline of the demo, at different steps, and started again. The run must finish,
 * and its history must hold each result once.
 */
describe("a node that is killed in the middle of a pipeline", function () {
  this.timeout(120_000);
  let cwd: string;
  let site: DemoSite;
  let node: MaestroProcess;
  let gateway: Gateway;

  before(async () => {
    cwd = mkdtempSync(join(tmpdir(), "maestro-kill-"));
    site = new DemoSite(join(cwd, "site"), systemClock(), cwd);
    await site.open("1.0.0");
    await openNode();
    await gateway.deploy(readFileSync(join(EXAMPLES, "build-test-deploy.yaml"), "utf8"), false);
  });

  after(async () => {
    node.kill("SIGTERM");
    await node.ended();
    endAll();
    gateway.close();
    await site.close();
    rmSync(cwd, { recursive: true, force: true });
  });

  async function openNode(): Promise<void> {
    const handlers = join(EXAMPLES, "handlers");
    node = new MaestroProcess(["start", "--grpc-port", "0", "--ops-port", "0", "--threads", "2", "--handlers", handlers], { cwd });
    gateway = connectGateway(await node.ready());
  }

  /** Follows the run until an entry is what is looked for. */
  async function follow(runId: string, isIt: (entry: HistoryEntry) => boolean): Promise<void> {
    const stop = new AbortController();
    for await (const entry of gateway.watch(runId, 1, stop.signal)) if (isIt(entry)) return;
    throw new Error("the run ended before the entry came");
  }

  const moments: readonly (readonly [version: string, type: string, task: string])[] = [
    ["1.1.0", "task.started", "compile"],
    ["1.2.0", "attempt.scheduled", "api-tests"],
    ["1.3.0", "attempt.scheduled", "start"],
    ["1.4.0", "try.retried", "health"],
    ["1.5.0", "task.completed", "switch"],
  ];
  for (const [version, type, task] of moments) {
    it(`finishes the run after a restart: killed at ${type} of ${task}`, async () => {
      const input = JSON.stringify({ version, source: SERVICE_SOURCE, site: site.folder });
      const ref = { namespace: "default", name: "build-test-deploy", version: "", input, labels: {}, idempotencyKey: version };
      const { runId } = await gateway.start(ref);
      await follow(runId, (entry) => entry.type === type && entry.task === task);
      node.kill("SIGKILL");
      await node.ended();
      const killedAtMs = systemClock().now();
      gateway.close();
      await openNode();

      const run = await gateway.endedRun(runId, AbortSignal.timeout(30_000));
      assert.equal(run.output === "" ? run.error?.detail : (JSON.parse(run.output) as { version: string }).version, version);
      const entries = await readHistory(runId);
      assertEachResultOnce(entries);
      assert.ok((entries.at(-1)?.atMs ?? 0) > killedAtMs, "the kill came before the run's end");
      const current = JSON.parse(readFileSync(join(site.folder, "current.json"), "utf8")) as { version: string };
      assert.equal(current.version, version);
      assert.equal((await gateway.start(ref)).runId, runId, "the idempotency key still names the run");
    });
  }

  async function readHistory(runId: string): Promise<readonly HistoryEntry[]> {
    const entries: HistoryEntry[] = [];
    for await (const entry of gateway.history(runId, 1, Number.POSITIVE_INFINITY)) entries.push(entry);
    return entries;
  }

  function assertEachResultOnce(entries: readonly HistoryEntry[]): void {
    assert.deepEqual(
      entries.map((entry) => entry.seq),
      entries.map((_, index) => index + 1),
      "the history has no gap and no repetition",
    );
    const open = new Map<string, number>();
    for (const { type, path } of entries) {
      const count = open.get(path) ?? 0;
      if (type === "task.started") open.set(path, count + 1);
      if (["task.completed", "task.faulted", "task.cancelled"].includes(type)) {
        assert.equal(count, 1, `${path} ends once for each time that it began`);
        open.set(path, 0);
      }
    }
    assert.deepEqual(
      [...open].filter(([, count]) => count !== 0),
      [],
      "nothing is left open",
    );
    assert.equal(entries.filter((entry) => entry.type === "run.ended").length, 1);
  }
});
