/** What a second and a third signal do to a node that stops. */
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "../../gateway/grpc-client.ts";
import { endAll, MaestroProcess } from "../support/maestro-process.ts";
import { waitUntil } from "../support/wait-until.ts";

const SLOW = `document: { dsl: 1.0.3, namespace: default, name: slow, version: 1.0.0 }
do:
  - sleep: { run: { shell: { command: "touch begun; sleep 600" } } }
`;
const HURRIED = "the node stops without waiting";

describe("a node that is told to stop again", function () {
  this.timeout(90_000);
  let cwd: string;
  let node: MaestroProcess;

  beforeEach(async () => {
    cwd = mkdtempSync(join(tmpdir(), "maestro-hurry-"));
    const flags = ["--grpc-port", "0", "--ops-port", "0", "--threads", "1", "--allow-shell", "--log-level", "debug"];
    node = new MaestroProcess(["start", ...flags], { cwd });
    using client = connect(await node.ready());
    await client.deploy(SLOW.replace("begun", join(cwd, "begun")));
    await client.start({ workflow: "slow" });
    await waitUntil("the task to have begun", () => readdirSync(cwd).includes("begun"));
  });
  afterEach(() => {
    endAll();
    rmSync(cwd, { recursive: true, force: true });
  });

  /** The file by which PostgreSQL says that it runs, or undefined. */
  const postmaster = (): string | undefined => {
    const file = readdirSync(cwd, { recursive: true, encoding: "utf8" }).find((path) => path.endsWith("postmaster.pid"));
    return file === undefined ? undefined : join(cwd, file);
  };
  /** Signals that come close together are one request, so it is sent until it is heeded. */
  const keepAsking = (what: string, isHeeded: () => boolean) =>
    waitUntil(what, () => {
      if (isHeeded()) return true;
      node.kill("SIGTERM");
      return false;
    });

  it("waits for no task, and still ends its PostgreSQL in order", async () => {
    await keepAsking("the node to hurry", () => node.stdout.includes(HURRIED));
    const { code, stdout } = await node.ended();
    assert.equal(code, 0);
    assert.equal(postmaster(), undefined);
    const lines = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { msg: string; stage?: string; durationMs?: number });
    assert.ok(lines.some(({ msg }) => msg === "the node has stopped"));
    const tasks = lines.find(({ msg, stage }) => msg === "a stage stopped" && stage === "tasks");
    assert.ok((tasks?.durationMs ?? Number.POSITIVE_INFINITY) < 5_000, `the time that tasks get was waited for: ${tasks?.durationMs} ms`);
  });

  it("ends at once when it is told so a third time", async () => {
    const pid = Number(readFileSync(postmaster() ?? assert.fail("PostgreSQL runs"), "utf8").split("\n")[0]);
    // It keeps the stop from coming to its end.
    process.kill(pid, "SIGSTOP");
    try {
      await keepAsking("the process to end", () => node.isOver);
      const { code, stdout } = await node.ended();
      assert.equal(code, 130);
      assert.match(stdout, new RegExp(HURRIED));
    } finally {
      // Perhaps nobody has asked it to stop yet.
      process.kill(pid, "SIGINT");
      process.kill(pid, "SIGCONT");
    }
    await waitUntil("PostgreSQL to end", () => postmaster() === undefined, 30_000);
  });
});
