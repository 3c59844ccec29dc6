/** Applies every style rule to this repository. One test a rule; the message lists each place that breaks it. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { formatViolation } from "../../ops/check/style/rule.ts";
import { STYLE_RULES } from "../../ops/check/style/rules.ts";
import { readSourceTree } from "../../ops/check/style/source-tree.ts";

describe("style", () => {
  const tree = readSourceTree(fileURLToPath(new URL("../../", import.meta.url)));

  it("finds the sources", () => {
    assert.ok(tree.files.some((file) => file.path === "runtime/errors.ts"));
  });

  for (const rule of STYLE_RULES) {
    it(rule.name, () => {
      const violations = rule.check(tree);
      if (violations.length > 0) assert.fail(`${violations.length} place(s):\n${violations.map(formatViolation).join("\n")}`);
    });
  }
});
