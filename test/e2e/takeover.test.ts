import assert from "node:assert/strict";
import { tmpdir } from "node:os";
import { connect } from "../../gateway/grpc-client.ts";
import { loadConfig } from "../../ops/config.ts";
import { type RunningNode, startNode } from "../../ops/node.ts";
import { endAll, MaestroProcess } from "../support/maestro-process.ts";
import { freshDatabase } from "../support/pg-fixture.ts";
import { waitUntil } from "../support/wait-until.ts";

const WAIT = `document: { dsl: 1.0.3, namespace: default, name: wait, version: 1.0.0 }
do:
  - decision:
      call: signal@default
      with: { name: go }
`;

describe("two nodes on one database, in one process", function () {
  this.timeout(60_000);
  let pgUrl: string;
  const nodes: RunningNode[] = [];

  before(async () => {
    pgUrl = await freshDatabase();
  });
  after(() => Promise.all(nodes.map((node) => node.stop())));

  async function open(nodeName: string): Promise<RunningNode> {
    const flags = { nodeName, pgUrl, grpcPort: "0", opsPort: "0", threads: "1", leaseMs: "1500", logLevel: "silent" };
    const node = await startNode({ config: loadConfig({ env: {}, flags }), prettyLog: false });
    nodes.push(node);
    return node;
  }

  it("lets a new boot of the same name take the runs over, and the old one stop by itself", async () => {
    const old = await open("n1");
    const client = connect(old.grpcAddress);
    await client.deploy(WAIT);
    const { runId } = await client.start({ workflow: "wait" });
    client.close();

    const heir = await open("n1");
    assert.equal(await old.stopped, "fenced");
    const stillThere = connect(heir.grpcAddress);
    await stillThere.signal({ runId, name: "go", payload: '"now"' });
    const run = await stillThere.awaitRun(runId);
    stillThere.close();
    assert.equal(run.output, '"now"');
  });

  it("refuses a node of another name while the lease holds, and says until when", async () => {
    await assert.rejects(open("n2"), (error: { code: string; message: string }) => error.code === "OWNED_ELSEWHERE" && /n1/.test(error.message));
  });

  it("hands over at once when the owner stopped in order, and is ready on its ops port", async () => {
    for (const node of nodes) await node.stop();
    const next = await open("n2");
    const ready = await waitUntil("the node is ready", async () => (await fetch(`http://127.0.0.1:${next.opsPort}/readyz`)).status === 200);
    assert.ok(ready);
    const metrics = await (await fetch(`http://127.0.0.1:${next.opsPort}/metrics`)).text();
    assert.match(metrics, /maestro_executor_pool_size\{tier="thread",node="n2"\} 1/);
  });

  it("makes the command exit with 5 when its node was replaced", async () => {
    const start = () =>
      new MaestroProcess(["start", "--node-name", "n3", "--grpc-port", "0", "--ops-port", "0", "--lease-ms", "1500"], {
        cwd: tmpdir(),
        env: { MAESTRO_PG_URL: pgUrl },
      });
    for (const node of nodes) await node.stop();
    const old = start();
    await old.ready();
    const heir = start();
    await heir.ready();
    const { code, stdout } = await old.ended();
    assert.equal(code, 5);
    assert.match(stdout, /another boot took over/);
    assert.doesNotMatch(stdout, new RegExp(pgUrl), "the log never shows the database's URL");
    heir.kill("SIGTERM");
    assert.equal((await heir.ended()).code, 0);
    endAll();
  });
});
