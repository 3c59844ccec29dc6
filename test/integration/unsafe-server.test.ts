/** A real PostgreSQL that can lose what it acknowledged: a node does not start on it, and leaves it as it is. */
import assert from "node:assert/strict";
import { connect } from "../../gateway/grpc-client.ts";
import { loadConfig } from "../../ops/config.ts";
import { startNode } from "../../ops/node.ts";
import { MaestroError } from "../../runtime/errors.ts";
import { PgServer } from "../chaos/pg-server.ts";
import { execute, temporaryFolder } from "../support/pg-fixture.ts";
import { waitUntil } from "../support/wait-until.ts";

const WAIT = `document: { dsl: 1.0.3, namespace: default, name: wait, version: 1.0.0 }
do: [{ ask: { call: signal@default, with: { name: go } } }]
`;

describe("a server that can lose commits", function () {
  this.timeout(120_000);
  let server: PgServer;

  before(async () => {
    server = await PgServer.open(temporaryFolder());
  });
  afterEach(() => server.stop("fast"));

  async function refusal(pgUrl: string): Promise<MaestroError> {
    const flags = { nodeName: "n1", pgUrl, grpcPort: "0", opsPort: "0", threads: "1", logLevel: "silent" };
    try {
      await (await startNode({ config: loadConfig({ env: {}, flags }), prettyLog: false })).stop();
    } catch (error) {
      assert.ok(error instanceof MaestroError, String(error));
      return error;
    }
    assert.fail("the node started");
  }

  for (const name of ["fsync", "full_page_writes", "synchronous_commit"]) {
    it(`is refused when it was started with ${name}=off`, async () => {
      await server.start([`${name}=off`]);
      const { code, facts } = await refusal(server.url);
      assert.deepEqual([code, facts], ["DATABASE_UNSAFE", { setting: name, value: "off", safe: "on" }]);
      assert.deepEqual(await execute(server.url, "SELECT relname FROM pg_class WHERE relname = 'journal'"), [], "nothing was made in it");
    });
  }

  it("that a node finds after its restart is given nothing to commit, until it is safe again", async () => {
    await server.start();
    const flags = { nodeName: "n1", pgUrl: server.url, grpcPort: "0", opsPort: "0", threads: "1", logLevel: "silent" };
    const node = await startNode({ config: loadConfig({ env: {}, flags }), prettyLog: false });
    const client = connect(node.grpcAddress, { timeoutMs: 100_000 });
    const reasons: string[] = [];
    node.events.on("journal.retried", ({ reason }) => reasons.push(reason));
    try {
      await client.deploy(WAIT);
      await client.start({ workflow: "wait" });
      await server.stop("fast");
      await server.start(["fsync=off"]);
      const started = client.start({ workflow: "wait" });
      started.catch(() => undefined);
      await waitUntil("the journal to see what it would write to", () => reasons.some((reason) => reason.includes("fsync=off")), 60_000);
      assert.equal((await execute(server.url, "SELECT FROM workflow_runs")).length, 1);
      await server.stop("fast");
      await server.start();
      await started;
      assert.equal((await execute(server.url, "SELECT FROM workflow_runs")).length, 2);
    } finally {
      client.close();
      await node.stop();
    }
  });

  it("is refused when only the node's database has such a setting", async () => {
    await server.start();
    await execute(server.url, "ALTER DATABASE maestro SET synchronous_commit = off");
    assert.equal((await refusal(server.url)).code, "DATABASE_UNSAFE");
    await execute(server.url, "ALTER DATABASE maestro RESET synchronous_commit");
  });
});
