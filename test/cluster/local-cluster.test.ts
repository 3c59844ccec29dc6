/** `maestro dev --nodes`: a cluster for people on one machine. Its processes come and go; its clients notice nothing. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, type MaestroClient } from "../../gateway/grpc-client.ts";
import { exists, identify } from "../../runtime/storage/process-identity.ts";
import { endAll, MaestroProcess } from "../support/maestro-process.ts";
import { waitUntil } from "../support/wait-until.ts";

const NAP = `document: { dsl: 1.0.3, namespace: default, name: nap, version: 1.0.0 }
do:
  - one: { set: { n: "\${ .n }" } }
  - rest: { wait: { milliseconds: 500 } }
  - two: { set: { n: "\${ .n }" } }
`;
/** Processes of a cluster of two: its nodes, and the servers. */
const PROCESSES = ["postgres", "nats", "n1", "n2"];
const ROOM_MS = 60_000;

interface News {
  readonly name: string;
  readonly state: string;
  readonly text: string;
  readonly pid?: number;
}

describe("maestro dev --nodes", function () {
  this.timeout(180_000);
  let cwd: string;
  let cluster: MaestroProcess;
  let client: MaestroClient;

  beforeEach(async () => {
    cwd = mkdtempSync(join(tmpdir(), "maestro-local-"));
    mkdirSync(join(cwd, "flows"));
    writeFileSync(join(cwd, "flows", "nap.yaml"), NAP);
    const ports = ["--grpc-port", "0", "--ops-port", "0", "--threads", "1"];
    cluster = new MaestroProcess(["dev", "flows", "--nodes", "2", ...ports, "--json"], { cwd });
    await bothReady();
    client = connect(/ on (\S+)/.exec(last("n1")?.text ?? "")?.[1] ?? "");
    await waitUntil("the workflow to be deployed", () => client.getWorkflow({ name: "nap" }), ROOM_MS);
  });
  afterEach(() => {
    client?.close();
    endAll();
    rmSync(cwd, { recursive: true, force: true, maxRetries: 5 });
  });

  const bothReady = () =>
    waitUntil(`both nodes to be ready; ${cluster.stderr}`, () => ["n1", "n2"].every((name) => last(name)?.state === "ready"), ROOM_MS);
  const news = (): readonly News[] =>
    cluster.stdout
      .split("\n")
      .filter((line) => line.endsWith("}"))
      .map((line) => JSON.parse(line) as News);
  const last = (name: string): News | undefined => news().findLast((told) => told.name === name);
  const pids = (): readonly number[] => PROCESSES.map((name) => news().findLast((told) => told.name === name && told.pid !== undefined)?.pid ?? 0);
  const pidOf = (name: string): number => pids()[PROCESSES.indexOf(name)] ?? assert.fail(`${name} is no process`);

  it("starts a node and a server again that were killed, while runs go on, and ends all in order", async () => {
    const killed = [pidOf("n2"), pidOf("nats")];
    const runIds = await Promise.all(
      Array.from({ length: 20 }, async (_, n) => (await client.start({ workflow: "nap", input: `{"n":${n}}` })).runId),
    );
    for (const pid of killed) process.kill(pid, "SIGKILL");
    for (const name of ["n2", "nats"]) {
      await waitUntil(`${name} to be told of as dead`, () => news().some((told) => told.name === name && told.state === "dead"), ROOM_MS);
      await waitUntil(`${name} to be ready again`, () => last(name)?.state === "ready", ROOM_MS);
    }
    assert.ok(!killed.includes(pidOf("n2")) && !killed.includes(pidOf("nats")), "they have new processes");
    const outputs = await Promise.all(runIds.map(async (runId) => (await client.awaitRun(runId)).output));
    assert.deepEqual(
      outputs,
      runIds.map((_, n) => JSON.stringify({ n })),
    );

    cluster.kill("SIGINT");
    assert.equal((await cluster.ended(ROOM_MS)).code, 0);
    assert.deepEqual(
      news()
        .filter(({ state }) => state === "stopped")
        .map(({ name, text }) => [name, text]),
      ["n1", "n2", "nats", "postgres"].map((name) => [name, "has stopped"]),
    );
    assert.deepEqual(pids().filter(exists), []);
  });

  it("leaves no node behind when it is killed itself, and takes up what it left when it is started again", async () => {
    const { runId } = await client.start({ workflow: "nap", input: '{"n":7}' });
    const left = pids();
    cluster.kill("SIGKILL");
    await waitUntil("its nodes to end", () => !exists(left[2] ?? 0) && !exists(left[3] ?? 0), ROOM_MS);
    cluster = new MaestroProcess(["dev", "flows", "--nodes", "2", "--grpc-port", "0", "--ops-port", "0", "--threads", "1", "--json"], { cwd });
    await bothReady();
    using again = connect(/ on (\S+)/.exec(last("n1")?.text ?? "")?.[1] ?? "");
    assert.equal((await again.awaitRun(runId)).output, '{"n":7}');
    // They are nobody's children any more: the system may take a while to forget one that has ended, which is no process then.
    await waitUntil(
      "the servers that were left behind to be gone",
      async () => (await Promise.all(left.map(identify))).every((is) => is === undefined),
      ROOM_MS,
    );
    cluster.kill("SIGTERM");
    await waitUntil("the first node to be asked to stop", () => last("n1")?.state === "stopping", ROOM_MS);
    cluster.kill("SIGTERM");
    assert.equal((await cluster.ended(ROOM_MS)).code, 0);
    assert.deepEqual(pids().filter(exists), []);
  });
});
