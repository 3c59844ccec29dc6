import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fc from "fast-check";
import { type ArchivedFile, packFiles, unpackFiles } from "../../../../ops/examples/delivery/tar-archive.ts";

const path = fc.array(fc.stringMatching(/^[a-z0-9-]{1,12}$/), { minLength: 1, maxLength: 5 }).map((parts) => parts.join("/"));
const file: fc.Arbitrary<ArchivedFile> = fc.record(
  { path, content: fc.uint8Array({ maxLength: 1_500 }).map((bytes) => Buffer.from(bytes)) },
  { noNullPrototype: true },
);

describe("the archive of the example", () => {
  it("gives back what was put in, of any length", () => {
    fc.assert(fc.property(fc.array(file, { maxLength: 6 }), (files) => assert.deepEqual(unpackFiles(packFiles(files)), files)));
  });

  it("gives the same bytes for the same files", () => {
    const files = [{ path: "a/b.js", content: Buffer.from("x") }];
    assert.deepEqual(packFiles(files), packFiles(files));
  });

  it("can be read by tar", () => {
    const archive = packFiles([
      { path: "a/one.txt", content: Buffer.from("1") },
      { path: "two.txt", content: Buffer.alloc(600, "2") },
    ]);
    const listing = execFileSync("tar", ["tf", "-"], { input: archive, encoding: "utf8" });
    assert.deepEqual(listing.trim().split("\n"), ["a/one.txt", "two.txt"]);
  });

  it("refuses to unpack outside its folder", () => {
    for (const evil of ["../x", "a/../../x", "/etc/x"]) {
      assert.throws(() => unpackFiles(packFiles([{ path: evil, content: Buffer.from("") }])), /outside its folder/);
    }
  });
});
