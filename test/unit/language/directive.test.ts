import assert from "node:assert/strict";
import { TaskNames } from "../../../actors/language/directive.ts";

describe("flow directives", () => {
  it("resolves the words of the language and the names of the list", () => {
    const names = new TaskNames(["first", "second"]);
    assert.deepEqual(names.resolve("continue"), { kind: "continue" });
    assert.deepEqual(names.resolve("exit"), { kind: "exit" });
    assert.deepEqual(names.resolve("end"), { kind: "end" });
    assert.deepEqual(names.resolve("second"), { kind: "goto", index: 1 });
  });

  it("names what is known when a name is not", () => {
    assert.deepEqual(new TaskNames(["first", "second"]).resolve("secnod"), {
      fault: "no task of this list is called secnod. Did you mean second? Known: continue, exit, end, first, second.",
    });
  });

  it("refuses a name that two tasks have", () => {
    assert.deepEqual(new TaskNames(["a", "b", "a"]).resolve("a"), {
      fault: "a is ambiguous: the tasks 0 and 2 of this list have that name. Rename one.",
    });
  });
});
