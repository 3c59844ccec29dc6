/**
 * Nodes whose terminal is closed, as a window or a remote connection may be at any time, or whose output nobody reads any more: they stop in order, and
 * leave no server behind.
 */
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { endAll, MaestroProcess, maestro } from "../support/maestro-process.ts";
import { waitUntil } from "../support/wait-until.ts";

/** Runs a command line in a terminal of its own, which is closed when this process is killed. */
const IN_TERMINAL = ["sh", "-c", 'exec script --quiet --flush --command "stty cols 120 rows 40; exec $*" /dev/null', "sh"];
/** Closes the output after the first line. */
const ONE_LINE_READ = ["sh", "-c", '"$@" | head -n 1', "sh"];

const NODE = ["dev", ".", "--grpc-port", "0", "--ops-port", "0", "--threads", "1"];
const CLUSTER = [...NODE, "--nodes", "2"];
const NODE_READY = ["the node is ready"];
const CLUSTER_READY = ["n1 is ready", "n2 is ready"];

describe("a node that nobody sees any more", function () {
  this.timeout(90_000);
  let cwd: string;
  beforeEach(() => {
    cwd = realpathSync(mkdtempSync(join(tmpdir(), "maestro-terminal-")));
  });
  afterEach(() => {
    endAll();
    for (const { pid } of processes()) process.kill(pid, "SIGKILL");
    rmSync(cwd, { recursive: true, force: true });
  });

  /** All that was started here: every process works in the folder, or in one that belongs to its data. */
  function processes(): { pid: number; name: string }[] {
    return readdirSync("/proc").flatMap((entry) => {
      try {
        if (!/^\d+$/.test(entry) || !readlinkSync(`/proc/${entry}/cwd`).startsWith(cwd)) return [];
        return [{ pid: Number(entry), name: readFileSync(`/proc/${entry}/comm`, "utf8").trim() }];
      } catch {
        // It has ended meanwhile.
        return [];
      }
    });
  }

  const names = (): string[] => processes().map(({ name }) => name);

  async function allEnded(): Promise<void> {
    await waitUntil("every process to have ended", () => names().length === 0 || assert.fail(names().join(" ")), 30_000);
    const left = readdirSync(cwd, { recursive: true, encoding: "utf8" }).filter((path) => path.endsWith("postmaster.pid"));
    assert.deepEqual(left, [], "PostgreSQL ended in order");
  }

  const logFile = (): string => (existsSync(join(cwd, "node.log")) ? readFileSync(join(cwd, "node.log"), "utf8") : "");

  const ways = [
    ["a node that logs text", NODE, NODE_READY],
    ["a node that logs JSON", [...NODE, "--json"], NODE_READY],
    ["a node in a pipe", [...NODE, "|", "cat"], NODE_READY],
    ["a node that logs to a file", [...NODE, ">", "node.log", "2>&1"], NODE_READY],
    ["a local cluster", CLUSTER, CLUSTER_READY],
    ["a local cluster in a pipe", [...CLUSTER, "2>&1", "|", "cat"], CLUSTER_READY],
  ] as const;
  for (const [what, args, ready] of ways) {
    it(`stops in order when its terminal is closed, PostgreSQL included: ${what}`, async () => {
      const terminal = new MaestroProcess(args, { cwd, prefix: IN_TERMINAL });
      await waitUntil(ready.join(", "), () => ready.every((line) => (terminal.stdout + logFile()).includes(line)), 60_000);
      assert.ok(names().includes("postgres"), names().join(" "));
      terminal.kill("SIGKILL");
      await allEnded();
      if (args.includes("node.log")) assert.match(logFile(), /"the node has stopped"/);
    });
  }

  const both = [
    ["a node", NODE],
    ["a local cluster", CLUSTER],
  ] as const;
  for (const [what, args] of both) {
    it(`stops in order when nobody reads what it writes: ${what}`, async () => {
      await new MaestroProcess(args, { cwd, prefix: ONE_LINE_READ }).ended(60_000);
      await allEnded();
    });
  }

  it("goes on under nohup", async () => {
    const node = new MaestroProcess(NODE, { cwd, prefix: ["nohup"] });
    const address = await node.ready();
    node.kill("SIGHUP");
    const { code, stderr } = await maestro(["node", "list", "--address", address], { cwd });
    assert.equal(code, 0, stderr);
    node.kill("SIGTERM");
    assert.equal((await node.ended()).code, 0);
    await allEnded();
  });
});
