import assert from "node:assert/strict";
import fc from "fast-check";
import { TaskQueue } from "../../../runtime/workers/task-queue.ts";

describe("task queue", () => {
  it("behaves like an array, whatever is pushed, shifted and removed", () => {
    const step = fc.oneof(fc.constant("push" as const), fc.constant("shift" as const), fc.nat(20));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const queue = new TaskQueue<{ id: number }>();
        const model: { id: number }[] = [];
        for (const [id, action] of steps.entries()) {
          if (action === "push") {
            const item = { id };
            queue.push(item);
            model.push(item);
          } else if (action === "shift") assert.equal(queue.shift(), model.shift());
          else {
            const item = model[action];
            if (item === undefined) continue;
            assert.equal(queue.remove(item), true);
            assert.equal(queue.remove(item), false);
            model.splice(action, 1);
          }
          assert.equal(queue.length, model.length);
        }
        while (model.length > 0) assert.equal(queue.shift(), model.shift());
        assert.equal(queue.shift(), undefined);
      }),
    );
  });
});
