import assert from "node:assert/strict";
import { resolveDirective } from "../../../actors/language/directive.ts";

describe("flow directives", () => {
  it("resolves the words of the language and the names of the list", () => {
    const names = ["first", "second"];
    assert.deepEqual(resolveDirective("continue", names), { kind: "continue" });
    assert.deepEqual(resolveDirective("exit", names), { kind: "exit" });
    assert.deepEqual(resolveDirective("end", names), { kind: "end" });
    assert.deepEqual(resolveDirective("second", names), { kind: "goto", index: 1 });
  });

  it("names what is known when a name is not", () => {
    assert.deepEqual(resolveDirective("secnod", ["first", "second"]), {
      fault: "no task of this list is called secnod. Did you mean second? Known: continue, exit, end, first, second.",
    });
  });

  it("refuses a name that two tasks have", () => {
    assert.deepEqual(resolveDirective("a", ["a", "b", "a"]), { fault: "a is ambiguous: the tasks 0 and 2 of this list have that name. Rename one." });
  });
});
