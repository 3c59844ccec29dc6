import assert from "node:assert/strict";
import fc from "fast-check";
import { type Clock, virtualClock } from "../../../runtime/clock.ts";
import { Deadline, Deadlines } from "../../../runtime/kernel/deadlines.ts";

class Wait extends Deadline {
  readonly #onDue: () => void;

  constructor(onDue: () => void) {
    super();
    this.#onDue = onDue;
  }

  override onDue(): void {
    this.#onDue();
  }
}

describe("Deadlines", () => {
  it("end each wait that was not removed once, never early, and late by 1/64 or 1 ms at most", () => {
    const waits = fc.array(
      fc.record({
        startMs: fc.integer({ min: 0, max: 5_000 }),
        timeoutMs: fc.double({ min: 0.5, max: 100_000, noNaN: true }),
        isRemoved: fc.boolean(),
      }),
      { maxLength: 40 },
    );
    fc.assert(
      fc.property(waits, (plan) => {
        const clock = virtualClock();
        const deadlines = new Deadlines(clock);
        const firedMs = plan.map((): number[] => []);
        for (const [index, { startMs, timeoutMs, isRemoved }] of plan.entries()) {
          const wait = new Wait(() => firedMs[index]?.push(clock.monotonic()));
          clock.schedule(startMs, () => deadlines.add(wait, timeoutMs));
          if (isRemoved) clock.schedule(startMs + timeoutMs / 2, () => deadlines.remove(wait));
        }
        clock.advance(200_000);
        for (const [index, { startMs, timeoutMs, isRemoved }] of plan.entries()) {
          const fired = firedMs[index] ?? [];
          assert.equal(fired.length, isRemoved ? 0 : 1);
          const lateMs = (fired[0] ?? startMs + timeoutMs) - startMs - timeoutMs;
          assert.ok(lateMs > -1e-6 && lateMs <= Math.max(1, timeoutMs / 64) + 1e-6, `${lateMs} ms late after ${timeoutMs} ms`);
        }
      }),
    );
  });

  it("use one timer for waits that are due together", () => {
    const clock = virtualClock();
    let timers = 0;
    const schedule: Clock["schedule"] = (delayMs, callback) => {
      timers++;
      return clock.schedule(delayMs, callback);
    };
    const deadlines = new Deadlines({ ...clock, schedule });
    for (let wait = 0; wait < 1_000; wait++) deadlines.add(new Wait(() => undefined), 30_000);
    assert.equal(timers, 1);
  });

  it("hand over what is left when they are stopped", () => {
    const clock = virtualClock();
    const deadlines = new Deadlines(clock);
    const wait = new Wait(() => assert.fail("must not fall due"));
    deadlines.add(wait, 10);
    const left: Deadline[] = [];
    deadlines.stop((deadline) => left.push(deadline));
    assert.deepEqual(left, [wait]);
    assert.equal(clock.untilNext(), undefined);
  });

  it("refuse a timeout that is no positive number", () => {
    const deadlines = new Deadlines(virtualClock());
    for (const timeoutMs of [0, -1, Number.NaN, Number.POSITIVE_INFINITY])
      assert.throws(() => deadlines.add(new Wait(() => undefined), timeoutMs), /timeout must be more than 0/);
  });
});
