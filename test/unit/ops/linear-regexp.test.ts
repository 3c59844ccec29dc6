/** A regular expression that backtracks for ever in the default engine comes to its end. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";

const MODULE = new URL("../../../ops/linear-regexp.ts", import.meta.url).href;
const PROGRAM = `
  import { boundRegularExpressions } from ${JSON.stringify(MODULE)};
  boundRegularExpressions();
  console.log(new RegExp("^(a+)+$").test("a".repeat(60) + "b"));
`;

describe("regular expressions of strangers", () => {
  it("end, also where the default engine would take years", () => {
    const output = execFileSync(process.execPath, ["--input-type=module", "-e", PROGRAM], { timeout: 15_000, encoding: "utf8" });
    assert.equal(output.trim(), "false");
  });
});
