import assert from "node:assert/strict";
import { matchesFilter, problemType, standardProblem } from "../../../actors/language/problem.ts";

const FAMILIES = [
  "https://open-workflow-specification.org/spec/1.0.0/errors/",
  "https://open-workflow-specification.org/dsl/errors/types/",
  "https://serverlessworkflow.io/spec/1.0.0/errors/",
  "https://serverlessworkflow.io/dsl/errors/types/",
];

describe("problems", () => {
  it("gives every standard kind the URI and the status of the specification", () => {
    const statuses = {
      configuration: 400,
      validation: 400,
      expression: 400,
      authentication: 401,
      authorization: 403,
      timeout: 408,
      communication: 500,
      runtime: 500,
    } as const;
    for (const kind of Object.keys(statuses) as (keyof typeof statuses)[]) assert.equal(standardProblem(kind, "").status, statuses[kind]);
    assert.equal(problemType("timeout"), "https://open-workflow-specification.org/spec/1.0.0/errors/timeout");
  });

  it("shows only what can be stored", () => {
    assert.equal(standardProblem("expression", "half \ud800 of it").detail, "half \ufffd of it");
  });

  it("leaves out an instance that is not known, and takes a better status", () => {
    assert.deepEqual(standardProblem("communication", "gone", "/do/0/get", 503), {
      type: problemType("communication"),
      status: 503,
      title: "Communication Error",
      detail: "gone",
      instance: "/do/0/get",
    });
    assert.equal("instance" in standardProblem("runtime", "x"), false);
  });

  it("takes a type of any family for the same", () => {
    for (const left of FAMILIES) {
      for (const right of FAMILIES) {
        assert.ok(matchesFilter({ type: `${left}runtime` }, { type: `${right}runtime`, status: 500 }), `${left} ${right}`);
        assert.ok(!matchesFilter({ type: `${left}runtime` }, { type: `${right}timeout`, status: 500 }));
      }
    }
  });

  it("leaves other types alone", () => {
    for (const type of ["https://example.com/errors/timeout", `${FAMILIES[2]}not-standard`, `${FAMILIES[2]}constructor`, "timeout", ""]) {
      assert.ok(matchesFilter({ type }, { type, status: 500 }));
      assert.ok(!matchesFilter({ type }, standardProblem("timeout", "")));
    }
  });

  it("matches when every named field is the same, and only then", () => {
    const problem = standardProblem("communication", "down", "/do/0/get", 503);
    assert.ok(matchesFilter({}, problem));
    assert.ok(matchesFilter({ status: 503, instance: "/do/0/get" }, problem));
    assert.ok(!matchesFilter({ status: 500 }, problem));
    assert.ok(!matchesFilter({ status: "503" }, problem));
    assert.ok(!matchesFilter({ status: 503, title: "other" }, problem));
    assert.ok(!matchesFilter({ type: 7 }, problem));
    assert.ok(!matchesFilter("communication", problem));
    assert.ok(!matchesFilter({ toString: "x" }, problem));
  });
});
