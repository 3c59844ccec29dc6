/** Each kind of task, from the document to the run's output, on the pure core. */
import assert from "node:assert/strict";
import { compileText, HEAD } from "../../support/compile-document.ts";
import { RunWorld, type TestHandler, thrown } from "../../support/run-world.ts";

const echo: TestHandler = (input) => ({ output: input });

async function world(body: string, handlers: Readonly<Record<string, TestHandler>> = {}): Promise<RunWorld> {
  return new RunWorld(await compileText(HEAD + body), { charge: echo, refund: echo, ship: echo, ...handlers });
}

describe("tasks of a run", () => {
  it("set replaces the data, and the last task's output is the run's", async () => {
    const run = (await world("do: [{ a: { set: { x: 1 } } }, { b: { set: { y: '${ .x + 1 }' } } }]")).start();
    assert.equal(run.state.status, "completed");
    assert.deepEqual(run.output, { y: 2 });
  });

  it("call hands the evaluated `with` to its handler and takes the result on", async () => {
    const run = (
      await world("do: [{ pay: { call: charge@default, with: { sum: '${ .n * 2 }' } } }]", { charge: (input) => ({ output: { paid: input } }) })
    ).start({ n: 21 });
    assert.deepEqual(run.output, { paid: { sum: 42 } });
  });

  it("call without `with` hands the task's input on", async () => {
    const run = (await world("do: [{ pay: { call: charge@default } }]")).start({ n: 1 });
    assert.deepEqual(run.output, { n: 1 });
  });

  it("input.from, output.as and export.as transform in their order", async () => {
    const run = (
      await world(`do:
  - pay:
      input: { from: '\${ .order }' }
      call: charge@default
      output: { as: '\${ {sum: .sum, was: $input.sum} }' }
      export: { as: '\${ $context + {paid: .sum} }' }
  - tell: { set: { context: '\${ $context }', data: '\${ . }' } }
`)
    ).start({ order: { sum: 5 } });
    assert.deepEqual(run.output, { context: { paid: 5 }, data: { sum: 5, was: 5 } });
  });

  it("`if` skips a task and passes its input on", async () => {
    const run = (await world("do: [{ a: { if: '${ .go }', set: { x: 1 } } }]")).start({ go: false });
    assert.deepEqual(run.output, { go: false });
  });

  it("switch goes to the first case that holds, else to the default", async () => {
    const body = `do:
  - which: { switch: [{ big: { when: .n > 10, then: large } }, { other: { then: small } }] }
  - large: { set: { size: large }, then: exit }
  - small: { set: { size: small } }
`;
    assert.deepEqual((await world(body)).start({ n: 11 }).output, { size: "large" });
    assert.deepEqual((await world(body)).start({ n: 1 }).output, { size: "small" });
  });

  it("`then: end` ends the run with the task's output, from inside", async () => {
    const run = (
      await world("do: [{ outer: { do: [{ a: { set: { x: 1 }, then: end } }, { b: { set: { x: 2 } } }] } }, { c: { set: { x: 3 } } }]")
    ).start();
    assert.deepEqual(run.output, { x: 1 });
  });

  it("for walks through its items; an iteration's output is the next one's input", async () => {
    const run = (
      await world(
        "do: [{ loop: { for: { each: item, at: i, in: '${ .items }' }, do: [{ add: { set: { items: '${ .items }', sum: '${ (.sum // 0) + $item * $i }' } } }] } }]",
      )
    ).start({ items: [5, 6, 7] });
    assert.deepEqual(run.output, { items: [5, 6, 7], sum: 20 });
    assert.deepEqual(run.trail("task.completed").slice(0, 2), ["/do/0/loop[0]/do/0/add", "/do/0/loop[0]/do"]);
  });

  it("for stops when `while` does not hold", async () => {
    const run = (await world("do: [{ loop: { for: { in: '${ [1,2,3] }' }, while: .n < 2, do: [{ add: { set: { n: '${ .n + 1 }' } } }] } }]")).start({
      n: 0,
    });
    assert.deepEqual(run.output, { n: 2 });
  });

  it("fork joins its branches' outputs in their order, whatever the order of completion", async () => {
    const run = (
      await world("do: [{ both: { fork: { branches: [{ a: { call: charge@default } }, { b: { call: ship@default } }] } } }]", {
        charge: () => "later",
        ship: () => "later",
      })
    ).start();
    run.settle("/do/0/both/fork/branches/1/b", { kind: "completed", output: "2" });
    assert.equal(run.state.status, "running");
    run.settle("/do/0/both/fork/branches/0/a", { kind: "completed", output: "1" });
    assert.deepEqual(run.output, [1, 2]);
  });

  it("fork with compete takes the winner's output and abandons the others", async () => {
    const run = (
      await world("do: [{ race: { fork: { compete: true, branches: [{ a: { call: charge@default } }, { b: { call: ship@default } }] } } }]", {
        charge: () => "later",
        ship: () => "later",
      })
    ).start();
    run.settle("/do/0/race/fork/branches/1/b", { kind: "completed", output: '"b"' });
    assert.equal(run.output, "b");
    assert.equal(run.abandoned.length, 1);
  });

  it("fork with compete only fails when no branch is left that could win", async () => {
    const body = "do: [{ race: { fork: { compete: true, branches: [{ a: { call: charge@default } }, { b: { call: ship@default } }] } } }]";
    const run = (await world(body, { charge: () => thrown(), ship: () => "later" })).start();
    assert.equal(run.state.status, "running");
    run.settle("/do/0/race/fork/branches/1/b", { kind: "completed", output: '"b"' });
    assert.equal(run.output, "b");
    assert.equal((await world(body, { charge: () => thrown(), ship: () => thrown() })).start().state.status, "failed");
  });

  it("an error in a branch abandons the others and fails the fork", async () => {
    const run = (
      await world("do: [{ both: { fork: { branches: [{ a: { call: charge@default } }, { b: { call: ship@default } }] } } }]", {
        charge: () => thrown(),
        ship: () => "later",
      })
    ).start();
    assert.equal(run.state.status, "failed");
    assert.equal(run.state.error?.detail, "boom");
    assert.equal(run.underWay.size, 0);
  });

  it("an error in a branch fails the fork although another branch ends in the same turn", async () => {
    const run = (
      await world(
        "do: [{ both: { fork: { branches: [{ a: { raise: { error: { type: 'https://e.example/x', status: 400 } } } }, { b: { set: { v: 2 } } }] } } }]",
      )
    ).start();
    assert.deepEqual([run.state.status, run.state.error?.status], ["failed", 400]);
  });

  it("a race is won by the first branch that completes, whatever the others do in the same turn", async () => {
    const race = (second: string): string => `do: [{ race: { fork: { compete: true, branches: [{ a: { set: { v: 1 } } }, { b: ${second} }] } } }]`;
    for (const second of ["{ set: { v: 2 } }", "{ raise: { error: { type: 'https://e.example/x', status: 400 } } }", "{ call: ship@default }"]) {
      const run = (await world(race(second), { ship: () => "later" })).start();
      assert.deepEqual(run.output, { v: 1 }, second);
      assert.deepEqual(run.abandoned, [], `nothing begins after the race is decided: ${second}`);
    }
  });

  it("a branch that is skipped wins a race only if there is no other", async () => {
    const race = (second: string): string =>
      `do: [{ race: { fork: { compete: true, branches: [{ a: { if: '\${ false }', set: { v: 1 } } }, { b: ${second} }] } } }]`;
    assert.deepEqual((await world(race("{ set: { v: 2 } }"))).start({ n: 1 }).output, { v: 2 });
    assert.deepEqual((await world(race("{ if: '${ false }', set: { v: 2 } }"))).start({ n: 1 }).output, { n: 1 });
  });

  it("raise fails the run with its problem", async () => {
    const run = (await world("do: [{ no: { raise: { error: { type: 'https://e.example/x', status: 418, title: Teapot } } } }]")).start();
    assert.equal(run.state.status, "failed");
    assert.deepEqual(run.state.error, { type: "https://e.example/x", status: 418, title: "Teapot", instance: "/do/0/no" });
  });

  it("half a surrogate pair in an error or in a signal's name does no harm", async () => {
    const raising = "do: [{ no: { raise: { error: { type: 'https://e.example/x', status: 400, detail: '${ .x }' } } } }]";
    assert.equal((await world(raising)).start({ x: "\ud800" }).state.error?.detail, "\ufffd");
    const asking = (await world("do: [{ ask: { call: signal@default, with: { name: '${ .x }' } } }]")).start({ x: "\ud800" });
    assert.match(asking.state.error?.type ?? "", /errors\/validation$/);
  });

  it("an expression that fails is an error of the task", async () => {
    const run = (await world("do: [{ a: { set: { x: '${ .a.b.c + {} }' } } }]")).start({ a: 1 });
    assert.equal(run.state.status, "failed");
    assert.match(run.state.error?.type ?? "", /errors\/expression$/);
    assert.equal(run.state.error?.instance, "/do/0/a");
  });

  it("input and output that do not match their schema are validation errors", async () => {
    const run = (await world("input: { schema: { document: { type: object, required: [n] } } }\ndo: [{ a: { set: { x: 1 } } }]")).start({});
    assert.equal(run.state.status, "failed");
    assert.match(run.state.error?.type ?? "", /errors\/validation$/);
  });

  it("wait parks the run on a timer until it is due", async () => {
    const run = (await world("do: [{ rest: { wait: { minutes: 5 } } }, { a: { set: { done: true } } }]")).start();
    assert.deepEqual(run.timers, [300_000]);
    assert.deepEqual(JSON.parse(run.history().at(-1)?.details ?? ""), { kind: "wait", dueAt: "2026-01-01T00:05:00.000Z" });
    run.advance(299_999);
    assert.equal(run.state.status, "running");
    run.advance(1);
    assert.deepEqual(run.output, { done: true });
    assert.deepEqual(run.timers, []);
  });

  it("a signal belongs to one of two tasks that wait for it, and goes to the other if that one ends without it", async () => {
    const listener = (output: string): string =>
      `{ try: [{ ask: { call: signal@default, with: { name: go }${output} } }], catch: { do: [{ gave: { set: { up: true } } }] } }`;
    const body = `do: [{ both: { fork: { branches: [{ a: ${listener(", output: { as: '${ .x.y.z + {} }' }")} }, { b: ${listener("")} }] } } }]`;
    const run = (await world(body)).start();
    run.tell({ kind: "signal", signal: { name: "go", payload: "7", signalId: "" } });
    assert.deepEqual(run.output, [{ up: true }, 7]);
    const two = (await world(`do: [{ both: { fork: { branches: [{ a: ${listener("")} }, { b: ${listener("")} }] } } }]`)).start();
    two
      .tell({ kind: "signal", signal: { name: "go", payload: "1", signalId: "" } })
      .tell({ kind: "signal", signal: { name: "go", payload: "2", signalId: "" } });
    assert.deepEqual(two.output, [1, 2]);
  });

  it("a signal that came before is consumed at once; one that is awaited wakes the task", async () => {
    const body = "do: [{ wait: { call: signal@default, with: { name: go } } }, { wait2: { call: signal@default, with: { name: go } } }]";
    const run = (await world(body)).start();
    run.tell({ kind: "signal", signal: { name: "other", payload: "0", signalId: "" } });
    assert.equal(run.state.status, "running");
    run.tell({ kind: "signal", signal: { name: "go", payload: "1", signalId: "a" } });
    run.tell({ kind: "signal", signal: { name: "go", payload: "9", signalId: "a" } });
    assert.equal(run.state.status, "running", "a signal with the same id counts once");
    run.tell({ kind: "signal", signal: { name: "go", payload: "2", signalId: "b" } });
    assert.equal(run.output, 2);
  });
});
