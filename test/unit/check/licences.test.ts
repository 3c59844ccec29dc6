import assert from "node:assert/strict";
import { checkLicences } from "../../../ops/check/licences.ts";

describe("check of licences", () => {
  const check = (entry: object) =>
    checkLicences(JSON.stringify({ packages: { "": {}, "node_modules/a/node_modules/@b/c": { version: "1.0.0", ...entry } } }));

  it("accepts a permissive licence, alone or as one of several", () => {
    for (const license of ["MIT", "(GPL-3.0-only OR MIT)", "MIT AND ISC"])
      assert.deepEqual(check({ license, integrity: "x" }), { verdict: "ok", detail: "1 packages" });
  });

  it("refuses another licence, or none", () => {
    assert.match(check({ license: "GPL-3.0-only", integrity: "x" }).output ?? "", /@b\/c@1\.0\.0: the licence GPL-3\.0-only/);
    assert.match(check({ license: "MIT AND GPL-3.0-only", integrity: "x" }).output ?? "", /is not among the accepted ones/);
    assert.match(check({ integrity: "x" }).output ?? "", /the licence none/);
  });

  it("refuses a package without a checksum", () => {
    assert.match(check({ license: "MIT" }).output ?? "", /@b\/c@1\.0\.0: the lock file has no checksum/);
  });
});
