import assert from "node:assert/strict";
import { MembershipWorld, type WorldNode } from "../../support/membership-world.ts";

const FAILOVER_MS = 5_000;

describe("Membership, of a peer that may be about to be lost,", function () {
  this.timeout(60_000);
  let world: MembershipWorld;
  let a: WorldNode;
  let b: WorldNode;
  let c: WorldNode;

  beforeEach(async () => {
    world = new MembershipWorld();
    a = await world.start("a");
    b = await world.start("b");
    c = await world.start("c");
    await world.passUntil("three nodes with their shards", () => world.isPlaced(a, b, c), 10_000);
  });
  afterEach(() => world.stop());

  it("tells well before it is taken over, and says nothing without trouble", async () => {
    await world.pass(10_000);
    assert.deepEqual([a.suspicions, b.suspicions, c.suspicions], [0, 0, 0]);
    world.kill(c);
    const suspectedMs = await world.passUntil("a and b to be told", () => a.suspicions > 0 && b.suspicions > 0, FAILOVER_MS);
    assert.deepEqual([a.fenced.length, b.fenced.length], [0, 0]);
    const fencedMs = suspectedMs + (await world.passUntil("the others to own everything", () => world.isPlaced(a, b), FAILOVER_MS));
    assert.ok(suspectedMs <= 2_000 && fencedMs - suspectedMs >= 500, `told after ${suspectedMs} ms, taken over after ${fencedMs} ms`);
    const { suspicions } = a;
    await world.pass(20_000);
    assert.equal(a.suspicions, suspicions);
  });

  it("tells at the latest when it takes over one that it could not hear", async () => {
    world.network.stop();
    await world.pass(100);
    world.kill(c);
    await world.passUntil("a peer to be taken over", () => a.fenced.length + b.fenced.length > 0, FAILOVER_MS);
    for (const { fenced, suspicions } of [a, b]) assert.ok(suspicions > 0 || fenced.length === 0);
  });

  it("says nothing when the bus was away for a moment, and a peer is back on it later than others", async () => {
    for (const { name } of world.nodes) world.network.cutOff(name);
    await world.pass(3_000);
    for (const { name } of [a, b]) world.network.restore(name);
    await world.pass(2_000);
    world.network.restore(c.name);
    await world.pass(8_000);
    assert.deepEqual([a.suspicions, b.suspicions, c.suspicions], [0, 0, 0]);
  });

  it("says nothing when one leaves in order, however long it takes", async () => {
    const draining = b.membership.drain();
    await world.passUntil("the others to own everything", () => world.isPlaced(a, c), 5_000);
    await draining;
    const stopping = b.membership.stop();
    await world.pass(8_000);
    await stopping;
    assert.deepEqual([a.suspicions, c.suspicions], [0, 0]);
  });
});
