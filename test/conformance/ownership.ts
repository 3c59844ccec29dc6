/** What every ownership table must do: who is a member, and how shards change hands. That a stale owner can't write is in the journal's suite. */
import { newBootId } from "../../runtime/ids.ts";
import { systemRandom } from "../../runtime/random.ts";
import type { MakeBed, StorageBed } from "./bed.ts";
import type { OwnershipBed } from "./ownership-bed.ts";
import { membershipSuite } from "./ownership-members.ts";
import { shardsSuite } from "./ownership-shards.ts";

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

    const shared: OwnershipBed = {
      bed: () => bed,
      ownership: () => bed.ownership,
      stranger: () => newBootId(random),
      another: () => bed.openOwnership(),
      async join(nodeName, more, through = bed.ownership) {
        const bootId = newBootId(random);
        return { bootId, ...(await through.join({ bootId, nodeName, lanes: 2, leaseMs: 60_000, ...more })) };
      },
    };
    membershipSuite(shared);
    shardsSuite(shared);
  });
}
