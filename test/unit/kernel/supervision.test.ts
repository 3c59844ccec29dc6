import assert from "node:assert/strict";
import fc from "fast-check";
import { affected, type Directive, judge, type SupervisionStrategy, supervisionPolicy } from "../../../runtime/kernel/supervision.ts";

const directives = fc.constantFrom<Directive>("resume", "restart", "stop", "escalate");

describe("judge", () => {
  it("says what the decider says, until restarts exceed the intensity", () => {
    const failures = fc.array(
      fc.record({ waitMs: fc.integer({ min: 0, max: 40 }), directive: directives, fraction: fc.double({ min: 0, max: 1, noNaN: true }) }),
    );
    const onExceeded = fc.constantFrom("quarantine" as const, "escalate" as const);
    fc.assert(
      fc.property(failures, fc.integer({ min: 0, max: 4 }), onExceeded, (steps, maxRestarts, exceeded) => {
        let nowMs = 0;
        let times: readonly number[] = [];
        const restarts: number[] = [];
        for (const { waitMs, directive, fraction } of steps) {
          nowMs += waitMs;
          const policy = supervisionPolicy({ decide: () => directive, intensity: { maxRestarts, withinMs: 100 }, onExceeded: exceeded });
          const verdict = judge(policy, { path: "/a", error: "x" }, times, nowMs, fraction);
          const recent = restarts.filter((time) => time >= nowMs - 100).length;
          if (directive !== "restart") assert.equal(verdict.kind, directive);
          else if (recent >= maxRestarts) assert.equal(verdict.kind, exceeded);
          else assert.equal(verdict.kind, "restart");
          if (verdict.kind !== "restart") continue;
          restarts.push(nowMs);
          times = verdict.times;
        }
      }),
    );
  });

  it("tells the decider path, error and restarts, and escalates when it throws", () => {
    const seen: unknown[] = [];
    const note = supervisionPolicy({
      decide: (failure) => {
        seen.push(failure);
        return "stop";
      },
    });
    judge(note, { path: "/a/b", error: "boom" }, [1, 2], 3, 0);
    assert.deepEqual(seen, [{ path: "/a/b", error: "boom", restarts: 2 }]);
    const broken = supervisionPolicy({
      decide: () => {
        throw new Error("decider");
      },
    });
    assert.deepEqual(judge(broken, { path: "/a", error: "x" }, [], 0, 0), { kind: "escalate" });
  });

  it("names the number of failures that led to quarantine", () => {
    const policy = supervisionPolicy({ intensity: { maxRestarts: 2, withinMs: 10 }, onExceeded: "quarantine" });
    assert.deepEqual(judge(policy, { path: "/a", error: "x" }, [1, 2], 3, 0), { kind: "quarantine", failures: 3 });
  });
});

describe("affected", () => {
  it("agrees with the definition of each strategy", () => {
    const strategies = fc.constantFrom<SupervisionStrategy>("one-for-one", "one-for-all", "rest-for-one");
    fc.assert(
      fc.property(strategies, fc.uniqueArray(fc.integer(), { minLength: 1, maxLength: 20 }), fc.nat(), (strategy, children, pick) => {
        const at = pick % children.length;
        const failed = children[at] as number;
        const concerned = affected(strategy, children, failed);
        const expected = children.filter((_, index) => strategy === "one-for-all" || index === at || (strategy === "rest-for-one" && index > at));
        assert.deepEqual(concerned, expected);
      }),
    );
  });
});

describe("supervisionPolicy", () => {
  it("fills in the defaults and refuses numbers without sense", () => {
    const policy = supervisionPolicy({ strategy: "rest-for-one" });
    assert.equal(policy.strategy, "rest-for-one");
    assert.equal(policy.onExceeded, "escalate");
    assert.throws(() => supervisionPolicy({ intensity: { maxRestarts: 1_001, withinMs: 1 } }), /maxRestarts/);
  });
});
