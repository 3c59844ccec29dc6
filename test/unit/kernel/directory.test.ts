import assert from "node:assert/strict";
import { type Branch, findByPath, walk } from "../../../runtime/kernel/directory.ts";

interface Node extends Branch<Node> {
  readonly id: string;
  readonly children: ReadonlyMap<string, Node> | undefined;
}

const leaf = (id: string): Node => ({ id, children: undefined });
const shard: Node = { id: "shard", children: new Map([["r1", leaf("run 1")]]) };
const root: Node = { id: "root", children: new Map([["shards", { id: "shards", children: new Map([["7", shard]]) }]]) };

describe("directory", () => {
  it("finds a node by its path", () => {
    assert.equal(findByPath(root, "/")?.id, "root");
    assert.equal(findByPath(root, "/shards/7/r1")?.id, "run 1");
  });

  it("finds nothing where nothing is, or where the path is none", () => {
    for (const path of ["/x", "/shards/7/r1/deeper", "/shards/8", "shards", "", "//", "/shards/", "/shards//7"])
      assert.equal(findByPath(root, path), undefined, path);
  });

  it("walks parents before children", () => {
    assert.deepEqual(
      [...walk(root)].map((node) => node.id),
      ["shards", "shard", "run 1"],
    );
  });
});
