/** A node that others took over while it lives: what those are told who wait there. */
import assert from "node:assert/strict";
import { connect, type MaestroClient } from "../../gateway/grpc-client.ts";
import { loadConfig } from "../../ops/config.ts";
import { type RunningNode, startNode } from "../../ops/node.ts";
import { RunStatus } from "../../proto/gen/maestro/v1/common.ts";
import { openPgOwnership } from "../../runtime/storage/pg-ownership.ts";
import { type NatsServer, startNatsServer } from "../support/nats-server.ts";
import { freshDatabase } from "../support/pg-fixture.ts";
import { waitUntil } from "../support/wait-until.ts";

const WAITING = `document: { dsl: 1.0.3, namespace: default, name: waiting, version: 1.0.0 }
do:
  - decision: { call: signal@default, with: { name: go } }
`;
/** Enough that each node begins some. */
const RUNS = 30;

describe("a node that was taken over", function () {
  this.timeout(120_000);
  let pgUrl: string;
  let nats: NatsServer;
  const nodes: RunningNode[] = [];
  const clients: MaestroClient[] = [];

  before(async () => {
    [pgUrl, nats] = await Promise.all([freshDatabase(), startNatsServer()]);
    for (const nodeName of ["n1", "n2"]) {
      const flags = { nodeName, pgUrl, natsUrl: nats.url, grpcPort: "0", opsPort: "0", threads: "1", logLevel: "silent" };
      const node = await startNode({ config: loadConfig({ env: {}, flags }), prettyLog: false });
      nodes.push(node);
      clients.push(connect(node.grpcAddress));
    }
    await waitUntil("the shards to be shared", () => nodes.every(({ ownedShards }) => ownedShards > 1_000), 30_000);
  });
  after(async () => {
    for (const client of clients) client.close();
    await Promise.all(nodes.map((node) => node.stop()));
    await nats.close();
  });

  it("serves nothing any more while it stops, and leads those who wait there to where their runs are now", async () => {
    const [old = assert.fail(), next = assert.fail()] = nodes;
    const [there = assert.fail(), other = assert.fail()] = clients;
    await there.deploy(WAITING);
    const started = await Promise.all(Array.from({ length: RUNS }, () => there.start({ workflow: "waiting" })));
    let hasStopped = false;
    void old.stopped.then(() => {
      hasStopped = true;
    });
    const ends = Promise.all(started.map(({ runId }) => there.awaitRun(runId)));
    const ownership = await openPgOwnership({ url: pgUrl });
    assert.ok(await ownership.fence(old.bootId, { even: "alive" }));
    await ownership.close();
    await waitUntil("the old node to serve nothing", () => old.ownedShards === 0);
    assert.equal(hasStopped, false, "those who wait keep it");
    // At once, though the other has not all shards yet: the old node leads nobody for longer than the three seconds that a stop has for calls.
    await Promise.all(started.map(({ runId }) => other.signal({ runId, name: "go", payload: "1" })));
    assert.deepEqual(new Set((await ends).map(({ status }) => status)), new Set([RunStatus.COMPLETED]));
    assert.equal(await old.stopped, "fenced");
    await waitUntil("the other to have all shards", () => next.ownedShards === 4096, 30_000);
  });
});
