/** What operators see of a cluster and do to it: nodes, shards, draining. Two real nodes, and the command line in processes of its own. */
import assert from "node:assert/strict";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { connect } from "../../gateway/grpc-client.ts";
import { loadConfig } from "../../ops/config.ts";
import { type RunningNode, startNode } from "../../ops/node.ts";
import { endAll, maestro } from "../support/maestro-process.ts";
import { type NatsServer, startNatsServer } from "../support/nats-server.ts";
import { freshDatabase } from "../support/pg-fixture.ts";
import { waitUntil } from "../support/wait-until.ts";

const QUICK = `document: { dsl: 1.0.3, namespace: default, name: quick, version: 1.0.0 }
do:
  - one: { set: { n: "\${ .n }" } }
`;

const HELD = (port: number): string => `document: { dsl: 1.0.3, namespace: default, name: held, version: 1.0.0 }
do:
  - ask:
      call: http
      with: { method: get, endpoint: "http://127.0.0.1:${port}/" }
      metadata: { concurrency: { key: "customer-7", limit: 1 } }
`;

const UNSERVED = `document: { dsl: 1.0.3, namespace: default, name: unserved, version: 1.0.0 }
do:
  - render: { call: http, with: { method: get, endpoint: "http://127.0.0.1:1/" }, metadata: { queue: gpu } }
`;

interface NodeLine {
  readonly name: string;
  readonly state: string;
  readonly shards: number;
  readonly grpcAddress: string;
}

interface Shown {
  readonly runId: string;
  readonly createdAt: string;
  readonly activeTasks: readonly {
    readonly waitsFor?: { readonly since: string; readonly key?: string; readonly limit?: number; readonly queue?: string };
  }[];
}

