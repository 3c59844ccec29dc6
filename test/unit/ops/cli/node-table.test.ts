/** How the command line shows nodes in tables and as JSON. */
import assert from "node:assert/strict";
import { nodeRow } from "../../../../ops/cli/node-table.ts";
import { type ClusterNode, printableNode } from "../../../../ops/cli/wire.ts";
import { NodeRole, NodeState } from "../../../../proto/gen/maestro/v1/cluster_service.ts";

const NOW_MS = Date.parse("2026-11-22T10:00:00Z");

function node(more: Partial<ClusterNode>): ClusterNode {
  return {
    ...{ name: "n1", bootId: "b1", state: NodeState.LIVE, roles: [NodeRole.ENGINE], version: "1.0.0", grpcAddress: "h:1", load: 0.25, shards: 7 },
    ...{ leaseLeft: { seconds: 2, nanos: 0 }, startedAt: { seconds: NOW_MS / 1_000 - 60, nanos: 0 }, endedAt: undefined, silentFor: undefined },
    ...more,
  };
}
const endedAgo = (seconds: number) => ({ seconds: NOW_MS / 1_000 - seconds, nanos: 0 });

const stateOf = (shown: ClusterNode) => nodeRow(shown, NOW_MS)[1];

describe("a node in the command line", () => {
  it("is in one word as long as it is well", () => {
    assert.deepEqual(nodeRow(node({}), NOW_MS), ["n1", "live", "engine", "7", "25%", "1.0.0", "h:1", "2026-11-22 09:59:00", "b1"]);
    assert.equal(stateOf(node({ state: NodeState.DRAINING })), "draining");
  });

  it("says how long ago it was lost or released, and has no load any more", () => {
    assert.equal(stateOf(node({ state: NodeState.LOST, endedAt: endedAgo(12) })), "lost 12.0 s ago");
    assert.equal(stateOf(node({ state: NodeState.RELEASED, endedAt: endedAgo(250) })), "released 4 min 10 s ago");
    assert.equal(stateOf(node({ state: NodeState.LOST, endedAt: endedAgo(-1) })), "lost 0 ms ago", "clocks differ");
    assert.equal(stateOf(node({ state: NodeState.LOST })), "lost", "an older node does not tell");
    assert.equal(nodeRow(node({ state: NodeState.LOST, endedAt: endedAgo(12) }), NOW_MS)[4], "-");
  });

  it("says for how long a member was not heard, and when only its lease says so", () => {
    const silentFor = { seconds: 1, nanos: 840_000_000 };
    assert.equal(stateOf(node({ silentFor })), "silent 1.8 s");
    assert.equal(stateOf(node({ state: NodeState.DRAINING, silentFor })), "draining, silent 1.8 s");
    assert.equal(stateOf(node({ leaseLeft: { seconds: 0, nanos: 0 } })), "live, lease over");
    assert.equal((printableNode(node({ silentFor })) as { silentMs?: number }).silentMs, 1_840);
    assert.equal("silentMs" in printableNode(node({})), false);
  });

  it("tells programs when it ended, and of a member nothing of the kind", () => {
    assert.equal((printableNode(node({ state: NodeState.LOST, endedAt: endedAgo(12) })) as { endedAt?: string }).endedAt, "2026-11-22T09:59:48.000Z");
    assert.equal("endedAt" in printableNode(node({})), false);
  });
});
