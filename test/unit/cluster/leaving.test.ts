/** A node that leaves its cluster, against the will of somebody. */
import { MembershipWorld } from "../../support/membership-world.ts";

describe("a node that is leaving", function () {
  this.timeout(60_000);

  it("says so again when an operator has taken that back: no shard waits for it", async () => {
    const world = new MembershipWorld();
    const [a, b, c] = [await world.start("a"), await world.start("b"), await world.start("c")];
    await world.passUntil("three nodes with their shards", () => world.isPlaced(a, b, c), 10_000);
    let isDrained = false;
    const draining = b.membership.drain().then(() => {
      isDrained = true;
    });
    await world.pass(50);
    await world.announce(b, { isDraining: false });
    await world.passUntil("it to say so again", () => a.membership.view?.find(b.bootId)?.state === "draining", 2_500);
    await world.passUntil("b to be drained", () => isDrained, 5_000);
    await draining;
    await world.announce(b, { isDraining: false });
    await world.passUntil("it to say so again", () => a.membership.view?.find(b.bootId)?.state === "live", 1_500);
    await world.passUntil("it to say so again", () => a.membership.view?.find(b.bootId)?.state === "draining", 1_500);
    await world.passUntil("the others to have everything", () => world.isPlaced(a, c), 1_500);
    await world.stop();
  });
});
