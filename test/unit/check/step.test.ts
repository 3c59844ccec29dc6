import assert from "node:assert/strict";
import { runSteps, type Step, sumUp } from "../../../ops/check/step.ts";
import { virtualClock } from "../../../runtime/clock.ts";

describe("check steps", () => {
  const step = (name: string, outcome: Awaited<ReturnType<Step["run"]>>): Step => ({ name, run: async () => outcome });
  const tests = (passed: number, failed: number, pending = 0) => ({
    passed,
    failed,
    pending,
    failures: Array.from({ length: failed }, (_, index) => `test ${index}`),
  });

  async function run(...steps: Step[]) {
    const lines: string[] = [];
    const results = await runSteps(steps, virtualClock(), (line) => lines.push(line));
    return { lines, totals: sumUp(results) };
  }

  it("all run, also after one that fails or throws", async () => {
    const broken: Step = {
      name: "types",
      run: async () => {
        throw new Error("tsc is missing");
      },
    };
    const { lines } = await run(step("lint", { verdict: "failed", output: "two\nlines" }), broken, step("unit", { verdict: "ok" }));
    assert.deepEqual(
      lines.map((line) => line.replace(/ +0\.0 s$/, "")),
      ["failed  lint", "        two\n        lines", "failed  types", "        tsc is missing", "ok      unit"],
    );
  });

  it("add up what the tests counted", async () => {
    const { totals } = await run(step("unit", { verdict: "ok", tests: tests(5, 0, 1) }), step("e2e", { verdict: "failed", tests: tests(2, 1) }));
    assert.deepEqual(totals, { passed: 7, failed: 1, pending: 1, failures: ["test 0"] });
  });

  it("count as one failure if they fail without counting any", async () => {
    const { totals } = await run(step("lint", { verdict: "failed" }), step("unit", { verdict: "failed", tests: tests(5, 0) }));
    assert.deepEqual(totals, { passed: 5, failed: 2, pending: 0, failures: ["check lint", "check unit"] });
  });

  it("neither pass nor fail if they are skipped", async () => {
    const { totals, lines } = await run(step("contracts", { verdict: "skipped", detail: "no history" }));
    assert.deepEqual(totals, { passed: 0, failed: 0, pending: 0, failures: [] });
    assert.match(lines[0] ?? "", /^skipped contracts .* no history$/);
  });
});
