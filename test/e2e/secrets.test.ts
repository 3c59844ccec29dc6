/** What is secret stays secret: the password in the PostgreSQL URL is in nothing that a node writes or answers, whatever goes wrong. */
import assert from "node:assert/strict";
import { connect } from "../../gateway/grpc-client.ts";
import { endAll, MaestroProcess } from "../support/maestro-process.ts";
import { execute, freshDatabase, temporaryFolder } from "../support/pg-fixture.ts";
import { waitUntil } from "../support/wait-until.ts";

const PASSWORD = "tr0ub4dor-and-3";
/** As it may be written: as it is, with its signs escaped, in base64. */
const FORMS = [PASSWORD, encodeURIComponent(PASSWORD), PASSWORD.replaceAll("-", "%2D"), Buffer.from(PASSWORD).toString("base64")];

const DOCUMENT = `document: { dsl: 1.0.3, namespace: default, name: short, version: 1.0.0 }
do: [{ a: { set: { b: 1 } } }]
`;

describe("the password of the database", function () {
  this.timeout(120_000);
  const cwd = temporaryFolder();
  let adminUrl: string;
  let url: URL;

  before(async () => {
    adminUrl = await freshDatabase();
    url = new URL(adminUrl);
    await execute(adminUrl, `CREATE ROLE keeper LOGIN SUPERUSER PASSWORD '${PASSWORD}'`);
    url.username = "keeper";
    url.password = PASSWORD;
  });
  after(() => endAll());

  function node(pgUrl: string): MaestroProcess {
    const ports = { MAESTRO_GRPC_PORT: "0", MAESTRO_OPS_PORT: "0", MAESTRO_LEASE_MS: "1000", MAESTRO_LOG_LEVEL: "debug" };
    return new MaestroProcess(["start"], { cwd, env: { MAESTRO_PG_URL: pgUrl, MAESTRO_NODE_NAME: "n1", MAESTRO_THREADS: "1", ...ports } });
  }

  function assertSecret(what: string, text: string): void {
    assert.notEqual(text, "", `${what} says something`);
    for (const form of FORMS) assert.ok(!text.includes(form), `${what} shows the password:\n${text}`);
  }

  it("is in no log, no answer and no page of a node that works, loses its connections, and stops", async () => {
    const running = node(url.href);
    const client = connect(await running.ready());
    await client.deploy(DOCUMENT);
    await client.startAndWait({ workflow: "short" });
    await execute(adminUrl, "ALTER ROLE keeper NOLOGIN");
    await execute(adminUrl, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'keeper'");
    const refused = await client.start({ workflow: "short" }, { timeoutMs: 2_000 }).catch((error: unknown) => error);
    assertSecret("an error of the gateway", String(refused) + JSON.stringify(refused));
    await waitUntil("the log to say what is wrong", () => running.stdout.includes("not permitted to log in"), 30_000);
    const opsPort = /"opsPort":(\d+),"durationMs"/.exec(running.stdout)?.[1];
    for (const path of ["/readyz", "/healthz", "/metrics", "/debug"]) {
      assertSecret(path, await (await fetch(`http://127.0.0.1:${opsPort}${path}`)).text());
    }
    await execute(adminUrl, "ALTER ROLE keeper LOGIN");
    client.close();
    running.kill("SIGTERM");
    const { stdout, stderr } = await running.ended(60_000);
    assertSecret("the log", stdout + stderr);
  });

  const host = "127.0.0.1:1";
  const wrong: Readonly<Record<string, readonly [url: string, code: string]>> = {
    "a server that is not there": [`postgres://keeper:${PASSWORD}@${host}/maestro`, "DATABASE_UNAVAILABLE"],
    "a port that is none": [`postgres://keeper:${PASSWORD}@127.0.0.1:none/maestro`, "CONFIG_INVALID"],
    "a password with a / in it": [`postgres://keeper:12/${PASSWORD}@${host}/maestro`, "CONFIG_INVALID"],
    "a password with a ? in it": [`postgres://keeper:12?${PASSWORD}@${host}/maestro`, "CONFIG_INVALID"],
    "a password with a # in it": [`postgres://keeper:12#${PASSWORD}@${host}/maestro`, "CONFIG_INVALID"],
    "another scheme": [`mysql://keeper:${PASSWORD}@${host}/maestro`, "CONFIG_INVALID"],
  };
  for (const [what, [pgUrl, code]] of Object.entries(wrong)) {
    it(`is in nothing that a node says of ${what}`, async () => {
      const { stdout, stderr } = await node(pgUrl).ended();
      assert.match(stderr, new RegExp(code));
      assertSecret("the output", stdout + stderr);
    });
  }

  it("is in nothing that a node says of a password that is wrong", async () => {
    const { stdout, stderr } = await node(url.href.replace(PASSWORD, `${PASSWORD}!`)).ended();
    assert.match(stderr, /DATABASE_UNAVAILABLE.*password authentication failed/);
    assertSecret("the output", stdout + stderr);
  });
});
