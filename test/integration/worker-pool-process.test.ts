import assert from "node:assert/strict";
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { EventHub, type RuntimeEvents } from "../../runtime/events.ts";
import { LIMITS } from "../../runtime/limits.ts";
import type { AttemptOutcome, WorkerPool } from "../../runtime/workers/pool.ts";
import { waitUntil } from "../support/wait-until.ts";
import { attemptOf, errorOf, execute, resultOf } from "../support/worker-attempts.ts";
import { startTestPool } from "../support/worker-pools.ts";

/** True while a process exists (also one that has ended and was not yet waited for). */
function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** True while a process executes: not one that has ended and only waits to be noticed. */
async function isRunning(pid: number): Promise<boolean> {
  const state = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  return state === "" ? process.platform !== "linux" && isAlive(pid) : !/\) [ZX] /.test(state);
}

describe("worker pool, process tier", () => {
  const events = new EventHub();
  const lost: RuntimeEvents["pool.threadLost"][] = [];
  events.on("pool.threadLost", (event) => lost.push(event));
  let pool: WorkerPool;
  const run = (handler: string, input: unknown = null): Promise<AttemptOutcome> => execute(pool, attemptOf(handler, input));
  const childPid = async (): Promise<number> => Number(resultOf(await run("child-pid")));

  before(async () => {
    pool = await startTestPool({ events, processThreadMemoryMb: 48 });
  });
  after(() => pool.stop(0));
  beforeEach(() => {
    lost.length = 0;
  });

  it("starts its child with the first attempt, and one child for all", async () => {
    assert.equal(pool.state.threads, 1);
    const pid = await childPid();
    assert.notEqual(pid, process.pid);
    assert.equal(await childPid(), pid);
    assert.equal(pool.state.threads, 2);
  });

  it("loses only the attempts in a child that is killed, and starts another", async () => {
    const pid = await childPid();
    const inNode = attemptOf("wait-for-cancel");
    const inNodeOutcome = execute(pool, inNode);
    const outcomes = [run("waits-in-child"), run("waits-in-child")];
    await childPid();
    process.kill(pid, "SIGKILL");
    for (const outcome of await Promise.all(outcomes)) assert.equal(errorOf(outcome).kind, "lost");
    assert.deepEqual(lost, [{ tier: "process", reason: "the child process ended (SIGKILL)", tasks: 2 }]);
    assert.notEqual(await childPid(), pid);
    pool.cancel(inNode.id);
    assert.deepEqual(await inNodeOutcome, { kind: "cancelled" });
  });

  it("survives a thread that runs out of memory", async () => {
    const error = errorOf(await run("eats-memory"));
    assert.equal(error.kind, "crashed");
    assert.match(error.message, /memory|child process ended/);
    assert.ok((await childPid()) > 0);
  });

  it("cancels what ignores its signal", async () => {
    await childPid();
    const attempt = attemptOf("waits-in-child");
    const outcome = execute(pool, attempt);
    await childPid();
    pool.cancel(attempt.id);
    assert.deepEqual(await outcome, { kind: "cancelled" });
  });

  it("kills a child that does not react at all", async () => {
    const pid = await childPid();
    const attempt = attemptOf("waits-in-child");
    const outcome = execute(pool, attempt);
    process.kill(pid, "SIGSTOP");
    pool.cancel(attempt.id);
    assert.deepEqual(await outcome, { kind: "cancelled" });
    await waitUntil("the stopped child to be gone", () => !isAlive(pid));
    assert.notEqual(await childPid(), pid);
  });

  it("ends its child when it stops", async () => {
    const own = await startTestPool();
    const pid = Number(resultOf(await execute(own, attemptOf("child-pid"))));
    await own.stop(0);
    assert.equal(isAlive(pid), false);
  });
});

