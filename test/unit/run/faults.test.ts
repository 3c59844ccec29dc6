/** What a run does about errors, time limits, cancellation and undoing, on the pure core. */
import assert from "node:assert/strict";
import type { Json } from "../../../actors/json.ts";
import { MaestroError } from "../../../runtime/errors.ts";
import { compileText, HEAD } from "../../support/compile-document.ts";
import { RunWorld, type TestHandler, thrown } from "../../support/run-world.ts";

async function world(body: string, handlers: Readonly<Record<string, TestHandler>> = {}): Promise<RunWorld> {
  return new RunWorld(await compileText(HEAD + body), { charge: (input) => ({ output: input }), ...handlers });
}

/** Fails `times` times, then answers. */
function failing(times: number, output: Json = "ok"): TestHandler {
  let left = times;
  return () => (left-- > 0 ? thrown(`failure ${times - left}`) : { output });
}

const CALL = "do: [{ pay: { call: charge@default } }]";
const TRY = (catchClause: string): string => `do: [{ safe: { try: [{ pay: { call: charge@default } }], catch: ${catchClause} } }]`;

describe("faults of a run", () => {
  it("a handler's own retry policy runs further attempts after its delays", async () => {
    const run = await world(CALL, { charge: failing(2) });
    run.retry.set("charge", { attempts: 3, delayMs: 100, backoff: "exponential", jitter: 0 });
    run.start();
    assert.deepEqual(run.timers, [100]);
    run.advance(100);
    assert.deepEqual(run.timers, [200]);
    run.advance(200);
    assert.equal(run.output, "ok");
    assert.deepEqual(
      run.history().flatMap((entry) => (entry.type === "attempt.scheduled" ? [entry.attempt] : [])),
      [1, 2, 3],
    );
  });

  it("a retry is decided also where the clock is behind the one by which the run was created", async () => {
    const run = await world(CALL, { charge: failing(1) });
    run.retry.set("charge", { attempts: 2, delayMs: 100, jitter: 0 });
    run.nowMs -= 20_000;
    run.start().advance(20_100);
    assert.equal(run.output, "ok");
    const caught = await world(TRY("{ retry: { delay: { seconds: 1 }, limit: { attempt: { count: 1 } } } }"), { charge: failing(1) });
    caught.nowMs -= 20_000;
    caught.start().advance(21_000);
    assert.equal(caught.output, "ok");
  });

  it("the attempt after the last allowed one never comes", async () => {
    const run = await world(CALL, { charge: failing(3) });
    run.retry.set("charge", { attempts: 3, delayMs: 1, jitter: 0 });
    run.start().advance(60_000);
    assert.equal(run.state.status, "failed");
    assert.equal(run.state.error?.detail, "failure 3");
  });

  it("a refused attempt is not retried", async () => {
    const run = await world(CALL, {
      charge: () => ({ kind: "failed", error: { kind: "refused", message: "no", type: "https://e.example/no", status: 402 } }),
    });
    run.retry.set("charge", { attempts: 3 });
    run.start();
    assert.deepEqual([run.state.status, run.state.error?.type, run.state.error?.status], ["failed", "https://e.example/no", 402]);
  });

  it("a status that is none becomes 500", async () => {
    for (const status of [404.5, Number.NaN, 1e10, -1]) {
      const run = (await world(CALL, { charge: () => ({ kind: "failed", error: { kind: "thrown", message: "x", status } }) })).start();
      assert.deepEqual([run.state.status, run.state.error?.status], ["failed", 500]);
    }
  });

  it("a late result of an earlier attempt changes nothing", async () => {
    const run = await world(CALL, { charge: () => "later" });
    run.retry.set("charge", { attempts: 2, delayMs: 10, jitter: 0 });
    run.start().settle("/do/0/pay", thrown()).advance(10);
    const before = run.entries.length;
    run.tell({ kind: "attemptEnded", frame: 2, attempt: 1, outcome: { kind: "completed", output: '"late"' } });
    assert.equal(run.entries.length, before);
    run.settle("/do/0/pay", { kind: "completed", output: '"second"' });
    assert.equal(run.output, "second");
  });

  it("a second outcome of an attempt changes nothing, also while the next one is awaited", async () => {
    const run = await world(CALL, { charge: () => "later" });
    run.retry.set("charge", { attempts: 2, delayMs: 10, jitter: 0 });
    run.start().settle("/do/0/pay", thrown());
    const before = run.entries.length;
    for (const outcome of [{ kind: "completed" as const, output: '"again"' }, thrown("again")])
      run.tell({ kind: "attemptEnded", frame: 2, attempt: 1, outcome });
    assert.equal(run.entries.length, before);
    run.advance(10).settle("/do/0/pay", { kind: "completed", output: '"second"' });
    assert.equal(run.output, "second");
  });

  it("catch runs its tasks with the error as a variable", async () => {
    const run = (
      await world(TRY("{ as: problem, do: [{ note: { set: { why: '${ $problem.detail }', data: '${ . }' } } }] }"), { charge: () => thrown("broke") })
    ).start({ n: 1 });
    assert.deepEqual(run.output, { why: "broke", data: { n: 1 } });
  });

  it("catch takes only what its filter names", async () => {
    const filtered = TRY("{ errors: { with: { status: 503 } }, do: [{ a: { set: { caught: true } } }] }");
    assert.equal((await world(filtered, { charge: () => thrown() })).start().state.status, "failed");
    const unavailable: TestHandler = () => ({ kind: "failed", error: { kind: "thrown", message: "x", status: 503 } });
    assert.deepEqual((await world(filtered, { charge: unavailable })).start().output, { caught: true });
  });

  it("`when` and `exceptWhen` see the error", async () => {
    const conditional = TRY("{ exceptWhen: '$error.detail == \"no\"', do: [{ a: { set: { caught: true } } }] }");
    assert.equal((await world(conditional, { charge: () => thrown("no") })).start().state.status, "failed");
    assert.deepEqual((await world(conditional, { charge: () => thrown("yes") })).start().output, { caught: true });
  });

  it("retry runs the body again with growing delays, then the catch's tasks", async () => {
    const run = await world(
      TRY(
        "{ retry: { delay: { seconds: 1 }, backoff: { exponential: {} }, limit: { attempt: { count: 2 } } }, do: [{ a: { set: { gaveUp: true } } }] }",
      ),
      { charge: () => thrown() },
    );
    run.start();
    assert.deepEqual(run.timers, [1_000]);
    run.advance(1_000);
    assert.deepEqual(run.timers, [2_000]);
    run.advance(2_000);
    assert.deepEqual(run.output, { gaveUp: true });
    assert.equal(run.trail("try.retried").length, 2);
  });

  it("retries that are exhausted without tasks in the catch fail the run", async () => {
    const run = await world(TRY("{ retry: { delay: { seconds: 1 }, limit: { attempt: { count: 1 } } } }"), { charge: () => thrown() });
    run.start().advance(1_000);
    assert.equal(run.state.status, "failed");
  });

  it("a task's timeout abandons its attempt and is an error that can be caught", async () => {
    const body =
      "do: [{ safe: { try: [{ pay: { call: charge@default, timeout: { after: { seconds: 3 } } } }], catch: { do: [{ a: { set: { status: '${ $error.status }' } } }] } } }]";
    const run = (await world(body, { charge: () => "later" })).start().advance(3_000);
    assert.deepEqual(run.output, { status: 408 });
    assert.equal(run.abandoned.length, 1);
  });

  it("a timeout that is not needed leaves no timer", async () => {
    const run = (
      await world("timeout: { after: { hours: 1 } }\ndo: [{ pay: { call: charge@default, timeout: { after: { seconds: 3 } } } }]")
    ).start();
    assert.equal(run.state.status, "completed");
    assert.deepEqual(run.timers, []);
  });

  it("the run's timeout ends it, whatever is under way", async () => {
    const run = (
      await world("timeout: { after: { hours: 1 } }\ndo: [{ loop: { for: { in: '${ [1] }' }, do: [{ pay: { call: charge@default } }] } }]", {
        charge: () => "later",
      })
    )
      .start()
      .advance(3_600_000);
    assert.deepEqual([run.state.status, run.state.error?.status], ["failed", 408]);
    assert.equal(run.underWay.size, 0);
  });

  it("cancel abandons what is under way and ends the run; a second one changes nothing", async () => {
    const run = (await world(CALL, { charge: () => "later" })).start().tell({ kind: "cancel", reason: "enough" });
    assert.deepEqual([run.state.status, run.state.error?.detail, run.underWay.size], ["cancelled", "enough", 0]);
    const { lastSeq } = run.state;
    run.tell({ kind: "cancel", reason: "" });
    assert.deepEqual([run.state.lastSeq, run.state.error?.detail], [lastSeq, "enough"]);
    assert.throws(
      () => run.tell({ kind: "terminate", reason: "" }),
      (error) => error instanceof MaestroError && error.code === "RUN_ENDED",
    );
  });
});

