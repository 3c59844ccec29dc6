/** What every ownership table must do. That a stale owner can't write is in the journal's suite. */
import assert from "node:assert/strict";
import type { MaestroError } from "../../runtime/errors.ts";
import { newBootId } from "../../runtime/ids.ts";
import { systemRandom } from "../../runtime/random.ts";
import type { Claim } from "../../runtime/storage/ownership.ts";
import type { MakeBed, StorageBed } from "./bed.ts";

/** Declares the suite. */
export function ownershipConformance(makeBed: MakeBed): void {
  describe("ownership", () => {
    const random = systemRandom();
    let bed: StorageBed;

    beforeEach(async function () {
      this.timeout(30_000);
      bed = await makeBed();
    });
    afterEach(() => bed.close());

    const claim = async (nodeName: string, leaseMs = 60_000) => {
      const bootId = newBootId(random);
      return { bootId, claim: await bed.ownership.claim({ bootId, nodeName, lanes: 2, leaseMs }) };
    };
    const epochs = (granted: Claim) => [0, 1, 4095].map((shard) => granted.epochOf(shard));

    it("raises the epoch of every shard with each claim", async () => {
      assert.deepEqual(epochs((await claim("a")).claim), [1, 1, 1]);
      assert.deepEqual(epochs((await claim("a")).claim), [2, 2, 2]);
    });

    it("lets a new boot of the same node take over at once, and tells the previous one", async () => {
      const previous = await claim("a");
      assert.equal(await bed.ownership.renew(previous.bootId, 60_000), true);
      const next = await claim("a");
      assert.equal(await bed.ownership.renew(previous.bootId, 60_000), false);
      assert.equal(await bed.ownership.renew(next.bootId, 60_000), true);
      assert.equal(await bed.ownership.renew(newBootId(random), 60_000), false);
    });

    it("keeps another node out while the lease holds, and names the holder", async () => {
      await claim("a");
      await assert.rejects(claim("b"), (error: MaestroError) => error.code === "OWNED_ELSEWHERE" && error.facts.node === "a");
    });

    it("lets another node in when the lease has ended, or was extended no longer", async () => {
      const { bootId } = await claim("a", 0);
      await claim("b", 0);
      assert.equal(await bed.ownership.renew(bootId, 60_000), false);
      const third = await claim("c", 0);
      assert.equal(await bed.ownership.renew(third.bootId, 60_000), true);
      await assert.rejects(claim("a"), { code: "OWNED_ELSEWHERE" });
    });

    it("lets another node in after a release", async () => {
      const { bootId } = await claim("a");
      await bed.ownership.release(bootId);
      await bed.ownership.release(bootId);
      assert.equal(await bed.ownership.renew(bootId, 60_000), false);
      assert.deepEqual(epochs((await claim("b")).claim), [2, 2, 2]);
    });

    it("says whether the owner before gave them up", async () => {
      const first = await claim("a");
      assert.equal(first.claim.isAfterLoss, false);
      const second = await claim("a");
      assert.equal(second.claim.isAfterLoss, true);
      await bed.ownership.release(second.bootId);
      assert.equal((await claim("a")).claim.isAfterLoss, false);
    });

    it("gives shards to one of several that claim at once", async () => {
      const results = await Promise.allSettled(["a", "b", "c", "d"].map((name) => claim(name)));
      assert.equal(results.filter((result) => result.status === "fulfilled").length, 1);
    });
  });
}
