/** What renewals tell, and to whom: of a store that was away, of a boot that was fenced, of how busy the node is, of its clock. */
import assert from "node:assert/strict";
import { virtualClock } from "../../../runtime/clock.ts";
import { LeaseRenewal, type LeaseRenewalListener } from "../../../runtime/cluster/lease-renewal.ts";
import { EventHub, type RuntimeEvents } from "../../../runtime/events.ts";
import { newBootId } from "../../../runtime/ids.ts";
import { seededRandom } from "../../../runtime/random.ts";
import type { Renewed } from "../../../runtime/storage/ownership.ts";
import { nextTurn } from "../../support/next-turn.ts";

const LEASE_MS = 3_000;
const RENEWED: Renewed = { isMember: true, version: 1, expired: [], storeTimeMs: 0 };
const LISTENER: LeaseRenewalListener = { load: () => 0, isUrgent: () => false, isSilent: () => false, onRenewed: () => undefined };

describe("the renewal of a lease", () => {
  type Renew = (load: number) => Promise<Renewed>;

  function world() {
    const clock = virtualClock();
    const events = new EventHub();
    const told: string[] = [];
    events.on("lease.failed", () => told.push("failed"));
    events.on("lease.renewed", () => told.push("renewed"));
    events.on("database.returned", ({ awayMs }) => told.push(`returned after ${awayMs} ms`));
    const store: { renew: Renew } = { renew: async () => RENEWED };
    const renewal = new LeaseRenewal({
      ...{ clock, events, bootId: newBootId(seededRandom(1)), leaseMs: LEASE_MS, onLost: () => void told.push("lost") },
      ownership: { renew: (_bootId, { load }) => store.renew(load) },
    });
    const passUntil = async (isOver: () => boolean): Promise<number> => {
      const startMs = clock.monotonic();
      for (; !isOver(); await nextTurn()) clock.advance(250);
      return clock.monotonic() - startMs;
    };
    renewal.start();
    return { clock, events, told, store, renewal, passUntil };
  }

  it("goes on three times in a lease, without a cluster too, until it is stopped", async () => {
    const { clock, told, renewal, passUntil } = world();
    const tookMs = await passUntil(() => told.length === 6);
    assert.equal(tookMs, 2 * LEASE_MS);
    await renewal.stop();
    clock.advance(10 * LEASE_MS);
    await nextTurn();
    assert.deepEqual(told, Array(6).fill("renewed"));
  });

  it("says once that the store has returned, and for how long it gave no answer, whether it failed or stood still", async () => {
    const { told, store, renewal, passUntil } = world();
    await passUntil(() => told.length === 1);
    assert.deepEqual(told.splice(0), ["renewed"]);

    store.renew = () => Promise.reject(new Error("the store is away"));
    const failingMs = await passUntil(() => told.length === 2);
    store.renew = async () => RENEWED;
    const backMs = await passUntil(() => told.length === 4);
    assert.deepEqual(told.splice(0), ["failed", "failed", `returned after ${failingMs + backMs} ms`, "renewed"]);

    const late = Promise.withResolvers<Renewed>();
    store.renew = () => late.promise;
    const silentMs = await passUntil(() => told.length === 1);
    store.renew = async () => RENEWED;
    late.resolve(RENEWED);
    await nextTurn();
    await passUntil(() => told.length === 4);
    assert.deepEqual(told, ["failed", `returned after ${silentMs} ms`, "renewed", "renewed"]);
    await renewal.stop();
  });

  it("compares the node's clock with the store's, tells once that it is off, whatever the answers take, and once that it is right again", async () => {
    const { clock, events, told, store, renewal, passUntil } = world();
    let [shiftMs, latencyMs, compared] = [0, 0, 0];
    const onOffset = (what: string) => (event: RuntimeEvents["clock.skewed"]) => told.push(`${what}: ${event.offsetMs} ± ${event.uncertaintyMs}`);
    events.on("clock.compared", () => compared++);
    events.on("clock.skewed", onOffset("skewed"));
    events.on("clock.aligned", onOffset("aligned"));
    const travel = async () => {
      if (latencyMs > 0) await new Promise<void>((resolve) => clock.schedule(latencyMs / 2, resolve));
    };
    store.renew = async () => {
      await travel();
      const storeTimeMs = clock.now() - shiftMs;
      await travel();
      return { ...RENEWED, storeTimeMs };
    };
    const clockLines = async (comparisons: number): Promise<readonly string[]> => {
      const until = compared + comparisons;
      await passUntil(() => compared >= until);
      return told.splice(0).filter((line) => !line.startsWith("renewed"));
    };
    assert.deepEqual(await clockLines(10), []);
    // A clock that leaps is known to have done so once nothing from before is kept any more.
    [shiftMs, latencyMs] = [2_000, 500];
    assert.deepEqual(await clockLines(20), ["skewed: 2000 ± 251"]);
    shiftMs = -2_000;
    assert.deepEqual(await clockLines(20), [], "it is off still");
    [shiftMs, latencyMs] = [0, 0];
    assert.deepEqual(await clockLines(20), ["aligned: 0 ± 1"]);
    store.renew = async () => ({ ...RENEWED, isMember: false });
    await passUntil(() => told.length > 0);
    assert.deepEqual([told, compared], [["lost"], 70], "a boot that is no member is told nothing of clocks");
    await renewal.stop();
  });

  it("tells once that the boot was fenced, the listener first, and ends", async () => {
    const { clock, told, store, renewal, passUntil } = world();
    renewal.listen({ ...LISTENER, onRenewed: ({ isMember }) => void told.push(isMember ? "member" : "no member") });
    store.renew = async () => ({ ...RENEWED, isMember: false });
    await passUntil(() => told.length > 0);
    assert.deepEqual(told, ["no member", "lost"]);
    assert.equal(clock.untilNext(), undefined);
  });

  it("says how busy the node is: not at all before anybody knows, and fully once nobody is to begin anything there", async () => {
    const { store, renewal, passUntil } = world();
    const loads: number[] = [];
    store.renew = async (load) => {
      loads.push(load);
      return RENEWED;
    };
    await passUntil(() => loads.length === 1);
    renewal.listen({ ...LISTENER, load: () => 0.5 });
    await passUntil(() => loads.length === 2);
    renewal.listen(undefined);
    await passUntil(() => loads.length === 3);
    assert.deepEqual(loads, [0, 0.5, 1]);
    await renewal.stop();
  });
});
