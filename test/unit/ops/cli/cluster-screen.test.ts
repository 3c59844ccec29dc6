import assert from "node:assert/strict";
import { type ShownNode, screenLines } from "../../../../ops/cli/cluster-screen.ts";
import type { NodeReading } from "../../../../ops/cli/cluster-watch.ts";
import type { Terminal } from "../../../../ops/cli/terminal.ts";
import type { ClusterNode } from "../../../../ops/cli/wire.ts";
import { NodeState } from "../../../../proto/gen/maestro/v1/cluster_service.ts";

function terminal(columns: number, rows: number): Terminal {
  return { isLive: true, columns, rows, write: () => undefined, paint: (tone, text) => `<${tone}>${text}` };
}

function node(name: string, more: Partial<ShownNode> = {}): ShownNode {
  const reading: NodeReading = {
    node: { name, state: NodeState.LIVE, shards: 2_048, load: 0.25, leaseLeft: { seconds: 2, nanos: 0 } } as ClusterNode,
    ...{ problem: "", activeRuns: 10, endedRunsPerSecond: 99.6, commitsPerSecond: 1.2 },
  };
  return { name, pid: 4_711, state: "ready", address: "127.0.0.1:50051", reading, ...more };
}

const NEWS = Array.from({ length: 100 }, (_none, index) => `12:00:00  news ${index}`);
const SCREEN = { title: "title", nodes: [node("n1"), node("n2", { state: "dead" })], news: NEWS, hint: "hint" };

describe("the screen of a local cluster", () => {
  it("has a line for each node and one for all of them, within 80 columns", () => {
    const [title, , first, second, all] = screenLines(SCREEN, terminal(80, 24));
    assert.equal(title, "<strong>title");
    assert.match(first ?? "", /^n1 +4711 +live +2048 +25% +10 +100 +1 +127\.0\.0\.1:50051$/);
    assert.match(second ?? "", /^<bad>n2 +- +dead +2048 +- .*127\.0\.0\.1:50051$/);
    assert.match(all ?? "", /^<strong>all +4096 +20 +199 +2 *$/);
  });

  it("shows of a node whose process is there for how long it was not heard", () => {
    const shown = node("n2");
    const silent = { ...shown.reading?.node, silentFor: { seconds: 1, nanos: 800_000_000 } } as ClusterNode;
    const reading = { ...shown.reading, node: silent } as NodeReading;
    assert.match(screenLines({ ...SCREEN, nodes: [{ ...shown, reading }] }, terminal(80, 24))[2] ?? "", /^n2 +4711 +silent 1\.8 s +2048/);
  });

  it("never has more lines than fit, and shows the newest of what happened", () => {
    for (const rows of [3, 9, 24, 40]) {
      const lines = screenLines(SCREEN, terminal(80, rows));
      assert.ok(lines.length < rows, `${lines.length} lines of ${rows}`);
    }
    const lines = screenLines(SCREEN, terminal(80, 24));
    assert.deepEqual([lines.at(-3), lines.at(-1)], ["12:00:00  news 99", "<quiet>hint"]);
    assert.equal(lines.length, 23);
  });

  it("shows dashes for what a node does not tell", () => {
    const [, , line] = screenLines({ ...SCREEN, nodes: [node("n1", { state: "starting", reading: undefined })] }, terminal(80, 24));
    assert.match(line ?? "", /^<busy>n1 +4711 +starting +- +- +- +- +- +127/);
  });
});
