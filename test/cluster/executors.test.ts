/** A gateway, an engine, and nodes that execute tasks, each a process of its own: what becomes of runs while executors come, stop and are killed. */
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { connect, type MaestroClient } from "../../gateway/grpc-client.ts";
import { NodeState } from "../../proto/gen/maestro/v1/cluster_service.ts";
import { systemClock } from "../../runtime/clock.ts";
import { startClusterNode } from "../support/cluster-node.ts";
import { endAll, type MaestroProcess, maestro } from "../support/maestro-process.ts";
import { type NatsServer, startNatsServer } from "../support/nats-server.ts";
import { freshDatabase } from "../support/pg-fixture.ts";
import { waitUntil } from "../support/wait-until.ts";

const HANDLERS = fileURLToPath(new URL("../fixtures/exchange-handlers", import.meta.url));
const RUNS = 20;
const LEASE_MS = 1_500;
const PATIENCE_MS = 30_000;

const TWICE = `document: { dsl: 1.0.3, namespace: default, name: twice, version: 1.0.0 }
do:
  - one: { call: where@default, with: { file: "\${ .file }" }, export: { as: "\${ { first: ., file: $input.file } }" } }
  - two: { call: where@default, with: { file: "\${ $context.file }" }, output: { as: "\${ [$context.first, .] }" } }
`;

describe("executors", function () {
  this.timeout(120_000);
  const clock = systemClock();
  let pgUrl: string;
  let nats: NatsServer;
  let folder: string;
  let client: MaestroClient;
  let address: string;
  let engine: MaestroProcess;

  before(async () => {
    [pgUrl, nats, folder] = await Promise.all([freshDatabase(), startNatsServer(), mkdtemp(join(tmpdir(), "maestro-executors-"))]);
    engine = open("e1", "engine");
    await engine.ready();
    address = await open("g1", "gateway").ready();
    client = connect(address);
    await client.deploy(TWICE);
  });
  after(async () => {
    client.close();
    endAll();
    await nats.close();
    await rm(folder, { recursive: true, force: true });
  });

  const open = (name: string, roles: string): MaestroProcess =>
    startClusterNode(name, { pgUrl, nats, leaseMs: LEASE_MS, cwd: folder, roles, handlers: HANDLERS });

  const start = (file: string): Promise<string[]> => {
    const input = JSON.stringify({ file: join(folder, file) });
    return Promise.all(Array.from({ length: RUNS }, async () => (await client.start({ workflow: "twice", input })).runId));
  };
  const pidsOf = async (runIds: readonly string[]): Promise<number[]> => {
    const ends = await Promise.all(runIds.map((runId) => client.awaitRun(runId)));
    return ends.flatMap(({ output, error }) => {
      assert.equal(error, undefined);
      return JSON.parse(output) as number[];
    });
  };
  /** Lets the tasks of a file end. */
  const release = (file: string): Promise<void> => writeFile(join(folder, `${file}.go`), "");
  /** Times that each task began, by its key. */
  const beginnings = async (file: string): Promise<Map<string, number>> => {
    const text = await readFile(join(folder, file), "utf8").catch(() => "");
    const keys = text.split("\n").flatMap((line) => line.split(" ")[1] ?? []);
    return new Map([...Map.groupBy(keys, (key) => key)].map(([key, times]) => [key, times.length]));
  };

  const isWaiting = async (): Promise<boolean> => (await client.listQueues()).some(({ name, waiting }) => name === "default" && waiting === RUNS);

  it("are waited for, and have tasks executed once they are there", async () => {
    const runs = await start("waited");
    await waitUntil("the gateway to know what waits", isWaiting, PATIENCE_MS);
    const { stdout } = await maestro(["queue", "list", "--address", address], { cwd: folder });
    assert.match(stdout, /^QUEUE +WAITING +ACTIVE +OLDEST +EXECUTORS\ndefault +20 +0 +\d+ ms +\(none\)\n$/);
    await release("waited");
    const executor = open("x1", "executor");
    await executor.ready();
    assert.deepEqual(new Set(await pidsOf(runs)), new Set([executor.pid]));
    assert.equal((await beginnings("waited")).size, 2 * RUNS);
    executor.kill("SIGTERM");
    assert.equal((await executor.ended()).code, 0);
  });

  it("are replaced when one is killed in the midst of its tasks: every run completes, and counts one result of each", async () => {
    const [first, second] = [open("x1", "executor"), open("x2", "executor")];
    await Promise.all([first.ready(), second.ready()]);
    const runs = await start("killed");
    await waitUntil("all to have begun", async () => (await beginnings("killed")).size === RUNS, PATIENCE_MS);
    // Who asks first may get them all.
    const isBegunByFirst = (await readFile(join(folder, "killed"), "utf8")).includes(`${first.pid} `);
    const [doomed, other] = isBegunByFirst ? [first, second] : [second, first];
    doomed.kill("SIGKILL");
    await release("killed");
    // What it had is suspect: the other one executes it in a child process.
    assert.ok(!(await pidsOf(runs)).includes(doomed.pid ?? 0));
    const begun = [...(await beginnings("killed")).values()];
    assert.ok(
      begun.some((times) => times === 2),
      "what the killed one had was executed again",
    );
    assert.deepEqual([begun.length, Math.max(...begun)], [2 * RUNS, 2]);
    other.kill("SIGTERM");
    assert.equal((await other.ended()).code, 0);
  });

  it("bring back what an engine lent that stops, which is a member until then even if no other engine is left", async () => {
    const executor = open("x1", "executor");
    await executor.ready();
    const runs = await start("alone");
    await waitUntil("all to have begun", async () => (await beginnings("alone")).size === RUNS, PATIENCE_MS);
    engine.kill("SIGTERM");
    await waitUntil("the engine to stop", () => engine.stdout.includes('"the node stops"'), PATIENCE_MS);
    const leaseEndMs = clock.monotonic() + LEASE_MS + 500;
    await waitUntil("the end of a lease that was not renewed", () => clock.monotonic() > leaseEndMs);
    await release("alone");
    assert.equal((await engine.ended()).code, 0);
    assert.equal((await client.listNodes()).find(({ name }) => name === "e1")?.state, NodeState.RELEASED);
    await open("e1", "engine").ready();
    assert.equal((await pidsOf(runs)).length, 2 * RUNS);
    executor.kill("SIGTERM");
    assert.equal((await executor.ended()).code, 0);
  });

  it("give what they do not end in time to others as they stop, long before a loan ends", async () => {
    const [stopping, other] = [open("x1", "executor"), open("x2", "executor")];
    await Promise.all([stopping.ready(), other.ready()]);
    const runs = await start("stopped");
    await waitUntil("all to have begun", async () => (await beginnings("stopped")).size === RUNS, PATIENCE_MS);
    stopping.kill("SIGTERM");
    assert.equal((await stopping.ended()).code, 0);
    await release("stopped");
    assert.deepEqual(new Set(await pidsOf(runs)), new Set([other.pid]));
  });
});
