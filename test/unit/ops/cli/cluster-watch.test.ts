import assert from "node:assert/strict";
import { ClusterWatch } from "../../../../ops/cli/cluster-watch.ts";
import type { Gateway } from "../../../../ops/cli/gateway-port.ts";
import type { Activity, ClusterNode } from "../../../../ops/cli/wire.ts";
import { NodeRole, NodeState } from "../../../../proto/gen/maestro/v1/cluster_service.ts";
import { virtualClock } from "../../../../runtime/clock.ts";
import { MaestroError } from "../../../../runtime/errors.ts";

describe("the watch over a cluster", () => {
  const clock = virtualClock();
  const activities = new Map<string, Activity>();
  const closed: string[] = [];
  let nodes: ClusterNode[];
  let watch: ClusterWatch;

  const nodeAt = (grpcAddress: string, state: NodeState = NodeState.LIVE) =>
    ({ name: grpcAddress, grpcAddress, bootId: grpcAddress, state }) as ClusterNode;
  const does = (address: string, commits: number, bootId = address) =>
    activities.set(address, { bootId, activeRuns: 3, endedRuns: 2 * commits, commits, entries: 0 });
  const gatewayTo = (address: string): Gateway => {
    const activity = async (): Promise<Activity> => {
      const told = activities.get(address);
      if (told === undefined) throw new MaestroError("NODE_UNREACHABLE", { facts: { address, reason: "gone" } });
      return told;
    };
    return { address, activity, nodes: async () => nodes, close: () => void closed.push(address) } as unknown as Gateway;
  };

  beforeEach(() => {
    nodes = ["a", "b"].map((address) => nodeAt(address));
    for (const address of ["a", "b"]) does(address, 10);
    closed.length = 0;
    watch = new ClusterWatch({ gateway: gatewayTo("a"), now: () => clock.monotonic(), connect: gatewayTo });
  });

  const read = async () =>
    (await watch.read()).map(({ node, activeRuns, commitsPerSecond, endedRunsPerSecond }) => [
      node.name,
      activeRuns,
      commitsPerSecond,
      endedRunsPerSecond,
    ]);

  it("tells rates from the second look on", async () => {
    const [a, b] = await read();
    assert.deepEqual(
      [a, b],
      [
        ["a", 3, undefined, undefined],
        ["b", 3, undefined, undefined],
      ],
    );
    clock.advance(2_000);
    does("a", 30);
    assert.deepEqual(await read(), [
      ["a", 3, 10, 20],
      ["b", 3, 0, 0],
    ]);
  });

  it("begins anew with a process that was restarted", async () => {
    await read();
    clock.advance(1_000);
    does("b", 1, "b again");
    assert.deepEqual((await read())[1], ["b", 3, undefined, undefined]);
  });

  it("asks nobody in place of a node without an address", async () => {
    does("", 5);
    nodes = [
      nodeAt("a"),
      { ...nodeAt(""), name: "executor", roles: [NodeRole.EXECUTOR] },
      { ...nodeAt(""), name: "starting", roles: [NodeRole.GATEWAY] },
    ];
    const readings = (await watch.read()).map(({ node, problem, activeRuns }) => [node.name, problem, activeRuns]);
    assert.deepEqual(readings, [
      ["a", "", 3],
      ["executor", "It has no gateway that could be asked.", undefined],
      ["starting", "It has not started yet.", undefined],
    ]);
  });

  it("shows all nodes although one hangs: a silent node is not asked", async () => {
    nodes = [nodeAt("a"), { ...nodeAt("b"), silentFor: { seconds: 2, nanos: 0 } }];
    const [a, b] = await watch.read();
    assert.deepEqual([a?.activeRuns, b?.activeRuns, b?.problem], [3, undefined, "It is not heard on the message bus."]);
  });

  it("says why a node does not answer, shows the others, and forgets those that have ended", async () => {
    activities.delete("b");
    const [a, b] = await watch.read();
    assert.deepEqual([a?.problem, a?.activeRuns, b?.activeRuns], ["", 3, undefined]);
    assert.match(b?.problem ?? "", /No node answers at b/);
    nodes = [nodeAt("a"), nodeAt("b", NodeState.LOST)];
    assert.equal((await watch.read()).length, 1);
    assert.deepEqual(closed, ["b"]);
    watch[Symbol.dispose]();
    assert.deepEqual(closed, ["b", "a"]);
  });
});
