import assert from "node:assert/strict";
import { NodeRole, NodeState } from "../../proto/gen/maestro/v1/cluster_service.ts";
import { newBootId } from "../../runtime/ids.ts";
import { seededRandom } from "../../runtime/random.ts";
import { atEpoch } from "../support/at-epoch.ts";
import { type GatewayWorld, openGateway } from "../support/gateway-world.ts";

describe("gRPC cluster service", () => {
  let world: GatewayWorld;
  const [first, second] = [newBootId(seededRandom(1)), newBootId(seededRandom(2))];

  beforeEach(async () => {
    world = await openGateway();
    const named = { lanes: 1, leaseMs: 60_000, programVersion: "1.2.3", grpcAddress: "127.0.0.1:1" };
    await world.ownership.join({ bootId: first, nodeName: "first", ...named });
    await world.ownership.join({ bootId: second, nodeName: "second", ...named });
  });

  afterEach(() => world.close());

  it("lists the nodes", async () => {
    await world.ownership.renew(first, { leaseMs: 60_000, load: 0.25 });
    const [node, other] = await world.client.listNodes();
    const { leaseLeft, startedAt, ...rest } = node ?? assert.fail("there is a node");
    assert.deepEqual(rest, {
      name: "first",
      bootId: first,
      state: NodeState.LIVE,
      roles: [NodeRole.GATEWAY, NodeRole.ENGINE, NodeRole.EXECUTOR],
      version: "1.2.3",
      grpcAddress: "127.0.0.1:1",
      load: 0.25,
      shards: 4_096,
      endedAt: undefined,
      silentFor: undefined,
    });
    const leftS = leaseLeft?.seconds ?? 0;
    assert.ok(leftS > 0 && leftS <= 60, `${leftS} s left`);
    assert.notEqual(startedAt?.seconds, 0);
    assert.deepEqual([other?.name, other?.shards], ["second", 0]);
    assert.deepEqual(other?.silentFor, { seconds: 1, nanos: 750_000_000 }, "the node that is asked does not hear it");
  });

  it("says when a node has ended", async () => {
    await world.ownership.fence(second, { even: "alive" });
    const [, lost] = await world.client.listNodes();
    assert.equal(lost?.state, NodeState.LOST);
    assert.ok(Math.abs((lost.endedAt?.seconds ?? 0) - Date.now() / 1_000) < 60, JSON.stringify(lost.endedAt));
  });

  it("lists the shards", async () => {
    await world.ownership.release(first, atEpoch(1, [7]));
    assert.deepEqual(await world.client.listShards(), [
      {
        node: "first",
        bootId: first,
        epoch: 1,
        shards: 4_095,
        ranges: [
          { first: 0, last: 6 },
          { first: 8, last: 4_095 },
        ],
      },
      { node: "", bootId: "", epoch: 0, shards: 1, ranges: [{ first: 7, last: 7 }] },
    ]);
  });

  it("lists the queues, with the names of the nodes that execute them", async () => {
    assert.deepEqual(await world.client.listQueues(), [
      { name: "default", waiting: 2, active: 1, oldestWait: { seconds: 1, nanos: 500_000_000 }, executors: ["first", "second"] },
    ]);
  });

  it("tells what the node does that is asked", async () => {
    const before = await world.client.activity();
    assert.deepEqual([before.activeRuns, before.endedRuns, before.commits, before.entries], [7, 0, 0, 0]);
    for (const entries of [3, 4]) world.events.emit("journal.committed", { lane: 0, writes: 1, entries, bytes: 1, durationMs: 1 });
    const { commits, entries } = await world.client.activity();
    assert.deepEqual([commits, entries], [2, 7]);
  });

  it("drains a node and takes it back", async () => {
    assert.equal((await world.client.drainNode("first")).state, NodeState.DRAINING);
    await assert.rejects(world.client.drainNode("second"), { code: "NO_HEIR", facts: { node: "second" }, advice: /Start another node/ });
    assert.equal((await world.client.undrainNode(first)).state, NodeState.LIVE);
    await assert.rejects(world.client.drainNode("third"), { code: "NODE_NOT_FOUND", facts: { node: "third" }, advice: /maestro node list/ });
    await assert.rejects(world.client.undrainNode(""), { code: "FIELD_INVALID" });
  });
});
