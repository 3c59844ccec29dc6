import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { Json } from "../../../../actors/json.ts";
import type { ExternalEvaluator } from "../../../../actors/language/expression.ts";
import { jqWasmEvaluator } from "../../../../actors/language/jq/jq-wasm-evaluator.ts";
import { systemClock } from "../../../../runtime/clock.ts";

describe("the evaluator with jq in a thread", () => {
  let evaluator: ExternalEvaluator;

  before(() => {
    evaluator = jqWasmEvaluator(systemClock(), { evaluationMs: 1_000 });
  });

  after(() => evaluator.close());

  const evaluate = (source: string, data: Json = null, variables: Readonly<Record<string, Json>> = {}) =>
    evaluator.evaluate({ source, data, variables });

  it("gives the first value", async () => {
    assert.deepEqual(await evaluate("def f: .a + $x; f, 9", { a: 1 }, { x: 2 }), { value: 3 });
    assert.deepEqual(await evaluate('[scan("[a-z]+")] # words', "one two"), { value: ["one", "two"] });
  });

  it("passes large variables", async () => {
    const big = "x".repeat(1024 * 1024);
    assert.deepEqual(await evaluate('$a | test("^x+$")', null, { a: big }), { value: true });
  });

  it("tells why there is no value", async () => {
    assert.deepEqual(await evaluate("empty"), { fault: "no value" });
    assert.deepEqual(await evaluate('error("why")'), { fault: "why" });
    assert.match(JSON.stringify(await evaluate(".[")), /syntax error/);
  });

  it("checks without running", async () => {
    assert.equal(await evaluator.check("def f: error; f | $x", ["x"]), undefined);
    assert.equal(await evaluator.check("def f: f; f", []), undefined);
    assert.match((await evaluator.check("$y", ["x"])) ?? "", /\$y is not defined/);
    assert.match((await evaluator.check("nothing(1)", [])) ?? "", /nothing\/1 is not defined/);
    assert.match((await evaluator.check("1) | (2", [])) ?? "", /syntax error/);
  });

  it("ends what takes too long, and goes on with what waits", async () => {
    const [endless, next] = await Promise.all([evaluate("def f: f; f"), evaluate("1 + 1")]);
    assert.deepEqual(endless, { fault: "took more than 1000 ms" });
    assert.deepEqual(next, { value: 2 });
  });

  it("outlives an exhausted memory", async () => {
    assert.ok("fault" in (await evaluate("[range(1000000000)] | length")));
    assert.deepEqual(await evaluate("1"), { value: 1 });
  });

  it("answers what waits when it is closed", async () => {
    const closing = jqWasmEvaluator(systemClock());
    const answers = [closing.evaluate({ source: "1", data: null, variables: {} }), closing.evaluate({ source: "2", data: null, variables: {} })];
    await closing.close();
    assert.deepEqual(await Promise.all(answers), [{ fault: "the evaluator was closed" }, { fault: "the evaluator was closed" }]);
    assert.equal(await closing.check("1", []), "the evaluator was closed");
  });

  it("doesn't keep a process alive when it is idle", async () => {
    const module = new URL("../../../../actors/language/jq/jq-wasm-evaluator.ts", import.meta.url);
    const clock = new URL("../../../../runtime/clock.ts", import.meta.url);
    const program = `
      import { jqWasmEvaluator } from ${JSON.stringify(module.href)};
      import { systemClock } from ${JSON.stringify(clock.href)};
      const answer = await jqWasmEvaluator(systemClock()).evaluate({ source: "1", data: null, variables: {} });
      console.log(JSON.stringify(answer));`;
    const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", program], { timeout: 15_000 });
    assert.equal(stdout.trim(), '{"value":1}');
  });
});
