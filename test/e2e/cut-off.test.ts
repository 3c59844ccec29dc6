/** A node alone, whose way to PostgreSQL swallows what is sent for a while, without a word to either side. */
import assert from "node:assert/strict";
import { connect } from "../../gateway/grpc-client.ts";
import { loadConfig } from "../../ops/config.ts";
import { startNode } from "../../ops/node.ts";
import { RunStatus } from "../../proto/gen/maestro/v1/common.ts";
import { FaultyProxy } from "../support/faulty-proxy.ts";
import { freshDatabase } from "../support/pg-fixture.ts";
import { waitUntil } from "../support/wait-until.ts";

const EMPTY = "document: { dsl: 1.0.3, namespace: default, name: empty, version: 1.0.0 }\ndo: [ { a: { set: { b: 1 } } } ]\n";

describe("a node alone that was cut off from PostgreSQL", function () {
  // Less than a lane waits by itself for an answer.
  this.timeout(35_000);

  it("commits what it has accepted once PostgreSQL answers again, on new connections", async () => {
    const proxy = await FaultyProxy.start(await freshDatabase());
    const flags = { nodeName: "alone", pgUrl: proxy.url, grpcPort: "0", opsPort: "0", threads: "1", lanes: "1", leaseMs: "1500", logLevel: "silent" };
    const node = await startNode({ config: loadConfig({ env: {}, flags }), prettyLog: false });
    const client = connect(node.grpcAddress);
    let failures = 0;
    node.events.on("lease.failed", () => void failures++);
    try {
      await client.deploy(EMPTY);
      await client.startAndWait({ workflow: "empty" });
      proxy.swallow();
      const run = client.startAndWait({ workflow: "empty" });
      await waitUntil("a renewal to be given up", () => failures > 0);
      proxy.restore();
      assert.equal((await run).status, RunStatus.COMPLETED);
    } finally {
      client.close();
      await node.stop();
      await proxy.stop();
    }
  });
});
