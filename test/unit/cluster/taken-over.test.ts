import assert from "node:assert/strict";
import { MembershipWorld, type WorldNode } from "../../support/membership-world.ts";

const TAKEOVER_MS = 5_000;

describe("Membership, of a node that the others took over,", function () {
  this.timeout(60_000);
  let world: MembershipWorld;
  let a: WorldNode;
  let b: WorldNode;
  const told: string[] = [];

  beforeEach(async () => {
    world = new MembershipWorld();
    a = await world.start("a");
    b = await world.start("b");
    await world.passUntil("two nodes with their shards", () => world.isPlaced(a, b), 10_000);
    a.bus.subscribe("maestro.test.heartbeat", ({ payload }) => void told.push((JSON.parse(new TextDecoder().decode(payload)) as WorldNode).bootId));
  });
  afterEach(() => world.stop());

  /** Until b is taken over, and has heard it. */
  async function loseB(): Promise<void> {
    b.store = "away";
    await world.passUntil("b to be taken over", () => a.fenced.length > 0, TAKEOVER_MS);
    b.store = "there";
    await world.passUntil("b to hear it", () => b.lost === 1, 2_000);
  }

  it("tells the others nothing any more", async () => {
    await loseB();
    await world.pass(100);
    told.length = 0;
    await world.pass(5_000);
    assert.deepEqual([told.includes(a.bootId), told.includes(b.bootId)], [true, false]);
  });

  it("does not wait with a drain for shards that are no longer its own", async () => {
    let isDrained = false;
    const draining = b.membership.drain().then(() => {
      isDrained = true;
    });
    const before = b.acting.size;
    await world.passUntil("the runs of a group to have stopped", () => b.acting.size < before, 1_000);
    await loseB();
    await world.passUntil("the drain to end", () => isDrained, 1_000);
    await draining;
    assert.ok(b.acting.size > 0, "it ended because of the loss");
  });
});
