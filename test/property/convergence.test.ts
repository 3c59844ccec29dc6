import assert from "node:assert/strict";
import fc from "fast-check";
import { CONVERGENCE_PACE } from "../../runtime/cluster/convergence.ts";
import { Placement } from "../../runtime/cluster/placement.ts";
import { SHARD_COUNT } from "../../runtime/ids.ts";
import { ClusterModel, type ModelNode } from "../support/cluster-model.ts";

const ROUND_MS = 1_000;

/** Rounds in which every node looks and acts once, and after which all is in its place: adopted shards are given back, all shards moved, and then some. */
const ROUNDS = CONVERGENCE_PACE.adoptedMs / ROUND_MS + SHARD_COUNT / CONVERGENCE_PACE.releasesAtOnce + 10;

const names = ["n1", "n2", "n3", "n4", "n5"];
const event = fc.record({
  kind: fc.constantFrom("step", "step", "step", "step", "step", "step", "crash", "start", "drain", "leave"),
  node: fc.nat({ max: 20 }),
  choice: fc.nat({ max: 1_000 }),
});
const history = fc.array(event, { minLength: 20, maxLength: 400 });

type Event = { readonly kind: string; readonly node: number; readonly choice: number };

function play(cluster: ClusterModel, events: readonly Event[]): void {
  for (const { kind, node, choice } of events) {
    const picked = cluster.nodes[node % cluster.nodes.length] as ModelNode;
    if (kind === "crash") cluster.crash(picked);
    else if (kind === "drain" || kind === "leave") cluster.drain(picked, kind === "leave");
    else if (kind === "start") cluster.start(names[node % names.length] as string);
    else cluster.step(picked, choice);
  }
}

function settle(cluster: ClusterModel, rounds = ROUNDS): void {
  for (let round = 0; round < rounds; round++) {
    cluster.nowMs += ROUND_MS;
    for (const node of cluster.nodes) cluster.round(node);
  }
}

function assertConverged(cluster: ClusterModel): void {
  const placement = new Placement(cluster.hosts);
  for (let shard = 0; shard < SHARD_COUNT; shard++) assert.equal(cluster.ownerOf(shard), placement.ownerOf(shard), `owner of shard ${shard}`);
  for (const node of cluster.nodes) {
    if (!cluster.isMember(node)) continue;
    for (const [shard, holding] of node.holdings.entries()) if (holding !== "none") assert.equal(cluster.ownerOf(shard), node.nodeName);
  }
  assert.deepEqual(cluster.violations, []);
  for (const node of cluster.nodes) assert.equal(cluster.round(node), 0, "a cluster in which all is in its place has nothing to do");
}

describe("convergence", function () {
  this.timeout(60_000);

  it("brings every shard to its node, whatever happened before and in whatever order nodes act", () => {
    fc.assert(
      fc.property(history, (events) => {
        const cluster = new ClusterModel();
        cluster.start("n1");
        play(cluster, events);
        cluster.start("n2");
        settle(cluster);
        assertConverged(cluster);
      }),
      { numRuns: 40 },
    );
  });

  it("gives a node that is alone everything, in one look", () => {
    const cluster = new ClusterModel();
    const alone = cluster.start("n1");
    cluster.round(alone);
    assert.equal(alone.count, SHARD_COUNT);
    settle(cluster, 5);
    assertConverged(cluster);
  });

  it("lets one that comes back after all crashed take everything", () => {
    const cluster = new ClusterModel();
    for (const name of names) cluster.start(name);
    settle(cluster);
    for (const node of cluster.nodes) cluster.crash(node);
    cluster.nowMs += 10_000;
    const back = cluster.start("n3");
    settle(cluster, 3);
    assert.equal(back.count, SHARD_COUNT);
    assertConverged(cluster);
  });

  it("leaves a draining node with nothing, at the pace", () => {
    const cluster = new ClusterModel();
    const [first] = ["n1", "n2", "n3"].map((name) => cluster.start(name));
    settle(cluster);
    const before = first?.count ?? 0;
    cluster.drain(first as ModelNode);
    settle(cluster, 2);
    assert.ok((first?.count ?? 0) >= before - 2 * CONVERGENCE_PACE.releasesAtOnce);
    settle(cluster);
    assert.equal(first?.count, 0);
    assertConverged(cluster);
  });

  it("lets a node that ends give up everything though it is alone, and take nothing back", () => {
    const cluster = new ClusterModel();
    const alone = cluster.start("n1");
    settle(cluster, 1);
    cluster.drain(alone, true);
    settle(cluster);
    assert.equal(alone.count, 0);
    assert.equal(cluster.ownerOf(0), undefined);
  });

  it("has a drained node take everything when the others are lost, until one is there again", () => {
    const cluster = new ClusterModel();
    const [drained, other] = [cluster.start("n1"), cluster.start("n2")];
    cluster.drain(drained);
    settle(cluster);
    assert.deepEqual([drained.count, other.count], [0, SHARD_COUNT]);
    cluster.crash(other);
    cluster.nowMs += 10_000;
    settle(cluster, 3);
    assert.equal(drained.count, SHARD_COUNT);
    const back = cluster.start("n2");
    settle(cluster);
    assert.deepEqual([drained.count, back.count], [0, SHARD_COUNT]);
    assertConverged(cluster);
  });

  it("moves only what belongs to a node that joins", () => {
    const cluster = new ClusterModel();
    for (const name of ["n1", "n2"]) cluster.start(name);
    settle(cluster);
    const before = Array.from({ length: SHARD_COUNT }, (_, shard) => cluster.ownerOf(shard));
    cluster.start("n3");
    settle(cluster);
    for (const [shard, owner] of before.entries()) if (cluster.ownerOf(shard) !== owner) assert.equal(cluster.ownerOf(shard), "n3");
    assertConverged(cluster);
  });

  it("lets others take what its node leaves lying, and gives no shards to a node that is no engine", () => {
    const cluster = new ClusterModel();
    const [first, idle] = [cluster.start("n1"), cluster.start("n2")];
    const gateway = cluster.start("n3", ["gateway"]);
    const still = () => cluster.nodes.filter((node) => node !== idle);
    for (let round = 0; round < 10; round++) {
      cluster.nowMs += ROUND_MS;
      for (const node of still()) cluster.round(node);
      cluster.step(gateway, 1);
      // It lives and renews its lease, but takes nothing.
      idle.actions = [];
    }
    assert.equal(first.count, SHARD_COUNT);
    assert.equal(gateway.count, 0);
  });
});
