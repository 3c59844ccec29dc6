import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Ended, endAll, MaestroProcess, maestro } from "../support/maestro-process.ts";
import { waitUntil } from "../support/wait-until.ts";

const GREET = `document:
  dsl: 1.0.3
  namespace: default
  name: greet
  version: 1.0.0
do:
  - greet:
      set:
        greeting: \${ "Hello, \\(.name)" }
`;
const FAIL = `document: { dsl: 1.0.3, namespace: default, name: fail, version: 1.0.0 }
do:
  - stop:
      raise: { error: { type: https://example.org/no, status: 500, title: no, detail: as planned } }
`;
const APPROVAL = `document: { dsl: 1.0.3, namespace: default, name: approval, version: 1.0.0 }
do:
  - decision:
      call: signal@default
      with: { name: approval }
`;

describe("the maestro command", function () {
  this.timeout(60_000);
  let cwd: string;
  let node: MaestroProcess;
  let env: Record<string, string>;

  before(async () => {
    cwd = mkdtempSync(join(tmpdir(), "maestro-cli-"));
    for (const [name, text] of Object.entries({ greet: GREET, fail: FAIL, approval: APPROVAL })) writeFileSync(join(cwd, `${name}.yaml`), text);
    node = new MaestroProcess(["start", "--grpc-port", "0", "--ops-port", "0", "--threads", "1"], { cwd });
    env = { MAESTRO_ADDRESS: await node.ready() };
    const deployed = await run("deploy", "greet.yaml", "fail.yaml", "approval.yaml");
    assert.equal(deployed.code, 0, deployed.stderr);
  });

  after(async () => {
    node.kill("SIGTERM");
    const { code } = await node.ended();
    endAll();
    rmSync(cwd, { recursive: true, force: true });
    assert.equal(code, 0, "SIGTERM stops a node in order");
  });

  const run = (...args: string[]): Promise<Ended> => maestro(args, { cwd, env });
  const runJson = async <T>(...args: string[]): Promise<T> => JSON.parse((await run(...args, "--json")).stdout) as T;

  it("runs a workflow to its end and prints the output", async () => {
    const { code, stdout } = await run("run", "greet", "--input", '{"name":"Ada"}', "--wait");
    assert.equal(code, 0);
    assert.match(stdout, /greet completed/);
    assert.deepEqual(JSON.parse(stdout.slice(stdout.indexOf("{"))), { greeting: "Hello, Ada" });
  });

  it("prints one JSON object on a line for programs", async () => {
    const ended = await runJson<{ status: string; output: unknown }>("run", "greet", "--input", '{"name":"Ada"}', "--wait");
    assert.deepEqual([ended.status, ended.output], ["completed", { greeting: "Hello, Ada" }]);
  });

  it("exits with 1 when the run that it waited for failed", async () => {
    const { code, stdout } = await run("run", "fail", "--wait");
    assert.equal(code, 1);
    assert.match(stdout, /stop failed: as planned/);
  });

  it("starts one run for one idempotency key", async () => {
    const first = await runJson<{ runId: string; created: boolean }>("run", "greet", "--idempotency-key", "k1");
    const second = await runJson<{ runId: string; created: boolean }>("run", "greet", "--idempotency-key", "k1");
    assert.deepEqual([first.created, second.created, second.runId], [true, false, first.runId]);
  });

  it("signals a run that waits, and follows it to its end", async () => {
    const { runId } = await runJson<{ runId: string }>("run", "approval");
    const watching = new MaestroProcess(["runs", "watch", runId], { cwd, env });
    await waitUntil("the watcher sees what the run waits for", () => watching.stdout.includes("waits for the signal approval"));
    assert.match((await run("runs", "show", runId)).stdout, /^run \S+ waiting {2}.*, for the signal approval\n/);
    const misspelt = await run("signal", runId, "aproval");
    assert.deepEqual([misspelt.code, misspelt.stdout], [0, "The run has it.\n"]);
    assert.match(misspelt.stderr, /No task of the run takes signals named aproval\. Did you mean approval\?/);
    assert.equal((await run("signal", runId, "approval", "--payload", '{"yes":true}')).code, 0);
    const { code, stdout } = await watching.ended();
    assert.equal(code, 0);
    assert.match(stdout, /the signal approval arrived/);
    const shown = await runJson<{ output: unknown }>("runs", "show", runId);
    assert.deepEqual(shown.output, { yes: true });
  });

  it("cancels and terminates runs, and shows how they ended", async () => {
    for (const [command, status] of [
      [["cancel"], "cancelled"],
      [["runs", "cancel"], "cancelled"],
      [["runs", "terminate"], "terminated"],
    ] as const) {
      const { runId } = await runJson<{ runId: string }>("run", "approval");
      assert.equal((await run(...command, runId, "--reason", "test")).code, 0);
      const { code } = await run("runs", "watch", runId);
      assert.equal(code, 1);
      assert.equal((await runJson<{ status: string }>("runs", "show", runId)).status, status);
      assert.equal((await run(...command, runId)).code, 0, "who asks again, as one that lost the answer, is answered again");
      const other = status === "cancelled" ? ["runs", "terminate"] : ["cancel"];
      assert.equal((await run(...other, runId)).code, 4, "a run that has ended in another way is refused");
    }
  });

  it("lists runs by workflow and status, newest first", async () => {
    const { stdout } = await run("runs", "list", "--workflow", "fail", "--status", "failed", "--json");
    const runs = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { runId: string; workflow: string; status: string; error?: { detail?: string } });
    assert.ok(runs.length >= 1);
    for (const listed of runs) assert.deepEqual([listed.workflow, listed.status], ["fail", "failed"]);
    const why = (await runJson<{ error: { detail?: string; title?: string } }>("runs", "show", runs[0]?.runId ?? "")).error;
    assert.ok((why.detail ?? why.title ?? "").length > 0 && runs[0]?.error?.detail === (why.detail ?? why.title), "a list says why a run failed");
  });

  it("prints a history whose sequence numbers have no gap", async () => {
    const { runId } = await runJson<{ runId: string }>("run", "greet", "--wait");
    const { stdout } = await run("runs", "history", runId, "--json");
    const seqs = stdout
      .trim()
      .split("\n")
      .map((line) => (JSON.parse(line) as { seq: number }).seq);
    assert.deepEqual(
      seqs,
      seqs.map((_, index) => index + 1),
    );
    assert.match((await run("runs", "history", runId)).stdout, /run\.ended +completed\n$/);
  });

  it("tells what is wrong with a document, with its place, and refuses a changed version", async () => {
    writeFileSync(join(cwd, "broken.yaml"), GREET.replace("set:", "sett:"));
    const broken = await run("deploy", "broken.yaml");
    assert.equal(broken.code, 4);
    assert.match(broken.stderr, /DOCUMENT_INVALID.*\/do\/0\/greet/s);
    writeFileSync(join(cwd, "changed.yaml"), GREET.replace("Hello", "Servus"));
    const changed = await run("deploy", "changed.yaml");
    assert.equal(changed.code, 4);
    assert.match(changed.stderr, /WORKFLOW_IN_CONFLICT/);
  });

  it("refuses the shell unless it was allowed", async () => {
    const text = "document: { dsl: 1.0.3, namespace: default, name: sh, version: 1.0.0 }\ndo:\n  - list:\n      run: { shell: { command: ls } }\n";
    writeFileSync(join(cwd, "shell.yaml"), text);
    const { code, stderr } = await run("deploy", "shell.yaml");
    assert.equal(code, 4);
    assert.match(stderr, /shell commands are not allowed/);
  });

  it("shows a node alone as a cluster of one, which can't be drained", async () => {
    const only = await runJson<{ name: string; state: string; shards: number; grpcAddress: string }>("node", "list");
    assert.deepEqual([only.state, only.shards, only.grpcAddress], ["live", 4096, env.MAESTRO_ADDRESS]);
    assert.match((await run("shard", "list")).stdout, /\n\S+ +1 +4096 +0-4095\n$/);
    const drain = await run("node", "drain", only.name);
    assert.equal(drain.code, 4);
    assert.match(drain.stderr, /^NO_HEIR /);
  });

  it("exits with 2 for what is wrong on the command line, and says what", async () => {
    for (const args of [["frobnicate"], ["run", "greet", "--input", "{"], ["runs", "list", "--status", "odd"], ["start", "--lanes", "none"]]) {
      const { code, stderr } = await run(...args);
      assert.equal(code, 2, args.join(" "));
      assert.notEqual(stderr.trim(), "");
      assert.doesNotMatch(stderr, /\n\s+at /, "no stack");
    }
  });

  it("exits with 3 where no node answers, and with 4 for a run that does not exist", async () => {
    const nobody = await run("runs", "list", "--address", "127.0.0.1:1");
    assert.equal(nobody.code, 3);
    assert.match(nobody.stderr, /^NODE_UNREACHABLE {2}No node answers at 127\.0\.0\.1:1: connect ECONNREFUSED 127\.0\.0\.1:1\n/);
    const unknown = await run("runs", "show", "01a1fff0-d80f-7cef-84fa-59dc734561a7", "--json");
    assert.equal(unknown.code, 4);
    const { error } = JSON.parse(unknown.stderr) as { error: { code: string; advice: string } };
    assert.equal(error.code, "RUN_NOT_FOUND");
    assert.notEqual(error.advice, "");
  });

  it("exits with 5 when a node can't start: its data folder is in use", async () => {
    const { code, stderr } = await run("start", "--grpc-port", "0", "--ops-port", "0", "--json");
    assert.equal(code, 5);
    assert.match(stderr, /DATA_FOLDER_LOCKED/);
  });
});
