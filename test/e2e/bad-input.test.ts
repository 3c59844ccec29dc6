import assert from "node:assert/strict";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { connect, type MaestroClient } from "../../gateway/grpc-client.ts";
import { loadConfig } from "../../ops/config.ts";
import { type RunningNode, startNode } from "../../ops/node.ts";
import type { MaestroError, Violation } from "../../runtime/errors.ts";
import { type Ended, endAll, maestro } from "../support/maestro-process.ts";
import { execute, freshDatabase, temporaryFolder } from "../support/pg-fixture.ts";

const DEFINE_TASK = new URL("../../actors/index.ts", import.meta.url).href;
const HEAD = "document: { dsl: 1.0.3, namespace: default, name: NAME, version: 1.0.0 }\ndo:\n";

/** A module with one handler. */
function handler(name: string, run: string): string {
  return `import { defineTask } from ${JSON.stringify(DEFINE_TASK)};\nexport default defineTask({ name: "${name}", run: ${run} });\n`;
}

/** A document with one task. */
function workflow(name: string, task: string): string {
  return `${HEAD.replace("NAME", name)}  - step: ${task}\n`;
}

/** What a command complained about. */
interface Complaint {
  readonly code: string;
  readonly message: string;
  readonly advice: string;
  readonly violations: readonly Violation[];
}

function complaintOf({ stderr }: Ended): Complaint {
  const line = stderr.trim().split("\n").at(-1) ?? "";
  const { error } = JSON.parse(line) as { error: Complaint };
  assert.notEqual(error.advice, "", "it says what to do");
  assert.doesNotMatch(stderr, /\n\s+at /, "no stack");
  return error;
}

describe("a node that can't start says why, and what to do", function () {
  this.timeout(60_000);
  const SECRET = "s3cret-of-the-test";
  let cwd: string;

  before(() => {
    cwd = temporaryFolder();
  });
  after(endAll);

  /** Starts a node that is expected not to start. */
  async function refused(
    flags: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ): Promise<Complaint & { readonly exit: number | null }> {
    const ended = await maestro(["start", "--grpc-port", "0", "--ops-port", "0", "--threads", "1", "--json", ...flags], { cwd, env });
    assert.doesNotMatch(`${ended.stdout}${ended.stderr}`, new RegExp(SECRET), "no secret is printed");
    return { ...complaintOf(ended), exit: ended.code };
  }

  /** The same, with a module in the handlers' folder. */
  async function refusedHandler(module: string): Promise<Complaint> {
    const folder = temporaryFolder();
    writeFileSync(join(folder, "task.ts"), module);
    const complaint = await refused(["--handlers", folder], { MAESTRO_PG_URL: await freshDatabase() });
    assert.equal(complaint.code, "HANDLER_INVALID");
    assert.ok(complaint.message.includes(join(folder, "task.ts")), "it names the file");
    return complaint;
  }

  it("a database that is not there, or does not know the password, which is not printed", async () => {
    const closed = await refused([], { MAESTRO_PG_URL: `postgres://me:${SECRET}@127.0.0.1:1/x` });
    assert.deepEqual([closed.code, closed.exit], ["DATABASE_UNAVAILABLE", 5]);
    assert.match(closed.message, /127\.0\.0\.1:1/);
    const url = new URL(await freshDatabase());
    url.password = SECRET;
    const wrong = await refused([], { MAESTRO_PG_URL: url.href });
    assert.equal(wrong.code, "DATABASE_UNAVAILABLE");
    assert.match(wrong.message, /password authentication failed/);
  });

  it("a database whose settings could lose what was acknowledged", async () => {
    const url = await freshDatabase();
    await execute(url, `ALTER DATABASE ${new URL(url).pathname.slice(1)} SET synchronous_commit = off`);
    const { code, message } = await refused([], { MAESTRO_PG_URL: url });
    assert.equal(code, "DATABASE_UNSAFE");
    assert.match(message, /synchronous_commit/);
  });

  it("a schema that is newer than the program", async () => {
    const url = await freshDatabase();
    await execute(url, "INSERT INTO schema_migrations (number, name, checksum) VALUES (9999, 'future', 'x')");
    const { code, message } = await refused([], { MAESTRO_PG_URL: url });
    assert.equal(code, "SCHEMA_TOO_NEW");
    assert.match(message, /9999/);
  });

  it("a variable that is no setting, and values that no setting takes, all at once", async () => {
    const { code, exit, violations } = await refused([], { MAESTRO_THRAEDS: "3", MAESTRO_LANES: "none" });
    assert.deepEqual([code, exit], ["CONFIG_INVALID", 2]);
    assert.deepEqual(violations.map(({ field }) => field).sort(), ["MAESTRO_LANES", "MAESTRO_THRAEDS"]);
    assert.match(violations.find(({ field }) => field === "MAESTRO_THRAEDS")?.description ?? "", /MAESTRO_THREADS/);
  });

  it("a port that is in use", async () => {
    const server = createServer();
    const port = await listen(server);
    const { code, message } = await refused(["--ops-port", String(port)]);
    server.close();
    assert.equal(code, "PORT_IN_USE");
    assert.ok(message.includes(String(port)));
  });

  it("a data folder that is none", async () => {
    writeFileSync(join(cwd, "file"), "");
    const { code, message } = await refused(["--data", join(cwd, "file")]);
    assert.equal(code, "DATA_FOLDER_UNUSABLE");
    assert.ok(message.includes(join(cwd, "file")));
  });

  if (process.platform === "linux") {
    it("a data folder where nothing can be made, at once", async () => {
      for (const folder of ["/proc/maestro", "/proc/maestro/data", "/proc/self", "/dev/null/data"]) {
        const { code, message } = await refused(["--data", folder]);
        assert.equal(code, "DATA_FOLDER_UNUSABLE");
        assert.ok(message.includes(folder));
      }
    });
  }

  it("a handler that does not load, and one whose name is reserved", async () => {
    assert.match((await refusedHandler("export const = 1;")).message, /Unexpected|Expression/);
    for (const name of ["signal", "http", "shell"]) assert.match((await refusedHandler(handler(name, "() => 1"))).message, new RegExp(name));
  });
});

