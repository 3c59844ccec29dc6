/**
 * The last engine of a cluster stops in order and has nobody to hand its shards to: what is under way ends while its lease holds, however long the
 * stop takes.
 */
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { connect } from "../../gateway/grpc-client.ts";
import { startClusterNode } from "../support/cluster-node.ts";
import { endAll, type MaestroProcess } from "../support/maestro-process.ts";
import { type NatsServer, startNatsServer } from "../support/nats-server.ts";
import { execute, freshDatabase } from "../support/pg-fixture.ts";
import { waitUntil } from "../support/wait-until.ts";

const HANDLERS = fileURLToPath(new URL("../fixtures/slow-handlers", import.meta.url));
const LEASE_MS = 1_000;
/** Longer than a lease and its renewals, shorter than the grace for tasks. */
const TASK_MS = 3_500;
const PATIENCE_MS = 30_000;

const ONCE = `document: { dsl: 1.0.3, namespace: default, name: once, version: 1.0.0 }
do:
  - one: { call: slow@default, with: { file: "\${ .file }", takesMs: "\${ .takesMs }" } }
`;

describe("the last engine of a cluster", function () {
  this.timeout(90_000);
  let pgUrl: string;
  let nats: NatsServer;
  let folder: string;

  beforeEach(async () => {
    [pgUrl, nats, folder] = await Promise.all([freshDatabase(), startNatsServer(), mkdtemp(join(tmpdir(), "maestro-last-engine-"))]);
  });
  afterEach(async () => {
    endAll();
    await nats.close();
    await rm(folder, { recursive: true, force: true });
  });

  const open = (name: string, roles: string): MaestroProcess =>
    startClusterNode(name, { pgUrl, nats, leaseMs: LEASE_MS, cwd: folder, roles, handlers: HANDLERS });

  /** Stops the engine while it has a task under way, and checks that it was fenced by nobody and that its run goes on from the task's result. */
  async function stopAmidATask(roles: string, otherRoles: string): Promise<void> {
    const engine = open("e1", roles);
    const address = await engine.ready();
    const other = open("o1", otherRoles);
    await other.ready();
    const client = connect(address);
    await client.deploy(ONCE);
    const file = join(folder, "begun");
    const { runId } = await client.start({ workflow: "once", input: JSON.stringify({ file, takesMs: TASK_MS }) });
    client.close();
    const begun = async (): Promise<number> => (await readFile(file, "utf8").catch(() => "")).split("\n").length - 1;
    await waitUntil("the task to begin", async () => (await begun()) === 1, PATIENCE_MS);
    engine.kill("SIGTERM");
    const { code, stdout } = await engine.ended();
    assert.equal(code, 0, stdout);
    const [node] = await execute<{ lost: boolean; released: boolean }>(
      pgUrl,
      "SELECT lost_at IS NOT NULL AS lost, released_at IS NOT NULL AS released FROM nodes WHERE node_name = 'e1'",
    );
    assert.deepEqual(node, { lost: false, released: true }, stdout);
    const next = open("e2", "gateway,engine,executor");
    const again = connect(await next.ready());
    assert.equal((await again.awaitRun(runId)).error, undefined);
    again.close();
    assert.equal(await begun(), 1, "the task was not executed again");
  }

  it("is not fenced while its own tasks end", () => stopAmidATask("gateway,engine,executor", "gateway"));

  it("is not fenced while tasks end that it has lent", () => stopAmidATask("gateway,engine", "executor"));
});
