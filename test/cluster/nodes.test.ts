/** Three nodes on one PostgreSQL and one NATS server: what clients are told while nodes come, go and are lost. */
import assert from "node:assert/strict";
import { tmpdir } from "node:os";
import { connect, type MaestroClient } from "../../gateway/grpc-client.ts";
import { loadConfig } from "../../ops/config.ts";
import { type RunningNode, startNode } from "../../ops/node.ts";
import { RunStatus } from "../../proto/gen/maestro/v1/common.ts";
import { startClusterNode } from "../support/cluster-node.ts";
import { endAll, type MaestroProcess } from "../support/maestro-process.ts";
import { type NatsServer, startNatsServer } from "../support/nats-server.ts";
import { freshDatabase } from "../support/pg-fixture.ts";
import { waitUntil } from "../support/wait-until.ts";

const QUICK = `document: { dsl: 1.0.3, namespace: default, name: quick, version: 1.0.0 }
do:
  - one: { set: { n: "\${ .n }" } }
  - rest: { wait: { milliseconds: 50 } }
  - two: { set: { n: "\${ .n }" } }
`;

describe("a cluster of three nodes", function () {
  this.timeout(120_000);
  let pgUrl: string;
  let nats: NatsServer;
  const nodes = new Map<string, RunningNode>();
  const clients = new Map<string, MaestroClient>();

  before(async () => {
    [pgUrl, nats] = await Promise.all([freshDatabase(), startNatsServer()]);
    for (const name of ["n1", "n2", "n3"]) await open(name);
    await clientOf("n1").deploy(QUICK);
    await shared();
  });
  after(async () => {
    for (const client of clients.values()) client.close();
    await Promise.all([...nodes.values()].map((node) => node.stop()));
    await nats.close();
  });

  async function open(nodeName: string): Promise<void> {
    const node = await start({ nodeName });
    nodes.set(nodeName, node);
    clients.set(nodeName, connect(node.grpcAddress));
  }
  function start(own: Readonly<Record<string, string>>): Promise<RunningNode> {
    const flags = { pgUrl, natsUrl: nats.url, grpcPort: "0", opsPort: "0", threads: "1", leaseMs: "1500", logLevel: "silent", ...own };
    return startNode({ config: loadConfig({ env: {}, flags }), prettyLog: false });
  }
  async function close(nodeName: string): Promise<void> {
    clients.get(nodeName)?.close();
    clients.delete(nodeName);
    await nodes.get(nodeName)?.stop();
    nodes.delete(nodeName);
  }
  const clientOf = (name: string): MaestroClient => clients.get(name) ?? assert.fail(`${name} is there`);
  /** Until each node owns a share of the shards. */
  const shared = () =>
    waitUntil("the shards to be shared", () => [...nodes.values()].every((node) => node.ownedShards > 4096 / nodes.size / 2), 30_000);

  it("runs what each node is asked for, and tells it to each", async () => {
    for (const [name, client] of clients) {
      const { runId } = await client.start({ workflow: "quick", input: JSON.stringify({ n: name }) });
      for (const other of clients.values()) assert.deepEqual(JSON.parse((await other.awaitRun(runId)).output), { n: name });
    }
  });

  it("gives no shards to a node of another cluster's name, which says that it hears nobody, and is not ready", async () => {
    const stray = await start({ nodeName: "stray", clusterName: "other" });
    try {
      const reason = await waitUntil("the node to say that it hears nobody", async () => {
        const { notReady } = (await (await fetch(`http://127.0.0.1:${stray.opsPort}/readyz`)).json()) as { readonly notReady: readonly string[] };
        return notReady.find((entry) => entry.startsWith("cluster: "));
      });
      assert.equal(reason, "cluster: none of 3 other nodes is heard on the message bus");
      assert.equal(stray.ownedShards, 0);
    } finally {
      await stray.stop();
    }
  });

  it("fails no call while its nodes are restarted one after the other", async () => {
    let asked = 0;
    const failures: unknown[] = [];
    let isOver = false;
    const keepAsking = async (): Promise<void> => {
      while (!isOver) {
        const [name, client] = [...clients][asked++ % clients.size] ?? assert.fail("a node is there");
        try {
          const { runId } = await client.start({ workflow: "quick", input: JSON.stringify({ n: asked }) });
          const other = [...clients.values()].find((candidate) => candidate !== client) ?? client;
          await other.awaitRun(runId);
        } catch (error) {
          // A client that was closed by this test because its node goes is no failure of the cluster.
          if (clients.has(name)) failures.push(error);
        }
      }
    };
    const load = Array.from({ length: 8 }, keepAsking);
    for (const name of ["n1", "n2", "n3"]) {
      await close(name);
      await open(name);
      await shared();
    }
    isOver = true;
    await Promise.all(load);
    assert.deepEqual(failures, []);
    assert.ok(asked > 100, `only ${asked} calls were made`);
  });
});

describe("a cluster of three processes", function () {
  this.timeout(120_000);
  const COUNT = 30;
  let nats: NatsServer;
  const processes: MaestroProcess[] = [];
  const clients: MaestroClient[] = [];

  before(async () => {
    const [pgUrl, server] = await Promise.all([freshDatabase(), startNatsServer()]);
    nats = server;
    for (const name of ["p1", "p2", "p3"]) {
      const node = startClusterNode(name, { pgUrl, nats, leaseMs: 1_500, cwd: tmpdir() });
      processes.push(node);
      clients.push(connect(await node.ready()));
    }
    await (clients[0] as MaestroClient).deploy(QUICK);
  });
  after(async () => {
    for (const client of clients) client.close();
    endAll();
    await nats.close();
  });

  const startOnEach = async (): Promise<string[]> => {
    const starts = clients.flatMap((client) => Array.from({ length: COUNT }, (_, n) => client.start({ workflow: "quick", input: `{"n":${n}}` })));
    return (await Promise.all(starts)).map(({ runId }) => runId);
  };
  const endOf = (client: MaestroClient, runIds: readonly string[]) => Promise.all(runIds.map(async (runId) => (await client.awaitRun(runId)).status));

  it("loses nothing that it acknowledged when one is killed, and goes on without it", async () => {
    const [killed] = processes.splice(0, 1);
    const started = await startOnEach();
    killed?.kill("SIGKILL");
    clients.shift()?.close();
    const [second] = clients as [MaestroClient];
    assert.deepEqual(new Set(await endOf(second, started)), new Set([RunStatus.COMPLETED]));
    assert.deepEqual(new Set(await endOf(second, await startOnEach())), new Set([RunStatus.COMPLETED]));
  });

  it("ends a node that is asked to end in order, with its runs on the others", async () => {
    const [asked] = processes as [MaestroProcess];
    const [, third] = clients as [MaestroClient, MaestroClient];
    const started = await startOnEach();
    asked.kill("SIGTERM");
    assert.deepEqual(new Set(await endOf(third, started)), new Set([RunStatus.COMPLETED]));
    assert.equal((await asked.ended()).code, 0);
  });
});