describe("a node refuses bad input, writes nothing of it and goes on serving", function () {
  this.timeout(60_000);
  let cwd: string;
  let pgUrl: string;
  let node: RunningNode;
  let client: MaestroClient;

  before(async () => {
    cwd = temporaryFolder();
    pgUrl = await freshDatabase();
    mkdirSync(join(cwd, "handlers"));
    writeFileSync(join(cwd, "handlers", "tasks.ts"), handler("not-json", "() => 10n"));
    node = await open({ allowShell: "true" });
    client = connect(node.grpcAddress);
  });
  afterEach(async () => {
    await client.deploy(workflow("sound", "{ set: { fine: true } }"));
    const { runId } = await client.start({ workflow: "sound" });
    assert.equal((await client.awaitRun(runId)).output, '{"fine":true}', "the node goes on serving");
  });
  after(async () => {
    client.close();
    await node.stop();
    endAll();
  });

  function open(more: Readonly<Record<string, string>> = {}): Promise<RunningNode> {
    const flags = {
      pgUrl,
      nodeName: "n",
      grpcPort: "0",
      opsPort: "0",
      threads: "1",
      logLevel: "silent",
      handlersFolder: join(cwd, "handlers"),
      ...more,
    };
    return startNode({ config: loadConfig({ env: {}, flags }), prettyLog: false });
  }

  const run = (...args: string[]): Promise<Ended> => maestro([...args, "--json"], { cwd, env: { MAESTRO_ADDRESS: node.grpcAddress } });

  for (const [what, text, place] of [
    ["broken YAML", `${HEAD}  - step: [`, /^bad\.yaml \(\d+:\d+\)$/],
    ["an unknown field", workflow("bad", "{ sett: { x: 1 } }"), /^bad\.yaml \/do\/0\/step/],
    ["an unknown handler", workflow("bad", "{ call: not-jsno@default }"), /^bad\.yaml \/do\/0\/step\/call/],
  ] as const) {
    it(`a document with ${what}, with the file and the place`, async () => {
      writeFileSync(join(cwd, "bad.yaml"), text);
      const ended = await run("deploy", "bad.yaml");
      const { code, violations } = complaintOf(ended);
      assert.deepEqual([code, ended.code], ["DOCUMENT_INVALID", 4]);
      assert.match(violations[0]?.field ?? "", place);
      assert.deepEqual((await client.listWorkflows({ name: "bad" })).workflows, []);
    });
  }

  it("an id that is no UUID, and one that is no run's", async () => {
    for (const id of ["nope", "3f0b6b3e-64f0-4f0e-9f0e-64f04f0e9f0e"]) {
      const { code, message } = complaintOf(await run("runs", "show", id));
      assert.equal(code, "FIELD_INVALID");
      assert.match(message, /run_id/);
    }
  });

  it("a page token of another list", async () => {
    await client.deploy(workflow("other", "{ set: { x: 1 } }"));
    const { nextPageToken } = await client.listWorkflows({ pageSize: 1 });
    assert.notEqual(nextPageToken, "");
    await assert.rejects(client.listRuns({ pageToken: nextPageToken }), { code: "PAGE_TOKEN_INVALID" });
  });

  it("NUL characters, wherever a text is taken", async () => {
    const isRefused =
      (field: string) =>
      (error: MaestroError): boolean =>
        error.code === "FIELD_INVALID" && error.violations.some((violation) => violation.field === field);
    const before = (await client.listRuns({})).runs.length;
    await assert.rejects(client.start({ workflow: "sound", labels: { team: "a\0b" } }), isRefused("labels"));
    await assert.rejects(client.start({ workflow: "sound", idempotencyKey: "a\0b" }), isRefused("idempotency_key"));
    await assert.rejects(client.start({ workflow: "sound", input: '"a\0b"' }), isRefused("input"));
    await assert.rejects(client.deploy("document: \0"), isRefused("document"));
    assert.equal((await client.listRuns({})).runs.length, before);
  });

  it("a result that is not JSON fails its run, and says which handler gave it", async () => {
    await client.deploy(workflow("bigint", "{ call: not-json@default }"));
    const { runId } = await client.start({ workflow: "bigint" });
    assert.match((await client.awaitRun(runId)).error?.detail ?? "", /not-json is not JSON/);
  });

  it("a shell command that was deployed where it was allowed does not run where it is not", async () => {
    const mark = join(cwd, "mark");
    await client.deploy(workflow("shell", `{ run: { shell: { command: "touch ${mark}" } } }`));
    client.close();
    await node.stop();
    node = await open();
    client = connect(node.grpcAddress);
    const { runId } = await client.start({ workflow: "shell" });
    const { error } = await client.awaitRun(runId);
    assert.match(error?.detail ?? "", /runs a shell command, which this node does not allow.*MAESTRO_ALLOW_SHELL/);
    assert.equal(error?.status, 403);
    assert.ok(!existsSync(mark), "the command did not run");
  });
});

function listen(server: Server): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      resolve(typeof address === "object" && address !== null ? address.port : 0);
    });
  });
}
