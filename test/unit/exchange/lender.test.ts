/** Which attempts may wait with a lender. */
import assert from "node:assert/strict";
import { virtualClock } from "../../../runtime/clock.ts";
import { MaestroError } from "../../../runtime/errors.ts";
import { EventHub } from "../../../runtime/events.ts";
import { Lender } from "../../../runtime/exchange/lender.ts";
import { manualScheduler } from "../../../runtime/kernel/scheduler.ts";
import { attemptOf } from "../../support/worker-attempts.ts";

describe("what may wait with a lender", () => {
  function lenderOf(queueLength: number): (queue: string) => boolean {
    const lender = new Lender({
      ...{ clock: virtualClock(), scheduler: manualScheduler(), events: new EventHub(), handlers: new Map(), queueLength },
      isExecutable: () => true,
      takers: () => 1,
      hintCancelled: () => undefined,
      onWaiting: () => undefined,
      refuse: () => undefined,
    });
    return (queue) => {
      try {
        lender.add(attemptOf("work", null, { queue }), () => undefined);
        return true;
      } catch (error) {
        assert.ok(error instanceof MaestroError && error.code === "TASK_QUEUE_FULL");
        return false;
      }
    };
  }
  const fill = (add: (queue: string) => boolean, queue: string): number => {
    for (let count = 0; count < 1_000; count += 1) if (!add(queue)) return count;
    return 1_000;
  };

  it("is bounded", () => assert.equal(fill(lenderOf(100), "default"), 100));

  it("has a place in its queue whatever waits in others, and in all not much more than the bound", () => {
    const add = lenderOf(100);
    fill(add, "nobodys");
    assert.deepEqual([fill(add, "default"), fill(add, "gpu"), fill(add, "slow")], [50, 34, 25]);
    assert.deepEqual([add("nobodys"), add("default")], [false, false]);
  });
});
