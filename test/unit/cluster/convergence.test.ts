import assert from "node:assert/strict";
import type { ClusterNode } from "../../../runtime/cluster/cluster-view.ts";
import { CONVERGENCE_PACE, converge, type Holding, NOTHING_SEEN, type Situation } from "../../../runtime/cluster/convergence.ts";
import { Placement } from "../../../runtime/cluster/placement.ts";
import { type BootId, SHARD_COUNT, type Shard } from "../../../runtime/ids.ts";

const boot = (name: string) => `${name}-boot` as BootId;
const member = (nodeName: string, more: Partial<ClusterNode> = {}): ClusterNode => ({
  nodeName,
  bootId: boot(nodeName),
  state: "live",
  roles: ["engine"],
  ...more,
});

/** Node `a` in a cluster of which it holds what `holdingOf` says; by default it holds what it owns. */
function situation(nodes: readonly ClusterNode[], ownerOf: (shard: Shard) => BootId | undefined, more: Partial<Situation> = {}): Situation {
  const holdingOf = (shard: Shard): Holding => (ownerOf(shard) === boot("a") ? "held" : "none");
  return { view: { version: 1, nodes, ownerOf }, self: boot("a"), holdingOf, expired: [], nowMs: 0, ...more };
}

const belongingTo = (name: string, ...nodes: string[]) => {
  const placement = new Placement(nodes);
  return Array.from({ length: SHARD_COUNT }, (_, shard) => shard).filter((shard) => placement.ownerOf(shard) === name);
};

describe("converge", () => {
  it("fences expired members, gives them nothing, and takes what would have been theirs", () => {
    const nodes = [member("a"), member("b")];
    const owned = new Set(belongingTo("a", "a", "b"));
    const { actions } = converge(
      situation(nodes, (shard) => (owned.has(shard) ? boot("a") : undefined), { expired: [boot("b")] }),
      NOTHING_SEEN,
      CONVERGENCE_PACE,
    );
    assert.deepEqual(actions, [
      { kind: "fence", bootId: boot("b") },
      { kind: "acquire", shards: belongingTo("b", "a", "b") },
    ]);
    const all = converge(
      situation(nodes, () => boot("a"), { expired: [boot("b")] }),
      NOTHING_SEEN,
      CONVERGENCE_PACE,
    );
    assert.deepEqual(all.actions, [{ kind: "fence", bootId: boot("b") }]);
  });

  it("never fences itself", () => {
    const { actions } = converge(
      situation([member("a")], () => boot("a"), { expired: [boot("a")] }),
      NOTHING_SEEN,
      CONVERGENCE_PACE,
    );
    assert.deepEqual(
      actions.filter(({ kind }) => kind === "fence"),
      [],
    );
  });

  it("does nothing with shards while it is not seen to be a member", () => {
    for (const nodes of [[member("b")], [member("a", { state: "lost" }), member("b")]])
      assert.deepEqual(
        converge(
          situation(nodes, () => undefined),
          NOTHING_SEEN,
          CONVERGENCE_PACE,
        ).actions,
        [],
      );
  });

  it("takes shards that it owns without knowing, and none that it is handing over", () => {
    const own = [1, 2, 3];
    const ownerOf = (shard: Shard) => (own.includes(shard) ? boot("a") : boot("b"));
    const nodes = [member("a"), member("b", { state: "draining" })];
    const { actions } = converge(
      situation(nodes, ownerOf, { holdingOf: (shard) => (shard === 2 ? "leaving" : "none") }),
      NOTHING_SEEN,
      CONVERGENCE_PACE,
    );
    assert.deepEqual(actions, [{ kind: "acquire", shards: [1, 3] }]);
  });

  it("takes nothing that it holds already, though it saw it free", () => {
    const { actions } = converge(
      situation([member("a")], () => undefined, { holdingOf: (shard) => (shard % 2 === 0 ? "held" : "leaving") }),
      NOTHING_SEEN,
      CONVERGENCE_PACE,
    );
    assert.deepEqual(actions, []);
  });

  it("hands over as many at a time as the pace allows beside those that are leaving", () => {
    const nodes = [member("a"), member("b")];
    const pace = { releasesAtOnce: 10, graceMs: 1, adoptedMs: 1 };
    const foreign = belongingTo("b", "a", "b");
    const leaving = new Set(foreign.slice(0, 3));
    const holdingOf = (shard: Shard): Holding => (leaving.has(shard) ? "leaving" : "held");
    const { actions } = converge(
      situation(nodes, () => boot("a"), { holdingOf }),
      NOTHING_SEEN,
      pace,
    );
    assert.deepEqual(actions, [{ kind: "release", shards: foreign.slice(3, 10) }]);
  });

  it("takes what another node leaves lying after the grace, and keeps it from that node for a while", () => {
    const pace = { releasesAtOnce: 10_000, graceMs: 100, adoptedMs: 1_000 };
    const nodes = [member("a"), member("b")];
    const foreign = belongingTo("b", "a", "b");
    const owned = new Set(belongingTo("a", "a", "b"));
    const ownerOf = (shard: Shard) => (owned.has(shard) ? boot("a") : undefined);
    const first = converge(situation(nodes, ownerOf, { nowMs: 0 }), NOTHING_SEEN, pace);
    const early = converge(situation(nodes, ownerOf, { nowMs: 99 }), first.memory, pace);
    assert.deepEqual([first.actions, early.actions], [[], []]);
    const late = converge(situation(nodes, ownerOf, { nowMs: 100 }), early.memory, pace);
    assert.deepEqual(late.actions, [{ kind: "acquire", shards: foreign }]);
    const all = (nowMs: number) =>
      converge(
        situation(nodes, () => boot("a"), { nowMs }),
        late.memory,
        pace,
      ).actions;
    assert.deepEqual(all(1_000), []);
    assert.deepEqual(all(1_100), [{ kind: "release", shards: foreign }]);
  });
});