describe("operators of a cluster", function () {
  this.timeout(120_000);
  let nats: NatsServer;
  let [first, second] = [] as unknown as [RunningNode, RunningNode];

  /** A service that answers nothing, and what it was asked. */
  const held: ServerResponse[] = [];
  const service = createServer((_, response) => held.push(response));

  before(async () => {
    await new Promise<void>((listening) => service.listen(0, "127.0.0.1", listening));
    const [pgUrl, server] = await Promise.all([freshDatabase(), startNatsServer()]);
    nats = server;
    const open = (nodeName: string): Promise<RunningNode> => {
      const flags = {
        nodeName,
        pgUrl,
        natsUrl: nats.url,
        grpcPort: "0",
        opsPort: "0",
        threads: "1",
        queues: "default",
        leaseMs: "3000",
        logLevel: "silent",
      };
      return startNode({ config: loadConfig({ env: {}, flags }), prettyLog: false });
    };
    [first, second] = [await open("first"), await open("second")];
    await waitUntil("the shards to be shared", () => first.ownedShards < 3_000 && second.ownedShards > 1_000, 30_000);
  });
  after(async () => {
    endAll();
    service.closeAllConnections();
    service.close();
    await Promise.all([first, second].map((node) => node.stop()));
    await nats.close();
  });

  const ask = (...args: string[]) => maestro([...args, "--address", first.grpcAddress], { cwd: tmpdir() });
  const nodes = async (): Promise<readonly NodeLine[]> =>
    (await ask("node", "list", "--json")).stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as NodeLine);

  const figures = async (node: RunningNode, which: RegExp): Promise<readonly string[]> => {
    const page = await (await fetch(`http://127.0.0.1:${node.opsPort}/metrics`)).text();
    return page.split("\n").filter((line) => which.test(line));
  };

  it("see every node and every shard, whichever node they ask", async () => {
    const listed = (await nodes()).map(({ name, state, grpcAddress }) => [name, state, grpcAddress]);
    assert.deepEqual(listed, [
      ["first", "live", first.grpcAddress],
      ["second", "live", second.grpcAddress],
    ]);
    const { stdout } = await ask("shard", "list", "--by-node", "--json");
    const shares = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { node: string; shards: number });
    assert.deepEqual(new Map(shares.map(({ node }) => [node, true])).size, 2);
    assert.equal(
      shares.reduce((sum, { shards }) => sum + shards, 0),
      4_096,
    );
    assert.match((await ask("node", "list")).stdout, /^NODE +STATE +ROLES +SHARDS.*\nfirst +live +gateway,engine,executor +\d+ .*\nsecond +live/);
    assert.match((await ask("shard", "list")).stdout, /^NODE +EPOCH +SHARDS +WHICH\nfirst +1 +\d+ +\d/);
  });

  it("see what each node does", async () => {
    const { stdout } = await ask("top", "--json");
    const readings = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { name: string; activeRuns: number; commitsPerSecond: number; problem: string });
    assert.deepEqual(
      readings.map(({ name, activeRuns, problem }) => [name, activeRuns, problem]),
      [
        ["first", 0, ""],
        ["second", 0, ""],
      ],
    );
    assert.ok(readings.every(({ commitsPerSecond }) => commitsPerSecond >= 0));
  });

  it("see what a run waits for on another node: a slot of its key, or its queue", async () => {
    using client = connect(second.grpcAddress);
    for (const document of [HELD((service.address() as AddressInfo).port), UNSERVED]) await client.deploy(document);
    const begin = async (workflow: string): Promise<string> => (await client.start({ workflow })).runId;
    const [holder, waiting, unserved] = [await begin("held"), await begin("held"), await begin("unserved")];
    await waitUntil("one of them to be executed", () => held.length === 1);
    const shown = async (runId: string): Promise<Shown> => JSON.parse((await ask("runs", "show", runId, "--json")).stdout) as Shown;
    const runs = await Promise.all([holder, waiting].map(shown));
    const waits = runs.flatMap(({ activeTasks }) => activeTasks.flatMap(({ waitsFor }) => waitsFor ?? []));
    assert.deepEqual(
      waits.map(({ key, limit }) => [key, limit]),
      [["customer-7", 1]],
      "one has the slot",
    );
    assert.ok(Date.parse(waits[0]?.since ?? "") >= Date.parse(runs[0]?.createdAt ?? ""));
    const idle = runs.find(({ activeTasks }) => activeTasks[0]?.waitsFor !== undefined)?.runId ?? "";
    assert.match((await ask("runs", "show", idle)).stdout, /• ask .*waits .* for a slot of the key customer-7 \(limit 1\)\n/);
    assert.equal((await shown(unserved)).activeTasks[0]?.waitsFor?.queue, "gpu");
    assert.match((await ask("runs", "show", unserved)).stdout, /• render .*waits .* in the queue gpu\n/);
    const queued = await Promise.all([first, second].map((node) => figures(node, /^maestro_(?:executor_queue_length|queue_depth)\{/)));
    const depths = queued.flat().filter((line) => !line.endsWith(" 0"));
    assert.match(depths.join("\n"), /^maestro_executor_queue_length\{node="(\w+)"\} 1\nmaestro_queue_depth\{queue="gpu",node="\1"\} 1$/);
    assert.equal(queued.flat().filter((line) => line.includes('queue="default"')).length, 2, "the usual queue is shown while nothing is in it");
    for (const runId of [holder, waiting, unserved]) await client.terminate(runId, "seen");
  });

  it("are told of names that are none", async () => {
    const { code, stderr } = await ask("node", "drain", "third");
    assert.equal(code, 4);
    assert.match(stderr, /^NODE_NOT_FOUND .*third.*\n`npx maestro node list`/);
  });

  it("drain a node from another one: it hands everything over, stays ready and takes calls", async () => {
    const { code, stdout, stderr } = await ask("node", "drain", "second", "--wait");
    assert.deepEqual([code, stdout], [0, "second has no shards any more.\n"], stderr);
    await waitUntil("the first node to have all shards", () => first.ownedShards === 4_096 && second.ownedShards === 0);
    assert.deepEqual(
      (await nodes()).map(({ state, shards }) => [state, shards]),
      [
        ["live", 4_096],
        ["draining", 0],
      ],
    );
    assert.equal((await fetch(`http://127.0.0.1:${second.opsPort}/readyz`)).status, 200);
    using client = connect(second.grpcAddress);
    await client.deploy(QUICK);
    const { output } = await client.startAndWait({ workflow: "quick", input: '{"n":1}' });
    assert.equal(output, '{"n":1}');
    assert.equal((await ask("node", "drain", "first")).code, 4, "the last one is not drained");
  });

  it("give a node its shards back, and find it ended in order after its stop", async () => {
    assert.equal((await ask("node", "undrain", "second")).code, 0);
    await waitUntil("the second node to have shards", () => second.ownedShards > 1_000, 30_000);
    await second.stop();
    assert.deepEqual(
      (await nodes()).map(({ state }) => state),
      ["live", "released"],
    );
  });
});
