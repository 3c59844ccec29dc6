import assert from "node:assert/strict";
import { virtualClock } from "../../../runtime/clock.ts";
import { type Member, NEVER_ACTIVE, PassivationGroup } from "../../../runtime/kernel/passivation.ts";

describe("PassivationGroup", () => {
  function setUp(maxResident: number) {
    const clock = virtualClock();
    const group = new PassivationGroup({ clock, idleMs: 1_000, maxResident });
    const asked: string[] = [];
    const member = (name: string): Member => ({ activeMs: NEVER_ACTIVE, suggestPassivation: () => asked.push(name) });
    return { clock, group, asked, member };
  }

  it("asks members that were idle for long, and asks again those that stay", () => {
    const { clock, group, asked, member } = setUp(10);
    group.touch(member("a"));
    clock.advance(900);
    assert.deepEqual(asked, []);
    clock.advance(350);
    assert.deepEqual(asked, ["a"]);
    clock.advance(1_250);
    assert.deepEqual(asked, ["a", "a"]);
  });

  it("asks the longest idle member when a new one exceeds the limit", () => {
    const { clock, group, asked, member } = setUp(2);
    const [a, b, c] = [member("a"), member("b"), member("c")];
    for (const active of [a, b, a, c]) {
      group.touch(active);
      clock.advance(100);
    }
    assert.deepEqual(asked, ["b"]);
    group.touch(a);
    assert.deepEqual(asked, ["b"], "a member that is known asks nobody to leave");
  });

  it("takes back a member that left and came again at once", () => {
    const { group, member } = setUp(2);
    const a = member("a");
    group.touch(a);
    group.remove(a);
    group.touch(a);
    assert.equal(group.size, 1);
  });

  it("keeps no timer once it is empty", () => {
    const { clock, group, member } = setUp(2);
    const a = member("a");
    group.touch(a);
    group.remove(a);
    assert.equal(clock.untilNext(), undefined);
    assert.equal(group.size, 0);
  });

  it("refuses bounds without sense", () => {
    const clock = virtualClock();
    assert.throws(() => new PassivationGroup({ clock, idleMs: 0, maxResident: 1 }), /idleMs/);
    assert.throws(() => new PassivationGroup({ clock, idleMs: 1, maxResident: 0 }), /maxResident/);
  });
});
