import assert from "node:assert/strict";
import { LeaseKeeper } from "../../../ops/lease-keeper.ts";
import { virtualClock } from "../../../runtime/clock.ts";
import { EventHub } from "../../../runtime/events.ts";
import type { BootId } from "../../../runtime/ids.ts";
import type { Renewed } from "../../../runtime/storage/ownership.ts";
import { waitUntil } from "../../support/wait-until.ts";

type Answer = boolean | Error | Promise<boolean>;

function world(...answers: readonly Answer[]) {
  const clock = virtualClock();
  const events = new EventHub();
  const told: string[] = [];
  let renewals = 0;
  const renew = async (): Promise<Renewed> => {
    const answer = answers[renewals++] ?? true;
    if (answer instanceof Error) throw answer;
    return { isMember: await answer, version: 1, isDraining: false, expired: [] };
  };
  events.on("lease.renewed", () => told.push("renewed"));
  events.on("lease.failed", ({ reason }) => told.push(`failed: ${reason}`));
  const options = { ownership: { renew }, bootId: "b" as BootId, leaseMs: 9_000, clock, events, onLost: () => void told.push("lost") };
  const keeper = new LeaseKeeper(options);
  const nextTimer = () => waitUntil("the next renewal is scheduled", () => clock.untilNext() === 3_000);
  return { clock, told, keeper, nextTimer, renewals: () => renewals };
}

describe("the lease keeper", () => {
  it("renews three times in the duration of a lease", async () => {
    const { clock, told, keeper, nextTimer } = world();
    keeper.start();
    for (let round = 0; round < 3; round++) {
      await nextTimer();
      clock.advance(3_000);
    }
    await nextTimer();
    assert.deepEqual(told, ["renewed", "renewed", "renewed"]);
  });

  it("goes on after a renewal that failed: only the fence decides", async () => {
    const { clock, told, keeper, nextTimer } = world(new Error("no route"), true);
    keeper.start();
    clock.advance(3_000);
    await nextTimer();
    clock.advance(3_000);
    await nextTimer();
    assert.deepEqual(told, ["failed: no route", "renewed"]);
  });

  it("tells of a renewal that gets no answer for as long as a lease", async () => {
    const answer = Promise.withResolvers<boolean>();
    const { clock, told, keeper, nextTimer } = world(answer.promise);
    keeper.start();
    clock.advance(3_000);
    clock.advance(8_900);
    assert.deepEqual(told, []);
    clock.advance(100);
    assert.deepEqual(told, ["failed: the database has not answered for 9000 ms"]);
    answer.resolve(true);
    await nextTimer();
    assert.equal(told.at(-1), "renewed");
  });

  it("tells once that the boot was fenced, and stops renewing", async () => {
    const { clock, told, keeper } = world(false);
    keeper.start();
    clock.advance(3_000);
    await waitUntil("the loss is told", () => told.length > 0);
    assert.deepEqual(told, ["lost"]);
    assert.equal(clock.untilNext(), undefined);
  });

  it("does not renew after it was stopped", async () => {
    const { clock, keeper, renewals } = world();
    keeper.start();
    await keeper.stop();
    clock.advance(60_000);
    assert.equal(renewals(), 0);
  });
});
