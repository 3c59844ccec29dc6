import assert from "node:assert/strict";
import { type ClusterNode, heirsOf } from "../../../runtime/cluster/cluster-view.ts";
import type { BootId } from "../../../runtime/ids.ts";

describe("the heirs of a node", () => {
  const node = (nodeName: string, more: Partial<ClusterNode> = {}): ClusterNode => ({
    ...{ nodeName, bootId: `${nodeName}-boot` as BootId, state: "live", roles: ["engine"] },
    ...more,
  });
  const leaving = node("leaving");

  it("are the other engines that are live", () => {
    const heir = node("heir", { roles: ["gateway", "engine"] });
    assert.deepEqual(heirsOf({ nodes: [leaving, heir] }, leaving.bootId), [heir]);
  });

  it("are none of those that have no shards, or are to have none", () => {
    const others = [node("gateway", { roles: ["gateway"] }), ...(["draining", "released", "lost"] as const).map((state) => node(state, { state }))];
    assert.deepEqual(heirsOf({ nodes: [leaving, ...others] }, leaving.bootId), []);
  });
});
