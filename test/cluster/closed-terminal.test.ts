/** Nodes whose terminal is closed, as a window or a remote connection may be at any time: they stop in order, and leave no server behind. */
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { endAll, MaestroProcess } from "../support/maestro-process.ts";
import { waitUntil } from "../support/wait-until.ts";

/** Runs a command in a terminal of its own, which is closed when this process is killed. */
const IN_TERMINAL = ["sh", "-c", 'exec script --quiet --flush --command "stty cols 120 rows 40; exec $*" /dev/null', "sh"];

describe("a local cluster whose terminal is closed", function () {
  this.timeout(90_000);
  let cwd: string;
  beforeEach(() => {
    cwd = mkdtempSync(join(tmpdir(), "maestro-terminal-"));
  });
  afterEach(() => {
    endAll();
    rmSync(cwd, { recursive: true, force: true });
  });

  it("stops in order, PostgreSQL included, though nobody reads any more what it says", async () => {
    const terminal = new MaestroProcess(["dev", ".", "--nodes", "2", "--grpc-port", "0", "--ops-port", "0", "--threads", "1"], {
      cwd,
      prefix: IN_TERMINAL,
    });
    const servers = () => readdirSync(cwd, { recursive: true, encoding: "utf8" }).filter((path) => path.endsWith("postmaster.pid"));
    await waitUntil("both nodes to be ready", () => terminal.stdout.includes("n1 is ready") && terminal.stdout.includes("n2 is ready"), 60_000);
    assert.equal(servers().length, 1);
    terminal.kill("SIGKILL");
    await waitUntil("PostgreSQL to have ended in order", () => servers().length === 0, 30_000);
  });
});
