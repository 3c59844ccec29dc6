/** For how long a node says that it has not heard another one. */
import assert from "node:assert/strict";
import type { WorldNode } from "../../support/membership-world.ts";
import { MembershipWorld } from "../../support/membership-world.ts";

describe("the silence of a peer", function () {
  this.timeout(60_000);
  let world: MembershipWorld;
  let nodes: readonly WorldNode[];

  beforeEach(async () => {
    world = new MembershipWorld();
    nodes = [await world.start("a"), await world.start("b"), await world.start("c")];
    await world.pass(3_500);
  });
  afterEach(() => world.stop());

  const silences = () => nodes.map(({ bootId }) => nodes[0]?.membership.heard.silenceMsOf(bootId));

  it("is told once the peer should have been heard, and as long as it lasts", async () => {
    assert.deepEqual(silences(), [undefined, undefined, undefined]);
    world.network.cutOff("c");
    await world.pass(1_000);
    assert.deepEqual(silences(), [undefined, undefined, undefined]);
    await world.pass(1_000);
    const [self, ofB, ofC = 0] = silences();
    assert.deepEqual([self, ofB], [undefined, undefined]);
    assert.ok(ofC > 1_500 && ofC <= 2_500, `${ofC}`);
    world.network.restore("c");
    await world.pass(1_500);
    assert.deepEqual(silences(), [undefined, undefined, undefined]);
  });

  it("is not told while it is the bus that is away", async () => {
    world.network.cutOff("a");
    await world.pass(2_000);
    assert.deepEqual(silences(), [undefined, undefined, undefined]);
  });
});
