import assert from "node:assert/strict";
import { type ClusterHearsay, ClusterService, type ClusterTable } from "../../../gateway/service/cluster-service.ts";
import { virtualClock } from "../../../runtime/clock.ts";
import { type BootId, newBootId } from "../../../runtime/ids.ts";
import { seededRandom } from "../../../runtime/random.ts";
import { MemoryOwnership } from "../../../runtime/storage/memory-ownership.ts";
import { MemoryStore } from "../../../runtime/storage/memory-store.ts";
import type { JoinRequest } from "../../../runtime/storage/ownership.ts";
import { atEpoch } from "../../support/at-epoch.ts";

describe("cluster service", () => {
  const LEASE_MS = 3_000;
  const clock = virtualClock();
  const random = seededRandom(1);
  const still = () => ({ bootId: newBootId(random), activeRuns: 0, endedRuns: 0, commits: 0, entries: 0 });
  const DEAF: ClusterHearsay = { queues: () => [], silenceMsOf: () => undefined };
  let table: MemoryOwnership;
  let service: ClusterService;

  beforeEach(() => {
    table = new MemoryOwnership(new MemoryStore(clock));
    service = new ClusterService(table, still, DEAF);
  });

  async function join(nodeName: string, more: Partial<JoinRequest> = {}): Promise<BootId> {
    const bootId = newBootId(random);
    await table.join({ bootId, nodeName, lanes: 1, leaseMs: LEASE_MS, ...more });
    return bootId;
  }
  const states = async () => Object.fromEntries((await service.nodes()).map(({ nodeName, state }) => [nodeName, state]));

  it("shows a node alone as a cluster of one, with all shards", async () => {
    const bootId = await join("alone", { isAlone: true });
    assert.deepEqual(await states(), { alone: "live" });
    const groups = (await service.shards()).map(({ owner, ...rest }) => ({ owner: owner?.bootId, ...rest }));
    assert.deepEqual(groups, [{ owner: bootId, epoch: 1, ranges: [{ first: 0, last: 4095 }] }]);
  });

  it("says for how long a member was not heard, and of one that has ended nothing of the kind", async () => {
    const [a, b, c] = [await join("a"), await join("b"), await join("c")];
    await table.fence(c, { even: "alive" });
    const silences = new Map([b, c].map((bootId) => [bootId, 1_800]));
    service = new ClusterService(table, still, { ...DEAF, silenceMsOf: (bootId) => silences.get(bootId) });
    const shown = new Map((await service.nodes()).map(({ bootId, silentMs }) => [bootId, silentMs]));
    assert.deepEqual([shown.get(a), shown.get(b), shown.get(c)], [undefined, 1_800, undefined]);
    assert.equal((await service.drain("b")).silentMs, 1_800);
  });

  it("groups shards by node and epoch, in few ranges, and shows those that are free", async () => {
    const [a, b] = [await join("a"), await join("b")];
    await table.release(a, atEpoch(1, [5, 6, 7, 9, 4095]));
    await table.acquire(b, [6, 5, 9]);
    const groups = (await service.shards()).map(({ owner, epoch, ranges }) => [
      owner?.nodeName,
      epoch,
      ranges.map(({ first, last }) => [first, last]),
    ]);
    assert.deepEqual(groups, [
      [
        "a",
        1,
        [
          [0, 4],
          [8, 8],
          [10, 4094],
        ],
      ],
      [
        "b",
        2,
        [
          [5, 6],
          [9, 9],
        ],
      ],
      [
        undefined,
        0,
        [
          [7, 7],
          [4095, 4095],
        ],
      ],
    ]);
  });

  it("drains by name and by boot id, again without change, and takes it back", async () => {
    const [a] = [await join("a"), await join("b")];
    assert.equal((await service.drain("a")).state, "draining");
    const { version } = await table.view();
    assert.equal((await service.drain(a.toUpperCase())).state, "draining");
    assert.equal((await table.view()).version, version);
    assert.equal((await service.undrain(a)).state, "live");
    assert.equal((await service.undrain("a")).state, "live");
    assert.deepEqual(await states(), { a: "live", b: "live" });
  });

  it("drains a node that is starting: it is told so before it has started", async () => {
    await join("a");
    const b = await join("b", { isStarting: true });
    assert.deepEqual([(await service.drain("b")).state, (await service.drain("b")).state], ["draining", "draining"]);
    await table.announce(b, { hasStarted: true });
    assert.equal((await states()).b, "draining");
    assert.equal((await service.undrain("b")).state, "live");
  });

  it("refuses to drain a node that nobody could take the shards of", async () => {
    await join("gateway", { roles: ["gateway"] });
    await join("a");
    await assert.rejects(service.drain("a"), { code: "NO_HEIR", facts: { node: "a" } });
    const b = await join("b");
    await table.announce(b, { isDraining: true });
    await assert.rejects(service.drain("a"), { code: "NO_HEIR" });
    await join("c");
    clock.advance(LEASE_MS);
    await assert.rejects(service.drain("a"), { code: "NO_HEIR" });
    assert.equal((await states()).a, "live");
  });

  it("drains neither of two nodes that were asked at the same moment, each because of the other", async () => {
    await join("a");
    await join("b");
    let meeting = 2;
    const { promise, resolve } = Promise.withResolvers<void>();
    const simultaneous: ClusterTable = {
      view: () => table.view(),
      announce: async (bootId, announcement) => {
        const isDone = await table.announce(bootId, announcement);
        if (announcement.isDraining === true && --meeting === 0) resolve();
        if (announcement.isDraining === true) await promise;
        return isDone;
      },
    };
    const asked = ["a", "b"].map((name) => new ClusterService(simultaneous, still, DEAF).drain(name));
    assert.deepEqual(
      (await Promise.allSettled(asked)).map(({ status }) => status),
      ["rejected", "rejected"],
    );
    assert.deepEqual(await states(), { a: "live", b: "live" });
  });

  it("knows no node of another name, nor one that has ended", async () => {
    const a = await join("a");
    await join("b");
    await table.leave(a);
    for (const name of ["nobody", "a", a]) {
      await assert.rejects(service.drain(name), { code: "NODE_NOT_FOUND", facts: { node: name } });
      await assert.rejects(service.undrain(name), { code: "NODE_NOT_FOUND" });
    }
    for (const name of ["", "a\u0000", "x".repeat(10_000)]) await assert.rejects(service.drain(name), { code: "FIELD_INVALID" });
  });
});
