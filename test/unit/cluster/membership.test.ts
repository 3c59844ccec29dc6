import assert from "node:assert/strict";
import { CONVERGENCE_PACE } from "../../../runtime/cluster/convergence.ts";
import { SHARD_COUNT } from "../../../runtime/ids.ts";
import { MembershipWorld, type WorldNode } from "../../support/membership-world.ts";

const FAILOVER_MS = 5_000;
/** By then everybody has renewed once, and has looked at what has changed. */
const RENEWED_MS = 1_200;

describe("Membership", function () {
  this.timeout(60_000);
  let world: MembershipWorld;
  let a: WorldNode;
  let b: WorldNode;
  let c: WorldNode;

  beforeEach(async () => {
    world = new MembershipWorld();
    a = await world.start("a");
    assert.equal(a.acting.size, SHARD_COUNT, "a node that is alone has everything at once");
    b = await world.start("b");
    c = await world.start("c");
    await world.passUntil("three nodes with their shards", () => world.isPlaced(a, b, c), 10_000);
  });
  afterEach(async () => {
    assert.deepEqual(world.conflicts, []);
    await world.stop();
  });

  it("hands shards over in groups, and only those that move", () => {
    assert.ok(a.handedOff.every((group) => group.length <= CONVERGENCE_PACE.releasesAtOnce));
    assert.equal(a.handedOff.flat().length, new Set(a.handedOff.flat()).size);
    assert.equal(c.handedOff.length, 0);
  });

  it("is handed nothing over before it has started", async () => {
    const [version, handedOff] = [a.membership.view?.version ?? 0, a.handedOff.length];
    const d = await world.join("d");
    await world.passUntil("the others to see it", () => (a.membership.view?.version ?? 0) > version, 2_000);
    await world.pass(1_500);
    assert.deepEqual([a.handedOff.length, world.isPlaced(a, b, c)], [handedOff, true]);
    d.store = "away";
    d.membership.start();
    await world.pass(500);
    d.store = "there";
    await world.passUntil("the node to have its shards", () => world.isPlaced(a, b, c, d), 10_000);
  });

  it("is handed nothing over before it hears one of the others, says so once, and gets its share when it does", async () => {
    world.network.cutOff("d");
    const d = await world.join("d");
    const handedOff = a.handedOff.length;
    d.membership.start();
    await world.pass(6_000);
    assert.deepEqual([a.handedOff.length, world.isPlaced(a, b, c), d.unheard], [handedOff, true, [{ peers: 3 }]]);
    world.network.restore("d");
    await world.passUntil("the node to have its shards", () => world.isPlaced(a, b, c, d), 10_000);
  });

  it("owns everything although it hears nobody, once there is nobody else", async () => {
    world.network.cutOff("d");
    const d = await world.start("d");
    for (const node of [a, b, c]) world.kill(node);
    await world.passUntil("the last node to have all shards", () => world.isPlaced(d), FAILOVER_MS);
  });

  it("knows how busy the others are", () => {
    assert.deepEqual([a.membership.heard.loadOf(b.bootId), a.membership.heard.loadOf(c.bootId), c.membership.heard.loadOf(a.bootId)], [0.1, 0.2, 0]);
  });

  it("takes over the shards of a node that was killed, and gives them back when it returns", async () => {
    for (const victim of [c, b]) {
      world.kill(victim);
      const rest = [a, b, c].filter((node) => node !== victim && node.store !== "dead");
      const tookMs = await world.passUntil("the others to own everything", () => world.isPlaced(...rest), FAILOVER_MS);
      assert.ok(tookMs <= FAILOVER_MS);
    }
    assert.equal(a.fenced.length + b.fenced.length, 2);
    world.network.restore("b");
    const back = await world.start("b");
    await world.passUntil("the node to have its shards again", () => world.isPlaced(a, back), 10_000);
  });

  it("takes over without the bus as well", async () => {
    world.network.stop();
    await world.pass(100);
    world.kill(c);
    await world.passUntil("the others to own everything", () => world.isPlaced(a, b), FAILOVER_MS);
  });

  it("takes over at once what a new boot of the same node leaves no doubt about", async () => {
    world.network.cutOff("c");
    const next = await world.start("c");
    world.network.restore("c");
    await world.passUntil("the old boot to notice", () => c.lost === 1, 2_000);
    await world.passUntil("the new boot to have the shards", () => world.isPlaced(a, b, next), FAILOVER_MS);
    assert.equal(a.fenced.length + b.fenced.length, 0);
  });

  it("changes nothing when only the bus is away or divided", async () => {
    await world.pass(2_000);
    const version = a.membership.view?.version;
    world.network.partition("a", "b");
    world.network.partition("b", "c", true);
    await world.pass(20_000);
    world.network.stop();
    await world.pass(20_000);
    world.network.heal();
    world.network.start();
    await world.pass(5_000);
    assert.ok(world.isPlaced(a, b, c));
    assert.deepEqual(
      [a, b, c].map((node) => [node.lost, node.fenced.length, node.membership.view?.version]),
      Array(3).fill([0, 0, version]),
    );
  });

  it("goes on after the store was away for ten seconds, and says so meanwhile", async () => {
    for (const node of [a, b, c]) node.store = "away";
    await world.pass(10_000);
    assert.ok([a, b, c].every((node) => node.renewals.failed >= 5 && node.lost === 0));
    // One comes back first and finds the leases of the others ended. That proves nothing: they could not renew either.
    for (const node of [a, b, c]) {
      node.store = "there";
      await world.pass(900);
    }
    await world.pass(10_000);
    assert.deepEqual(
      [a, b, c].map(({ lost, fenced }) => [lost, fenced.length]),
      Array(3).fill([0, 0]),
    );
    assert.ok(world.isPlaced(a, b, c));
  });

  it("takes nobody over after an outage that was shorter than a lease, either", async () => {
    const renewed = (node: WorldNode): Promise<number> => {
      const { done } = node.renewals;
      return world.passUntil(`${node.name} to renew`, () => node.renewals.done > done, 2_000);
    };
    await renewed(a);
    a.store = "away";
    await world.pass(500);
    await renewed(c);
    for (const node of [b, c]) node.store = "away";
    await world.pass(2_300);
    c.store = "there";
    await world.pass(900);
    for (const node of [a, b]) node.store = "there";
    await world.pass(5_000);
    assert.deepEqual(
      [a, b, c].map(({ lost, fenced }) => [lost, fenced.length]),
      Array(3).fill([0, 0]),
    );
  });

  it("takes nobody over who comes back a lease later than the others, if nobody could be heard for long enough", async () => {
    for (const node of [a, b, c]) node.store = "away";
    world.network.stop();
    await world.pass(10_000);
    world.network.start();
    world.network.cutOff("c");
    for (const node of [a, b]) node.store = "there";
    await world.pass(2_000);
    world.network.restore("c");
    c.store = "there";
    await world.pass(5_000);
    assert.deepEqual(
      [a, b, c].map(({ lost, fenced }) => [lost, fenced.length]),
      Array(3).fill([0, 0]),
    );
  });

  it("takes over a node that did not come back with the store as soon as a renewal was awaited, if the bus does not hear it either", async () => {
    for (const node of [a, b, c]) node.store = "away";
    await world.pass(5_000);
    world.kill(c);
    await world.pass(5_000);
    for (const node of [a, b]) node.store = "there";
    const tookMs = await world.passUntil("the others to own everything", () => world.isPlaced(a, b), FAILOVER_MS);
    assert.ok(tookMs > 1_000 && tookMs <= 2_000, `took ${tookMs} ms`);
  });

  it("takes over a node that did not come back with the store after a lease, if there is no bus to hear it on", async () => {
    for (const node of [a, b, c]) node.store = "away";
    world.network.stop();
    await world.pass(10_000);
    world.kill(c);
    for (const node of [a, b]) node.store = "there";
    const tookMs = await world.passUntil("the others to own everything", () => world.isPlaced(a, b), FAILOVER_MS);
    assert.ok(tookMs > 3_000 && tookMs <= 4_000, `took ${tookMs} ms`);
  });

  it("does not renew for a node whose store alone is away: it is taken over, and stops when it hears so", async () => {
    b.store = "away";
    await world.passUntil("b to be taken over", () => a.fenced.length + c.fenced.length > 0, FAILOVER_MS);
    await world.passUntil("the others to own everything", () => world.isPlaced(a, c), 1_000);
    assert.equal(b.lost, 0);
    b.store = "there";
    await world.passUntil("b to stop", () => b.lost === 1, 2_000);
  });

  it("says that the store gives no answer at all", async () => {
    b.store = "dead";
    await world.passUntil("b to say so", () => b.renewals.failed > 0, 5_000);
  });

  it("looks more often while a peer has fallen silent on the bus, but not for ever", async () => {
    await world.pass(2_000);
    const renewalsIn = async (durationMs: number) => {
      const before = a.renewals.done;
      await world.pass(durationMs);
      return a.renewals.done - before;
    };
    // One follows a third of the lease after another, and the time that the store takes.
    const isCalm = async () => [2, 3].includes(await renewalsIn(3_000));
    assert.ok(await isCalm());
    world.network.cutOff("c");
    await world.pass(2_000);
    assert.ok((await renewalsIn(3_000)) >= 9);
    await world.pass(7_000);
    assert.ok(await isCalm());
    assert.ok(world.isPlaced(a, b, c));
  });

  it("finishes a hand-over that the store interrupted, and does none twice", async () => {
    let isDrained = false;
    const draining = b.membership.drain().then(() => {
      isDrained = true;
    });
    const before = b.acting.size;
    await world.passUntil("the runs of a group to have stopped", () => b.acting.size < before, 1_000);
    b.store = "away";
    await world.pass(2_500);
    b.store = "there";
    await world.passUntil("b to be drained", () => isDrained, 5_000);
    await draining;
    assert.ok(b.storeFailures.some(({ operation }) => operation === "release"));
    assert.equal(b.handedOff.flat().length, new Set(b.handedOff.flat()).size);
    await world.passUntil("the others to own everything", () => world.isPlaced(a, c), 1_000);
  });

  it("drains: hands everything over, keeps its membership, and leaves", async () => {
    let isDrained = false;
    const draining = b.membership.drain().then(() => {
      isDrained = true;
    });
    await world.passUntil("b to be drained", () => isDrained, 5_000);
    await draining;
    await world.passUntil("the others to own everything", () => world.isPlaced(a, c), 1_000);
    assert.deepEqual([b.acting.size, b.lost], [0, 0]);
    await world.pass(10_000);
    assert.equal(b.acting.size, 0);
    const leaving = world.end(b);
    await world.passUntil("the others to know", () => a.membership.view?.find(b.bootId)?.state === "released", RENEWED_MS);
    await leaving;
    assert.equal(a.fenced.length + c.fenced.length, 0);
  });

  it("is drained on the word of another node, has shards again when that is taken back, and can be drained once more", async () => {
    await world.announce(b, { isDraining: true });
    await world.passUntil("the others to own everything", () => world.isPlaced(a, c), 5_000);
    await world.announce(b, { isDraining: false });
    await world.passUntil("b to have its share", () => world.isPlaced(a, b, c), 10_000);
    let acting = -1;
    const draining = b.membership.drain().then(() => {
      acting = b.acting.size;
    });
    await world.passUntil("b to be drained", () => acting >= 0, 5_000);
    await draining;
    assert.equal(acting, 0);
  });

  it("is drained on a word that was said while it started", async () => {
    const d = await world.join("d");
    await world.announce(d, { isDraining: true });
    d.membership.start();
    await world.pass(3_000);
    assert.deepEqual([d.acting.size, world.isPlaced(a, b, c)], [0, true]);
    await world.announce(d, { isDraining: false });
    await world.passUntil("the node to have its shards", () => world.isPlaced(a, b, c, d), 10_000);
  });

  it("is not taken for lost when its part in the cluster has ended and the rest of it has not", async () => {
    const stopping = b.membership.stop();
    await world.pass(10_000);
    await stopping;
    assert.deepEqual([b.lost, a.fenced.length + c.fenced.length], [0, 0]);
    assert.equal((await world.look()).find(b.bootId)?.load, 1);
  });

  it("frees what a node still holds when it ends, and the others take it as soon as they have renewed", async () => {
    const ending = world.end(b);
    await world.passUntil("the others to own everything", () => world.isPlaced(a, c), RENEWED_MS);
    await ending;
    assert.equal(a.fenced.length + c.fenced.length, 0);
  });
});
