/** A node that is asked to stop, and the clients that use it at that moment: no call fails, and none is cut off without an answer. */
import assert from "node:assert/strict";
import { connect, type MaestroClient } from "../../gateway/grpc-client.ts";
import { loadConfig } from "../../ops/config.ts";
import { type RunningNode, startNode } from "../../ops/node.ts";
import { messageOf } from "../../runtime/errors.ts";
import { type NatsServer, startNatsServer } from "../support/nats-server.ts";
import { freshDatabase } from "../support/pg-fixture.ts";
import { CALLERS_DOCUMENTS, PlainCallers } from "../support/plain-callers.ts";
import { waitUntil } from "../support/wait-until.ts";

const NODES = ["n1", "n2", "n3"];

/** Callers of each sort. */
const CALLERS = 6;
const ROOM_MS = 60_000;

describe("a node of a cluster that stops in order", function () {
  this.timeout(300_000);
  let pgUrl: string;
  let nats: NatsServer;
  const nodes = new Map<string, RunningNode>();
  const ports = new Map<string, string>();

  before(async () => {
    [pgUrl, nats] = await Promise.all([freshDatabase(), startNatsServer()]);
    for (const name of NODES) await open(name);
    await shared();
    using client = connect(nodeOf("n1").grpcAddress);
    for (const document of CALLERS_DOCUMENTS) await client.deploy(document);
  });
  after(async () => {
    await Promise.all([...nodes.values()].map((node) => node.stop()));
    await nats.close();
  });

  const nodeOf = (name: string): RunningNode => nodes.get(name) ?? assert.fail(`${name} is there`);
  /** Starts a node where its clients know it. */
  async function open(nodeName: string): Promise<void> {
    const grpcPort = ports.get(nodeName) ?? "0";
    const flags = { nodeName, pgUrl, natsUrl: nats.url, grpcPort, opsPort: "0", threads: "1", logLevel: "silent" };
    const node = await startNode({ config: loadConfig({ env: {}, flags }), prettyLog: false });
    nodes.set(nodeName, node);
    ports.set(nodeName, node.grpcAddress.replace(/^.*:/, ""));
  }
  const shared = () => waitUntil("the shards to be shared", () => NODES.every((name) => nodeOf(name).ownedShards > 4096 / NODES.length / 2), ROOM_MS);

  /** Calls of somebody who knows no other node, made while it still has shards: how many, and which failed. */
  async function callWhileItHasShards(node: RunningNode, client: MaestroClient): Promise<{ readonly calls: number; readonly failures: string[] }> {
    let calls = 0;
    const failures: string[] = [];
    while (node.ownedShards > 0) {
      calls += 1;
      await client.start({ workflow: "brief" }).catch((error: unknown) => failures.push(messageOf(error)));
    }
    return { calls, failures };
  }

  it("answers every call that is under way or made meanwhile, and says to those that wait that they must ask elsewhere", async () => {
    const callers = new PlainCallers([...nodes.values()].map(({ grpcAddress }) => grpcAddress));
    callers.begin(CALLERS);
    try {
      for (const name of NODES) {
        const [node, codes] = [nodeOf(name), new Map<string, number>()];
        const waits = callers.ends.get("watch NODE_STOPPING") ?? 0;
        node.events.on("request.ended", ({ code }) => codes.set(code, (codes.get(code) ?? 0) + 1));
        using pinned = connect(node.grpcAddress);
        await pinned.activity();
        const stopping = node.stop();
        const alone = await callWhileItHasShards(node, pinned);
        await stopping;
        assert.deepEqual([alone.failures, alone.calls > 0], [[], true], name);
        assert.deepEqual(callers.findings, [], `while ${name} stopped`);
        assert.ok((codes.get("OK") ?? 0) > CALLERS, `${name} has answered calls while it stopped: ${JSON.stringify([...codes])}`);
        assert.ok((callers.ends.get("watch NODE_STOPPING") ?? 0) > waits, `streams were under way at ${name}: ${JSON.stringify([...callers.ends])}`);
        await open(name);
        await shared();
      }
    } finally {
      await callers.end();
    }
    assert.deepEqual(callers.findings, []);
  });
});
