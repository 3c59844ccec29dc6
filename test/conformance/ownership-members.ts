/** Who is a member of the cluster: joining, leases, leaving, draining, being fenced; and the version that tells of it. */
import assert from "node:assert/strict";
import type { MaestroError } from "../../runtime/errors.ts";
import type { BootId } from "../../runtime/ids.ts";
import { atEpoch } from "../support/at-epoch.ts";
import { OVER, type OwnershipBed } from "./ownership-bed.ts";

const RENEWAL = { leaseMs: 60_000, load: 0 };
const ALONE = { isAlone: true };

/** Declares the suite. */
export function membershipSuite({ ownership, another, join, stranger }: OwnershipBed): void {
  const renew = (bootId: BootId) => ownership().renew(bootId, RENEWAL);
  const isMember = async (bootId: BootId) => (await renew(bootId)).isMember;
  const version = async () => (await ownership().view()).version;
  const endOf = async (bootId: BootId) => (await ownership().view()).find(bootId)?.endedAtMs;
  const stateOf = async (bootId: BootId) => (await ownership().view()).find(bootId)?.state;

  it("shows an empty cluster", async () => {
    const view = await ownership().view();
    assert.deepEqual([view.nodes, view.ownerOf(7), view.epochOf(7)], [[], undefined, 0]);
  });

  it("shows each member as it joined and renewed", async () => {
    const { bootId } = await join("n2", { roles: ["gateway", "executor"], programVersion: "1.2.3", grpcAddress: "h:1", leaseMs: 30_000 });
    const other = await join("n1");
    await ownership().renew(other.bootId, { leaseMs: 50_000, load: 0.5 });
    const [first, second] = (await ownership().view()).nodes;
    assert.ok(first && second);
    const { leaseLeftMs, startedAtMs, shards, ...node } = second;
    assert.deepEqual(node, {
      ...{ bootId, nodeName: "n2", state: "live", roles: ["gateway", "executor"] },
      ...{ isStarting: false, dialect: 1, programVersion: "1.2.3", grpcAddress: "h:1", load: 0, endedAtMs: undefined },
    });
    assert.deepEqual([first.bootId, first.nodeName, first.load, first.roles.length], [other.bootId, "n1", 0.5, 3]);
    assert.ok(leaseLeftMs > 20_000 && leaseLeftMs <= 30_000, `${leaseLeftMs}`);
    assert.ok(first.leaseLeftMs > 40_000 && first.leaseLeftMs <= 50_000, `${first.leaseLeftMs}`);
    assert.ok(Math.abs(startedAtMs - Date.now()) < 60_000);
    assert.equal(shards.size, 0);
  });

  it("lets a new boot of the same node take the previous one's place at once", async () => {
    const previous = await join("a");
    assert.equal(await isMember(previous.bootId), true);
    const next = await join("a");
    assert.deepEqual([await isMember(previous.bootId), await isMember(next.bootId), await isMember(stranger())], [false, true, false]);
    assert.deepEqual(
      (await ownership().view()).nodes.map(({ bootId }) => bootId),
      [next.bootId],
    );
  });

  it("renews a lease that has ended, as long as nobody fenced the boot", async () => {
    const { bootId } = await join("a", OVER);
    assert.equal((await ownership().view()).find(bootId)?.state, "live");
    assert.ok(((await ownership().view()).find(bootId)?.leaseLeftMs ?? 1) <= 0);
    assert.equal(await isMember(bootId), true);
    assert.equal(await ownership().fence(bootId), false);
  });

  it("names, with each renewal, the members whose leases have ended", async () => {
    const a = await join("a");
    const b = await join("b", OVER);
    await join("c");
    assert.deepEqual((await renew(a.bootId)).expired, [b.bootId]);
    assert.deepEqual((await renew(b.bootId)).expired, []);
    assert.deepEqual((await renew(a.bootId)).expired, []);
  });

  it("says with each renewal what the store's clock shows meanwhile", async () => {
    const { bootId } = await join("a");
    let atLeastMs = Date.now();
    for (let round = 0; round < 3; round++) {
      const { storeTimeMs } = await renew(bootId);
      // The store may read the clock of this machine more finely.
      const atMostMs = Date.now() + 1;
      assert.ok(storeTimeMs >= atLeastMs && storeTimeMs <= atMostMs, `${storeTimeMs} is not from ${atLeastMs} to ${atMostMs}`);
      atLeastMs = storeTimeMs;
    }
  });

  it("fences a boot whose lease has ended, once, and no other", async () => {
    const a = await join("a");
    const b = await join("b", OVER);
    assert.equal(await ownership().fence(a.bootId), false);
    const nodes = await Promise.all([1, 2, 3].map(another));
    const fenced = await Promise.all(nodes.map((node) => node.fence(b.bootId)));
    assert.deepEqual(fenced.sort(), [false, false, true]);
    assert.deepEqual([await isMember(a.bootId), await isMember(b.bootId), await stateOf(b.bootId)], [true, false, "lost"]);
    assert.equal(await ownership().fence(stranger(), { even: "alive" }), false);
  });

  it("fences a boot that is alive on an operator's word", async () => {
    const a = await join("a");
    assert.equal(await ownership().fence(a.bootId, { even: "alive" }), true);
    assert.deepEqual([await isMember(a.bootId), await stateOf(a.bootId)], [false, "lost"]);
  });

  it("shows when a boot was lost or left", async () => {
    const [lost, left, there] = [await join("a", OVER), await join("b"), await join("c")];
    await ownership().fence(lost.bootId);
    await ownership().leave(left.bootId);
    for (const bootId of [lost.bootId, left.bootId]) {
      const endedAtMs = (await endOf(bootId)) ?? assert.fail("it says when it ended");
      assert.ok(Math.abs(endedAtMs - Date.now()) < 60_000, `${endedAtMs}`);
    }
    assert.equal(await endOf(there.bootId), undefined);
  });

  it("lets a boot leave, and go on having left", async () => {
    const { bootId } = await join("a");
    await ownership().leave(bootId);
    const before = await version();
    await ownership().leave(bootId);
    assert.deepEqual([await isMember(bootId), await stateOf(bootId), await version()], [false, "released", before]);
    assert.equal(await ownership().fence(bootId, { even: "alive" }), false);
  });

  it("tells everybody that a boot is to be drained, until the mark is taken back", async () => {
    const { bootId } = await join("a");
    assert.equal(await ownership().announce(bootId, { isDraining: true }), true);
    assert.equal(await stateOf(bootId), "draining");
    await ownership().announce(bootId, { grpcAddress: "host:1" });
    const node = (await ownership().view()).find(bootId);
    assert.deepEqual([node?.state, node?.grpcAddress], ["draining", "host:1"]);
    await ownership().announce(bootId, { isDraining: false });
    assert.equal(await stateOf(bootId), "live");
    await ownership().leave(bootId);
    assert.equal(await ownership().announce(bootId, { isDraining: true }), false);
  });

  it("shows a boot that has not started yet as draining, unless it gets all shards", async () => {
    const first = await join("a", { isStarting: true });
    const second = await join("b", { isStarting: true });
    assert.deepEqual([first.isDraining, await stateOf(first.bootId), first.shards.size], [false, "live", 4096]);
    assert.deepEqual([second.isDraining, await stateOf(second.bootId)], [true, "draining"]);
    await ownership().announce(second.bootId, { hasStarted: true });
    assert.equal(await stateOf(second.bootId), "live");
  });

  it("keeps what is asked of a boot while it starts until it has started", async () => {
    await join("a");
    for (const [asked, state] of [
      [[true], "draining"],
      [[true, false], "live"],
      [[false, true], "draining"],
    ] as const) {
      const { bootId } = await join("b", { isStarting: true });
      for (const isDraining of asked) {
        await ownership().announce(bootId, { isDraining });
        assert.equal(await stateOf(bootId), "draining", "it can't act for shards");
      }
      await ownership().announce(bootId, { grpcAddress: "h:1" });
      await ownership().announce(bootId, { hasStarted: true });
      assert.deepEqual([await stateOf(bootId), (await ownership().view()).find(bootId)?.isStarting], [state, false]);
      await ownership().announce(bootId, { isDraining: false });
      assert.equal(await stateOf(bootId), "live");
    }
  });

  it("knows what every member understands", async () => {
    assert.equal((await ownership().view()).dialect, Number.POSITIVE_INFINITY);
    await join("a", { dialect: 7 });
    await join("b", { dialect: 5 });
    const old = await join("c");
    assert.equal((await ownership().view()).dialect, 1, "who says nothing speaks the first");
    await ownership().leave(old.bootId);
    assert.equal((await ownership().view()).dialect, 5);
  });

  it("raises the version with each change, and with nothing else", async () => {
    const rises = async (change: () => Promise<unknown>) => {
      const before = await version();
      await change();
      return (await version()) - before;
    };
    const a = await join("a");
    const b = await join("b");
    assert.equal((await renew(a.bootId)).version, await version());
    assert.ok(b.version > a.version);
    assert.equal(await rises(() => join("c", OVER)), 1);
    assert.equal(await rises(() => ownership().announce(b.bootId, { isDraining: true })), 1);
    assert.equal(await rises(() => ownership().release(a.bootId, atEpoch(1, [1, 2]))), 1);
    assert.equal(await rises(() => ownership().acquire(b.bootId, [1, 2])), 1);
    assert.equal(await rises(() => ownership().fence(b.bootId, { even: "alive" })), 1);
    assert.equal(await rises(() => ownership().leave(a.bootId)), 1);
    const c = (await ownership().view()).nodes.find(({ nodeName }) => nodeName === "c");
    assert.ok(c);
    const idle = [
      () => renew(c.bootId),
      () => ownership().acquire(a.bootId, [1]),
      () => ownership().release(c.bootId, atEpoch(2, [1])),
      () => ownership().fence(c.bootId),
      () => ownership().leave(stranger()),
    ];
    for (const nothing of idle) assert.equal(await rises(nothing), 0, nothing.toString());
  });

  it("keeps another node out of a store that a node has for itself, and names the holder", async () => {
    await join("a", ALONE);
    const isRefused = (error: MaestroError) => error.code === "OWNED_ELSEWHERE" && error.facts.node === "a";
    await assert.rejects(join("b", ALONE), isRefused);
    await assert.rejects(join("b"), isRefused);
  });

  it("keeps a node that wants a store for itself out of a cluster's", async () => {
    await join("a");
    await join("b");
    await assert.rejects(join("c", ALONE), { code: "OWNED_ELSEWHERE" });
    await assert.rejects(join("b", ALONE), { code: "OWNED_ELSEWHERE" });
  });

  it("lets a node have a store for itself after the leases of others have ended, or they left", async () => {
    const a = await join("a", { ...ALONE, ...OVER });
    const b = await join("b", ALONE);
    assert.deepEqual([await isMember(a.bootId), b.shards.size], [false, 4096]);
    await ownership().leave(b.bootId);
    assert.equal((await join("c", ALONE)).shards.size, 4096);
  });

  it("gives a store to one of several nodes that want it for themselves at once", async () => {
    const nodes = await Promise.all([1, 2, 3, 4].map(another));
    for (const node of nodes) await node.view();
    const results = await Promise.allSettled(nodes.map((node, index) => join(`n${index}`, ALONE, node)));
    assert.equal(results.filter((result) => result.status === "fulfilled").length, 1);
  });

  it("gives all shards to one of several engines that join at once", async () => {
    const nodes = await Promise.all([1, 2, 3, 4].map(another));
    for (const node of nodes) await node.view();
    const joined = await Promise.all(nodes.map((node, index) => join(`n${index}`, {}, node)));
    assert.deepEqual(joined.map(({ shards }) => shards.size).sort(), [0, 0, 0, 4096]);
    assert.equal(new Set(joined.map((one) => one.version)).size, 4, "each change has its version");
  });
}
