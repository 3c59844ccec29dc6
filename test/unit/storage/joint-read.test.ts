import assert from "node:assert/strict";
import { JointRead } from "../../../runtime/storage/joint-read.ts";
import { nextTurn } from "../../support/next-turn.ts";

describe("a joint read", () => {
  function world() {
    const reads: PromiseWithResolvers<string>[] = [];
    const joint = new JointRead(() => {
      const read = Promise.withResolvers<string>();
      reads.push(read);
      return read.promise;
    });
    return { reads, joint };
  }

  it("answers all who ask during a read with the next one, and none with one that began before", async () => {
    const { reads, joint } = world();
    const first = joint.get();
    const others = Array.from({ length: 1_000 }, () => joint.get());
    assert.equal(reads.length, 1);
    reads[0]?.resolve("old");
    assert.equal(await first, "old");
    await nextTurn();
    const late = joint.get();
    assert.equal(reads.length, 2);
    reads[1]?.resolve("new");
    assert.deepEqual(new Set(await Promise.all(others)), new Set(["new"]));
    await nextTurn();
    reads[2]?.resolve("newest");
    assert.equal(await late, "newest");
    assert.equal(reads.length, 3);
  });

  it("reads at once when nobody does", async () => {
    const { reads, joint } = world();
    for (const index of [0, 1]) {
      const asked = joint.get();
      assert.equal(reads.length, index + 1);
      reads[index]?.resolve("alone");
      assert.equal(await asked, "alone");
    }
  });

  it("tells a failure to those who share the read, and to nobody else", async () => {
    const { reads, joint } = world();
    const failing = assert.rejects(joint.get(), { message: "gone" });
    const next = joint.get();
    reads[0]?.reject(new Error("gone"));
    await failing;
    reads[1]?.resolve("there");
    assert.equal(await next, "there");
  });
});
