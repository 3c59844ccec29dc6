/** What a node does that joins a cluster whose members can't renew their leases. */
import assert from "node:assert/strict";
import { MembershipWorld, type WorldNode } from "../../support/membership-world.ts";

describe("a node that joins", function () {
  this.timeout(60_000);
  let world: MembershipWorld;
  let a: WorldNode;
  let b: WorldNode;
  let c: WorldNode;

  beforeEach(async () => {
    world = new MembershipWorld();
    [a, b, c] = [await world.start("a"), await world.start("b"), await world.start("c")];
    await world.passUntil("three nodes with their shards", () => world.isPlaced(a, b, c), 10_000);
  });
  afterEach(async () => {
    assert.deepEqual(world.conflicts, []);
    await world.stop();
  });

  it("takes nobody over as it joins just after an outage: those that were there before could not renew either", async () => {
    for (const node of [a, b, c]) node.store = "away";
    await world.pass(10_000);
    const d = await world.start("d");
    await world.pass(2_000);
    for (const node of [a, b, c]) node.store = "there";
    await world.passUntil("the new one to have its share", () => world.isPlaced(a, b, c, d), 10_000);
    assert.deepEqual(
      [a, b, c, d].map(({ lost, fenced }) => [lost, fenced.length]),
      Array(4).fill([0, 0]),
    );
  });

  it("takes over, a lease after it joined, those that were there before and do not come back", async () => {
    for (const node of [a, b, c]) world.kill(node);
    await world.pass(10_000);
    const d = await world.start("d");
    const tookMs = await world.passUntil("the new one to have everything", () => world.isPlaced(d), 10_000);
    assert.ok(tookMs <= 4_000, `took ${tookMs} ms`);
  });
});
