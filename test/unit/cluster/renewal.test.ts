/** What a renewal tells of a store that was away. */
import assert from "node:assert/strict";
import { virtualClock } from "../../../runtime/clock.ts";
import { Renewal } from "../../../runtime/cluster/renewal.ts";
import { EventHub } from "../../../runtime/events.ts";
import { newBootId } from "../../../runtime/ids.ts";
import { seededRandom } from "../../../runtime/random.ts";
import type { Renewed } from "../../../runtime/storage/ownership.ts";
import { nextTurn } from "../../support/next-turn.ts";

const LEASE_MS = 3_000;
const RENEWED: Renewed = { isMember: true, version: 1, isDraining: false, expired: [] };

describe("the renewal of a lease", () => {
  it("says once that the store has returned, and for how long it gave no answer, whether it failed or stood still", async () => {
    const clock = virtualClock();
    const events = new EventHub();
    const told: string[] = [];
    events.on("lease.failed", () => told.push("failed"));
    events.on("lease.renewed", () => told.push("renewed"));
    events.on("database.returned", ({ awayMs }) => told.push(`returned after ${awayMs} ms`));
    let answer: () => Promise<Renewed> = async () => RENEWED;
    const renewal = new Renewal({
      ...{ clock, events, bootId: newBootId(seededRandom(1)), leaseMs: LEASE_MS },
      ...{ load: () => 0, isUrgent: () => false, isSilent: () => false, onRenewed: () => undefined },
      ownership: { renew: () => answer() },
    });
    const passUntil = async (isOver: () => boolean): Promise<number> => {
      const startMs = clock.monotonic();
      for (; !isOver(); await nextTurn()) clock.advance(250);
      return clock.monotonic() - startMs;
    };
    renewal.start();
    await nextTurn();
    assert.deepEqual(told.splice(0), ["renewed"]);

    answer = () => Promise.reject(new Error("the store is away"));
    const failingMs = await passUntil(() => told.length === 2);
    answer = async () => RENEWED;
    const backMs = await passUntil(() => told.length === 4);
    assert.deepEqual(told.splice(0), ["failed", "failed", `returned after ${failingMs + backMs} ms`, "renewed"]);

    const late = Promise.withResolvers<Renewed>();
    answer = () => late.promise;
    const silentMs = await passUntil(() => told.length === 1);
    answer = async () => RENEWED;
    late.resolve(RENEWED);
    await nextTurn();
    await passUntil(() => told.length === 4);
    assert.deepEqual(told, ["failed", `returned after ${silentMs} ms`, "renewed", "renewed"]);
    await renewal.stop();
  });
});
