import assert from "node:assert/strict";
import fc from "fast-check";
import { IdleOrder } from "../../../runtime/kernel/idle-order.ts";

describe("IdleOrder", () => {
  it("names the longest idle first: all that are due, and beyond those as many as exceed the size", () => {
    const touches = fc.array(fc.record({ item: fc.nat({ max: 9 }), waitMs: fc.integer({ min: 0, max: 10 }) }), { maxLength: 60 });
    fc.assert(
      fc.property(touches, fc.integer({ min: 0, max: 300 }), fc.integer({ min: 1, max: 10 }), (steps, untilMs, maxSize) => {
        const order = new IdleOrder<number>();
        let nowMs = 0;
        let model: { item: number; activeMs: number }[] = [];
        for (const { item, waitMs } of steps) {
          nowMs += waitMs;
          assert.equal(order.touch(item, nowMs), !model.some((entry) => entry.item === item));
          model = [...model.filter((entry) => entry.item !== item), { item, activeMs: nowMs }];
        }
        const excess = Math.max(model.length - maxSize, 0);
        const expected = model.filter((entry, index) => entry.activeMs <= untilMs || index < excess).map((entry) => entry.item);
        assert.deepEqual(order.due(untilMs, maxSize), expected);
        assert.deepEqual(order.due(untilMs, maxSize, 2), expected.slice(0, 2));
      }),
    );
  });
});
