/** What becomes of attempts that were under way when their node was lost, on the pure core. */
import assert from "node:assert/strict";
import { isolationOf, widthOf } from "../../../actors/run/core/node-loss.ts";
import { LIMITS } from "../../../runtime/limits.ts";
import type { AttemptOutcome } from "../../../runtime/workers/pool.ts";
import { compileText, HEAD } from "../../support/compile-document.ts";
import { RunWorld, type TestHandler, thrown } from "../../support/run-world.ts";

const FORK = "do: [{ all: { fork: { branches: [{ a: { call: charge@default } }, { b: { call: charge@default } }] } } }]";
const CALL = "do: [{ pay: { call: charge@default } }]";
const TITLE = "Task lost with its node";
const CRASHED: AttemptOutcome = { kind: "failed", error: { kind: "crashed", message: "signal SIGSEGV" } };

async function world(body: string, handlers: Readonly<Record<string, TestHandler>> = {}): Promise<RunWorld> {
  return new RunWorld(await compileText(HEAD + body), { charge: () => "later", ...handlers });
}

const isolations = (run: RunWorld) => [...run.underWay.values()].map(({ call, isolation }) => `${call.frame}#${call.attempt} ${isolation}`);

/** Loses nodes until the attempts are executed by turns. */
function loseTwice(run: RunWorld): RunWorld {
  return run.loseNode().loseNode();
}

/** Loses nodes during the turns of all attempts, until another such loss would fail them. */
function loseInTurns(run: RunWorld): RunWorld {
  loseTwice(run);
  for (let losses = 1; losses < LIMITS.nodeLossesInTurn; losses += 1) run.takeTurns().loseNode();
  return run.takeTurns();
}

