import assert from "node:assert/strict";
import fc from "fast-check";
import { addRestart, backoffMs, checkBackoff, checkIntensity, type RestartTimes } from "../../../runtime/kernel/restart-window.ts";

describe("restart window", () => {
  it("allows at most maxRestarts restarts in any window, and refuses only then", () => {
    const gaps = fc.array(fc.integer({ min: 0, max: 50 }), { maxLength: 100 });
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 6 }), fc.integer({ min: 1, max: 100 }), gaps, (maxRestarts, withinMs, waits) => {
        let times: RestartTimes = [];
        let nowMs = 0;
        const granted: number[] = [];
        for (const waitMs of waits) {
          nowMs += waitMs;
          const next = addRestart(times, nowMs, { maxRestarts, withinMs });
          const inWindow = granted.filter((time) => time >= nowMs - withinMs).length;
          assert.equal(next !== undefined, inWindow < maxRestarts, `at ${nowMs} ms with ${inWindow} restarts in the window`);
          if (next === undefined) continue;
          granted.push(nowMs);
          times = next;
          assert.ok(times.length <= maxRestarts, "what is remembered is bounded");
        }
      }),
    );
  });

  it("counts a restart exactly one window ago, and not one before", () => {
    const intensity = { maxRestarts: 1, withinMs: 100 };
    assert.equal(addRestart([0], 100, intensity), undefined);
    assert.deepEqual(addRestart([0], 100.5, intensity), [100.5]);
  });

  it("does not change the times it was given", () => {
    const times = Object.freeze([1, 2]);
    assert.deepEqual(addRestart(times, 3, { maxRestarts: 5, withinMs: 10 }), [1, 2, 3]);
    assert.deepEqual(times, [1, 2]);
  });
});

describe("backoff", () => {
  const backoffs = fc
    .record({
      initialMs: fc.integer({ min: 0, max: 1_000 }),
      extraMs: fc.integer({ min: 0, max: 100_000 }),
      factor: fc.double({ min: 1, max: 4, noNaN: true }),
      jitter: fc.double({ min: 0, max: 1, noNaN: true }),
    })
    .map(({ extraMs, ...rest }) => ({ ...rest, maxMs: rest.initialMs + extraMs }));
  const fractions = fc.double({ min: 0, max: 1, noNaN: true });

  it("stays between the jittered and the full delay, and below its maximum", () => {
    fc.assert(
      fc.property(backoffs, fc.integer({ min: 1, max: 1_000 }), fractions, (backoff, restart, fraction) => {
        const delayMs = backoffMs(backoff, restart, fraction);
        const fullMs = backoffMs(backoff, restart, 0);
        assert.ok(delayMs <= fullMs && delayMs >= fullMs * (1 - backoff.jitter) - 1e-6);
        assert.ok(fullMs <= backoff.maxMs);
      }),
    );
  });

  it("never shrinks from one restart to the next", () => {
    fc.assert(
      fc.property(backoffs, fc.integer({ min: 1, max: 1_000 }), (backoff, restart) =>
        assert.ok(backoffMs(backoff, restart + 1, 0) >= backoffMs(backoff, restart, 0)),
      ),
    );
  });

  it("doubles from its initial delay", () => {
    const backoff = { initialMs: 10, maxMs: 60, factor: 2, jitter: 0.5 };
    assert.deepEqual(
      [1, 2, 3, 4].map((restart) => backoffMs(backoff, restart, 0)),
      [10, 20, 40, 60],
    );
    assert.equal(backoffMs(backoff, 2, 1), 10);
  });
});

describe("checks of policies", () => {
  it("refuse numbers without sense", () => {
    assert.throws(() => checkIntensity({ maxRestarts: -1, withinMs: 1 }), /maxRestarts must be 0 to 1000, not -1/);
    assert.throws(() => checkIntensity({ maxRestarts: 1.5, withinMs: 1 }), /maxRestarts/);
    assert.throws(() => checkIntensity({ maxRestarts: 1, withinMs: 0 }), /withinMs must be more than 0/);
    const backoff = { initialMs: 10, maxMs: 20, factor: 2, jitter: 0 };
    assert.throws(() => checkBackoff({ ...backoff, initialMs: -1 }), /initialMs/);
    assert.throws(() => checkBackoff({ ...backoff, maxMs: 9 }), /maxMs must be at least initialMs/);
    assert.throws(() => checkBackoff({ ...backoff, factor: 0.5 }), /factor/);
    assert.throws(() => checkBackoff({ ...backoff, jitter: 1.1 }), /jitter/);
    checkBackoff(backoff);
  });
});
