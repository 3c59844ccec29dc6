/** Where a node with a PostgreSQL of somebody else keeps its largest payloads. */
import assert from "node:assert/strict";
import { globSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { connect } from "../../gateway/grpc-client.ts";
import { loadConfig } from "../../ops/config.ts";
import { type RunningNode, startNode } from "../../ops/node.ts";
import type { MaestroError } from "../../runtime/errors.ts";
import { execute, freshDatabase, temporaryFolder } from "../support/pg-fixture.ts";

const KEEP = `document: { dsl: 1.0.3, namespace: default, name: keep, version: 1.0.0 }
do: [{ decision: { call: signal@default, with: { name: go } } }]
`;
const LARGE = JSON.stringify("x".repeat(256 * 1024));

describe("the folder of objects", function () {
  this.timeout(60_000);
  let pgUrl: string;
  let node: RunningNode | undefined;

  beforeEach(async () => {
    pgUrl = await freshDatabase();
  });
  afterEach(() => node?.stop());

  async function open(more: Record<string, string>): Promise<void> {
    await node?.stop();
    const flags = { nodeName: "n1", pgUrl, grpcPort: "0", opsPort: "0", threads: "1", leaseMs: "1500", logLevel: "silent", ...more };
    node = await startNode({ config: loadConfig({ env: {}, flags }), prettyLog: false });
  }

  async function startLarge(): Promise<string> {
    const client = connect(node?.grpcAddress ?? "");
    await client.deploy(KEEP);
    const { runId } = await client.start({ workflow: "keep", input: LARGE });
    client.close();
    return runId;
  }

  const rows = () =>
    execute<{ object: string | null; bytes: number }>(pgUrl, "SELECT object_name AS object, length(bytes)::int AS bytes FROM payloads");

  it("is not there by default: the payloads are in the table", async () => {
    await open({});
    await startLarge();
    assert.deepEqual(await rows(), [{ object: null, bytes: LARGE.length }]);
  });

  it("has them if it is named, for every boot that names it", async () => {
    const objectsFolder = join(temporaryFolder(), "shared", "objects");
    await open({ objectsFolder });
    const runId = await startLarge();
    assert.deepEqual(
      (await rows()).map(({ object, bytes }) => [typeof object, bytes]),
      [["string", 0]],
    );
    assert.equal(globSync(`*/${runId}/*`, { cwd: objectsFolder }).length, 1);
    await open({ objectsFolder });
    const client = connect(node?.grpcAddress ?? "");
    assert.equal((await client.getRun(runId)).input, LARGE);
    client.close();
  });

  it("must be named where a database has runs with objects", async () => {
    await open({ objectsFolder: join(temporaryFolder(), "objects") });
    const runId = await startLarge();
    await assert.rejects(open({}), (error: MaestroError) => error.code === "CONFIG_INVALID" && error.violations[0]?.field === "MAESTRO_OBJECTS");
    node = undefined;
    assert.deepEqual(await execute(pgUrl, "SELECT id, status FROM workflow_runs"), [{ id: runId, status: "waiting" }], "nothing was set aside");
  });

  it("must be usable when the node starts", async () => {
    const file = join(temporaryFolder(), "file");
    writeFileSync(file, "");
    await assert.rejects(open({ objectsFolder: join(file, "objects") }), { code: "DATA_FOLDER_UNUSABLE" });
    node = undefined;
  });
});