describe("the loss of a node", () => {
  it("has the same attempt executed again, outside of the node, and stores that first", async () => {
    const run = (await world(CALL)).start();
    assert.deepEqual(isolations(run), ["2#1 tier"]);
    run.loseNode();
    assert.deepEqual(isolations(run), ["2#1 process"]);
    assert.equal(run.history().at(-1)?.type, "attempt.interrupted");
    assert.equal(run.history().at(-1)?.path, "/do/0/pay");
    run.settle("/do/0/pay", { kind: "completed", output: "1" });
    assert.equal(run.output, 1);
  });

  it("fails nobody, and is not even stored, as long as tasks only wait for their turn", async () => {
    const run = loseTwice((await world(FORK)).start());
    const before = run.entries.length;
    for (let losses = 0; losses < 20; losses += 1) run.loseNode();
    assert.deepEqual([run.state.inFlight, run.waiting.size, run.entries.length - before], [2, 2, 0]);
    run.takeTurns();
    assert.deepEqual(isolations(run), ["3#1 process", "4#1 process"]);
  });

  it("says nothing against an attempt that it had not begun to execute, however often", async () => {
    const run = (await world(FORK)).start();
    for (let losses = 0; losses < 20; losses += 1) run.loseNode(new Set([3]));
    assert.deepEqual(isolations(run), ["3#1 tier"]);
    assert.deepEqual(
      run.history().flatMap(({ type, path }) => (type === "attempt.interrupted" ? [path] : [])),
      Array.from({ length: 2 }, () => "/do/0/all/fork/branches/1/b"),
    );
  });

  it("keeps a task that crashes afterwards out of the node in its further attempts", async () => {
    const run = await world(CALL);
    run.retry.set("charge", { attempts: 2, delayMs: 100, jitter: 0 });
    run.start().loseNode().settle("/do/0/pay", CRASHED).advance(100);
    assert.deepEqual(isolations(run), ["2#2 process"]);
  });

  it("keeps a task out of the node that a try executes again", async () => {
    const again = "{ retry: { delay: { milliseconds: 50 }, limit: { attempt: { count: 3 } } } }";
    const run = (await world(`do: [{ safe: { try: [{ pay: { call: charge@default } }], catch: ${again} } }]`)).start();
    run.loseNode().settle("/do/0/safe/try/0/pay", CRASHED).advance(50);
    const [attempt] = isolations(run);
    assert.match(attempt ?? "", /#1 process$/);
  });

  it("is forgotten once the task has completed", async () => {
    const body = 'do: [{ each: { for: { each: x, in: "[1, 2]" }, do: [{ pay: { call: charge@default } }] } }]';
    const run = (await world(body)).start().loseNode();
    run.settle([...run.underWay.values()][0]?.call.path ?? "", { kind: "completed", output: "1" });
    assert.match(isolations(run)[0] ?? "", / tier$/);
    assert.equal(run.state.nodeLosses.size, 0);
  });

  it("leaves other tasks of the run alone", async () => {
    const run = (await world("do: [{ one: { call: charge@default } }, { two: { call: charge@default } }]")).start().loseNode();
    run.settle("/do/0/one", { kind: "completed", output: "1" });
    assert.match(isolations(run)[0] ?? "", / tier$/);
  });

  it("has fewer tasks executed at a time the more losses meet them in their turns, and in the end one", async () => {
    const run = loseTwice((await world(CALL)).start());
    const widths: number[] = [];
    const isolated: string[] = [];
    for (let losses = 0; losses < LIMITS.nodeLossesInTurn; losses += 1) {
      widths.push(...run.waiting.values());
      isolated.push(...isolations(run.takeTurns()));
      run.loseNode();
    }
    assert.deepEqual(widths.slice(0, 3), [32, 4, 1]);
    assert.ok(widths.slice(3).every((width) => width === 1));
    assert.deepEqual([...new Set(isolated)], ["2#1 process"]);
  });

  it("fails the task that it happens to again and again although it has no other suspect beside it", async () => {
    const run = loseInTurns((await world(CALL)).start());
    assert.equal(run.state.status, "running");
    run.loseNode();
    assert.deepEqual([run.state.status, run.state.error?.title, run.state.error?.status], ["failed", TITLE, 500]);
  });

  it("does not fail the task that completes at last", async () => {
    const run = loseInTurns((await world(CALL)).start());
    run.settle("/do/0/pay", { kind: "completed", output: "1" });
    assert.equal(run.output, 1);
  });

  it("gives an error that a try catches and a retry policy answers like any other", async () => {
    const caught = await world(
      `do: [{ safe: { try: [{ pay: { call: charge@default } }], catch: { errors: { with: { title: ${TITLE} } }, do: [{ note: { set: { caught: true } } }] } } }]`,
    );
    loseInTurns(caught.start()).loseNode();
    assert.deepEqual(caught.output, { caught: true });

    const retried = await world(CALL);
    retried.retry.set("charge", { attempts: 2, delayMs: 100, jitter: 0 });
    loseInTurns(retried.start()).loseNode().advance(100);
    assert.deepEqual([...retried.waiting], [["2:2", 1]], "the next attempt of a suspect has nobody beside it either");
  });

  it("gives several attempts that fail at once timers of their own", async () => {
    const run = await world(FORK);
    run.retry.set("charge", { attempts: 2, delayMs: 100, jitter: 0 });
    loseInTurns(run.start()).loseNode();
    assert.deepEqual(run.timers, [100, 100]);
  });

  it("comes too late for an attempt that has ended", async () => {
    const run = (await world(CALL, { charge: () => thrown() })).start();
    assert.equal(run.state.status, "failed");
    const before = run.entries.length;
    run.turn({ kind: "nodeLost", waiting: new Set() });
    run.turn({ kind: "isolate", frame: 2, attempt: 1 });
    assert.equal(run.entries.length, before);
  });

  it("is known to what was never lost as nothing", async () => {
    const run = (await world(CALL)).start();
    const [frame] = [...run.state.frames.values()].filter(({ inFlight }) => inFlight);
    assert.ok(frame !== undefined);
    assert.deepEqual([isolationOf(run.state, frame), widthOf(run.state, frame)], ["tier", Number.POSITIVE_INFINITY]);
  });
});