describe("compensation", () => {
  const BODY = `do:
  - a: { call: charge@default, metadata: { compensate: [{ undoA: { call: refund@default, with: { what: a, got: '\${ .output }' } } }] } }
  - b: { call: charge@default, metadata: { compensate: [{ undoB: { call: refund@default, with: { what: b } } }] } }
  - c: { call: ship@default, metadata: { compensate: [{ undoC: { call: refund@default, with: { what: c } } }] } }
`;

  function saga(refund: TestHandler, ship: TestHandler): Promise<RunWorld> {
    return world(BODY, { refund, ship });
  }

  it("undoes completed tasks in reverse order when the run fails, and only those", async () => {
    const undone: Json[] = [];
    const run = (
      await saga(
        (input) => {
          undone.push(input);
          return { output: null };
        },
        () => thrown("no ship"),
      )
    ).start({ n: 1 });
    assert.deepEqual(undone, [{ what: "b" }, { what: "a", got: { n: 1 } }]);
    assert.deepEqual([run.state.status, run.state.error?.detail], ["failed", "no ship"]);
  });

  it("undoes when the run is cancelled; a signal that comes then is kept, a second cancel changes nothing", async () => {
    const run = (
      await saga(
        () => "later",
        () => "later",
      )
    )
      .start()
      .tell({ kind: "cancel", reason: "stop" });
    assert.equal(run.state.status, "running");
    const before = run.entries.length;
    run.tell({ kind: "cancel", reason: "again" });
    assert.equal(run.entries.length, before);
    run.settle("/do/1/b/metadata/compensate/0/undoB", { kind: "completed", output: "null" });
    run.settle("/do/0/a/metadata/compensate/0/undoA", { kind: "completed", output: "null" });
    assert.equal(run.state.status, "cancelled");
  });

  it("an undoing that fails does not keep the others from being undone, and is named", async () => {
    const undone: Json[] = [];
    const run = (
      await saga(
        (input) => {
          undone.push((input as { what: string }).what);
          return (input as { what: string }).what === "b" ? thrown("stuck") : { output: null };
        },
        () => thrown("no ship"),
      )
    ).start();
    assert.deepEqual(undone, ["b", "a"]);
    assert.match(run.state.error?.detail ?? "", /no ship.*1 compensation\(s\) failed.*stuck/);
  });

  it("a stored document whose compensation says end, which is refused today, still has everything undone", async () => {
    const undo = "metadata: { compensate: [{ u: { set: { a: 1 }, then: end } }, { v: { call: refund@default } }] }";
    const body = `do: [{ a: { set: { n: 1 }, ${undo} } }, { b: { set: { n: 2 }, ${undo} } }, { c: { raise: { error: { type: x, status: 500 } } } }]`;
    await assert.rejects(compileText(HEAD + body), { code: "DOCUMENT_INVALID" });
    const run = new RunWorld(await compileText(HEAD + body, { handlers: undefined })).start();
    assert.deepEqual([run.state.status, run.state.undo.length], ["failed", 0]);
    assert.deepEqual(run.trail("task.completed").filter((path) => path.endsWith("/u")).length, 2);
    assert.deepEqual(run.trail("attempt.scheduled"), []);
  });

  it("terminate undoes nothing", async () => {
    const run = (
      await saga(
        () => thrown("must not be called"),
        () => "later",
      )
    )
      .start()
      .tell({ kind: "terminate", reason: "now" });
    assert.deepEqual([run.state.status, run.state.error?.detail], ["terminated", "now"]);
    assert.deepEqual(run.trail("compensation.started"), []);
  });

  it("a run that completes undoes nothing", async () => {
    const run = (
      await saga(
        () => thrown("must not be called"),
        (input) => ({ output: input }),
      )
    ).start();
    assert.equal(run.state.status, "completed");
  });
});
