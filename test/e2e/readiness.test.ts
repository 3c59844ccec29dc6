import assert from "node:assert/strict";
import { connect } from "../../gateway/grpc-client.ts";
import { loadConfig } from "../../ops/config.ts";
import { type RunningNode, startNode } from "../../ops/node.ts";
import { checkHealth, watchHealth } from "../support/grpc-peer.ts";
import { execute, freshDatabase } from "../support/pg-fixture.ts";
import { waitUntil } from "../support/wait-until.ts";

const EMPTY = "document: { dsl: 1.0.3, namespace: default, name: empty, version: 1.0.0 }\ndo: [ { a: { set: { b: 1 } } } ]\n";

describe("the readiness of a node", function () {
  this.timeout(60_000);
  let pgUrl: string;
  let node: RunningNode;

  before(async () => {
    pgUrl = await freshDatabase();
    const flags = { nodeName: "ready", pgUrl, grpcPort: "0", opsPort: "0", threads: "1", logLevel: "silent" };
    node = await startNode({ config: loadConfig({ env: {}, flags }), prettyLog: false });
  });
  after(() => node.stop());

  const readyz = async (): Promise<{ status: number; text: string }> => {
    const response = await fetch(`http://127.0.0.1:${node.opsPort}/readyz`);
    return { status: response.status, text: await response.text() };
  };

  it("is lost while no commit gets through, although the server answers, and is back with the next commit", async () => {
    const client = connect(node.grpcAddress);
    await client.deploy(EMPTY);
    await client.startAndWait({ workflow: "empty" });
    assert.equal((await readyz()).status, 200);
    const health = watchHealth(node.grpcAddress, "maestro.v1.RunService");
    await waitUntil("the first word about the health", () => health.answers.length === 1);

    await execute(pgUrl, "ALTER TABLE journal RENAME TO elsewhere");
    const waiting = client.startAndWait({ workflow: "empty" });
    const refused = await waitUntil(
      "the node to be not ready",
      async () => {
        const answer = await readyz();
        return answer.status === 503 && answer.text;
      },
      20_000,
    );
    assert.match(refused, /"journal".*has committed nothing for \d+ s: .*journal/);
    assert.equal(await checkHealth(node.grpcAddress, ""), "NOT_SERVING");

    await execute(pgUrl, "ALTER TABLE elsewhere RENAME TO journal");
    await waiting;
    assert.equal((await readyz()).status, 200);
    assert.equal(await checkHealth(node.grpcAddress, ""), "SERVING");
    await waitUntil("the last word about the health", () => health.answers.length === 3);
    assert.deepEqual(health.answers, ["SERVING", "NOT_SERVING", "SERVING"]);
    health.close();
    client.close();
  });
});