describe("shell task", () => {
  let pool: WorkerPool;
  let folder: string;
  const shell = (input: Record<string, unknown>): Promise<AttemptOutcome> => execute(pool, attemptOf("shell", input));

  before(async () => {
    process.env.MAESTRO_TEST_SECRET = "must not be seen";
    pool = await startTestPool({ cancelGraceMs: 10_000 });
    folder = await mkdtemp(join(tmpdir(), "maestro-shell-"));
  });
  after(async () => {
    delete process.env.MAESTRO_TEST_SECRET;
    await pool.stop(0);
    await rm(folder, { recursive: true });
  });

  it("returns the part of the output that is asked for", async () => {
    const command = "echo out; echo err >&2";
    assert.equal(resultOf(await shell({ command })), "out\n");
    assert.equal(resultOf(await shell({ command, return: "stderr" })), "err\n");
    assert.equal(resultOf(await shell({ command, return: "code" })), 0);
    assert.deepEqual(resultOf(await shell({ command, return: "all" })), { code: 0, stdout: "out\n", stderr: "err\n" });
    assert.equal(resultOf(await shell({ command, return: "none" })), null);
  });

  it("hands over arguments without the shell reading them, input, and a folder", async () => {
    const hostile = "a b; echo $HOME `id`";
    assert.equal(resultOf(await shell({ command: 'printf "%s|" "$@"', arguments: [hostile, 7] })), `${hostile}|7|`);
    assert.equal(resultOf(await shell({ command: 'printf "%s|" "$@"', arguments: { "--user": "x", "-v": null } })), "--user|x|-v|");
    assert.equal(resultOf(await shell({ command: "cat", stdin: "given" })), "given");
    assert.equal(resultOf(await shell({ command: "true", stdin: "x".repeat(1_000_000) })), "");
    assert.equal(resultOf(await shell({ command: "pwd", cwd: "/" })), "/\n");
  });

  it("sees what the task gives and the bare minimum, never the node's variables", async () => {
    const names = String(resultOf(await shell({ command: "env", environment: { GIVEN: 1 } })));
    assert.match(names, /^GIVEN=1$/m);
    assert.doesNotMatch(names, /MAESTRO_TEST_SECRET|must not be seen/);
    const known = ["GIVEN", "PATH", "HOME", "LANG", "TMPDIR", "PWD", "OLDPWD", "SHLVL", "_"];
    for (const line of names.trim().split("\n")) assert.ok(known.includes(line.split("=", 1)[0] ?? ""), line);
  });

  it("fails with the tail of stderr when the command does, unless the code is asked for", async () => {
    const command = "echo 'disk is full' >&2; exit 3";
    const { stack, ...error } = errorOf(await shell({ command }));
    assert.ok(stack);
    assert.deepEqual(error, {
      kind: "thrown",
      message: "The command ended with code 3: disk is full",
      type: "https://open-workflow-specification.org/spec/1.0.0/errors/runtime",
      status: 500,
      title: "Runtime Error",
      details: '{"code":3,"stderr":"disk is full\\n"}',
    });
    assert.equal(resultOf(await shell({ command, return: "code" })), 3);
    assert.equal(resultOf(await shell({ command: "kill -9 $$", return: "code" })), 137);
  });

  it("cuts output that is too long and says so, without stopping the command", async () => {
    const extra = 5_000;
    const bytes = LIMITS.shellOutputBytes + extra;
    const text = String(resultOf(await shell({ command: `head -c ${bytes} /dev/zero | tr '\\0' x; true` })));
    assert.ok(text.startsWith("xxx"));
    assert.ok(text.endsWith(`x… (${extra} bytes cut)`), text.slice(-40));
  });

  it("refuses input that is not valid", async () => {
    for (const input of [{}, { command: "" }, { command: "true", return: "both" }, { command: "true", arguments: [{}] }]) {
      const error = errorOf(await shell(input));
      assert.deepEqual([error.kind, error.status], ["refused", 400]);
    }
  });

  it("fails when the folder does not exist", async () => {
    assert.match(errorOf(await shell({ command: "true", cwd: "/does/not/exist" })).message, /ENOENT/);
  });

  it("does not let what it leaves in the background outlive it, nor wait for it", async () => {
    const pid = Number(resultOf(await shell({ command: "sleep 600 & echo $!" })));
    await waitUntil("the background process to end", async () => !(await isRunning(pid)));
  });

  /** Starts a command with a grandchild that ignores SIGTERM, and resolves with the attempt and the grandchild. */
  async function startFamily(target: WorkerPool) {
    const file = join(folder, `pid-${Math.trunc(performance.now() * 1000)}`);
    const script = `sh -c 'trap "" TERM; echo $$ > ${file}.part; mv ${file}.part ${file}; while :; do sleep 1; done' & wait`;
    const attempt = attemptOf("shell", { command: script });
    const outcome = execute(target, attempt);
    const pid = await waitUntil("the grandchild to start", async () => Number(await readFile(file, "utf8").catch(() => "")) || undefined);
    return { attempt, outcome, pid };
  }

  it("ends the whole family of a cancelled command", async () => {
    const { attempt, outcome, pid } = await startFamily(pool);
    pool.cancel(attempt.id);
    assert.deepEqual(await outcome, { kind: "cancelled" });
    await waitUntil("the grandchild to end", async () => !(await isRunning(pid)));
  });

  /** Starts a command that ignores SIGTERM, and resolves with the attempt and the command. */
  async function startStubborn(target: WorkerPool) {
    const file = join(folder, `stubborn-${Math.trunc(performance.now() * 1000)}`);
    const attempt = attemptOf("shell", { command: `trap "" TERM; echo $$ > ${file}; while :; do sleep 1; done` });
    const outcome = execute(target, attempt);
    const pid = await waitUntil("the command to start", async () => Number(await readFile(file, "utf8").catch(() => "")) || undefined);
    return { attempt, outcome, pid };
  }

  it("ends a command by force that ignores being asked to", async () => {
    const { attempt, outcome, pid } = await startStubborn(pool);
    pool.cancel(attempt.id);
    assert.deepEqual(await outcome, { kind: "cancelled" });
    assert.equal(await isRunning(pid), false);
  });

  it("ends such a command even if its thread is ended first", async () => {
    const impatient = await startTestPool({ cancelGraceMs: 200 });
    try {
      const { attempt, outcome, pid } = await startStubborn(impatient);
      impatient.cancel(attempt.id);
      assert.deepEqual(await outcome, { kind: "cancelled" });
      await waitUntil("the command to end", async () => !(await isRunning(pid)));
    } finally {
      await impatient.stop(0);
    }
  });

  it("ends commands that were given up as they began, when the process that did it is gone", async () => {
    const pids = join(folder, "given-up");
    await mkdir(pids);
    const entry = fileURLToPath(new URL("../support/stubborn-commands.ts", import.meta.url));
    const starter = fork(entry, [pids, "160"]);
    await once(starter, "message");
    starter.kill("SIGKILL");
    for (const file of await readdir(pids)) {
      const pid = Number(await readFile(join(pids, file), "utf8"));
      assert.ok(pid > 0);
      await waitUntil(`the command ${file} to end`, async () => !(await isRunning(pid)));
    }
  });

  it("ends the whole family when the child process is killed", async () => {
    const { outcome, pid } = await startFamily(pool);
    process.kill(Number(resultOf(await execute(pool, attemptOf("child-pid")))), "SIGKILL");
    const error = errorOf(await outcome);
    assert.match(error.message, /the child process ended \(SIGKILL\)/);
    await waitUntil("the grandchild to end", async () => !(await isRunning(pid)));
  });

  it("ends the whole family when the pool stops", async () => {
    const own = await startTestPool();
    const { outcome, pid } = await startFamily(own);
    await own.stop(0);
    assert.deepEqual(await outcome, { kind: "cancelled" });
    await waitUntil("the grandchild to end", async () => !(await isRunning(pid)));
  });

  it("ends the child and the whole family when the node is killed", async () => {
    const file = join(folder, "orphan");
    const node: ChildProcess = fork(fileURLToPath(new URL("../fixtures/pool-in-a-node.ts", import.meta.url)), [file], { execArgv: [] });
    const pids = await waitUntil("the node's command to start", async () => {
      const text = await readFile(file, "utf8").catch(() => "");
      return text.endsWith("\n") ? text.trim().split(" ").map(Number) : undefined;
    });
    node.kill("SIGKILL");
    await once(node, "exit");
    for (const pid of pids) await waitUntil(`process ${pid} to end`, async () => !(await isRunning(pid)));
  });
});
