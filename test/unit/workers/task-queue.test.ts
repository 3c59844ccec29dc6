import assert from "node:assert/strict";
import fc from "fast-check";
import { AGEING_MS, LAST_PRIORITY, turnOf } from "../../../runtime/workers/scheduling.ts";
import { TaskQueue } from "../../../runtime/workers/task-queue.ts";

interface Item {
  readonly id: number;
  readonly priority: number;
  readonly atMs: number;
}

const priority = fc.integer({ min: 1, max: LAST_PRIORITY });
const step = fc.oneof(fc.record({ push: priority, afterMs: fc.nat(AGEING_MS) }), fc.constant("shift" as const), fc.nat(20));

/** The item that a queue should give next: the earliest turn; of equal ones the more urgent, then the one that came first. */
function nextOf(items: readonly Item[]): Item | undefined {
  return items.toSorted(
    (left, right) => turnOf(left.priority, left.atMs) - turnOf(right.priority, right.atMs) || left.priority - right.priority || left.id - right.id,
  )[0];
}

describe("task queue", () => {
  it("gives the item with the earliest turn, whatever is pushed, shifted and removed", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const queue = new TaskQueue<Item>();
        let model: readonly Item[] = [];
        let atMs = 0;
        for (const [id, action] of steps.entries()) {
          if (typeof action === "object") {
            atMs += action.afterMs;
            const item = { id, priority: action.push, atMs };
            queue.push(item, item.priority, atMs);
            model = [...model, item];
          } else {
            const item = action === "shift" ? nextOf(model) : model[action];
            if (action === "shift") assert.equal(queue.shift(), item);
            else if (item !== undefined) assert.deepEqual([queue.remove(item), queue.remove(item)], [true, false]);
            model = model.filter((other) => other !== item);
          }
          assert.equal(queue.length, model.length);
        }
        for (let next = nextOf(model); next !== undefined; next = nextOf(model)) {
          assert.equal(queue.shift(), next);
          model = model.filter((item) => item !== next);
        }
        assert.equal(queue.shift(), undefined);
      }),
    );
  });

  it("lets an item be overtaken only by what arrives soon after it, so that nothing waits for ever", () => {
    const queue = new TaskQueue<Item>();
    const patient = { id: -1, priority: LAST_PRIORITY, atMs: 0 };
    queue.push(patient, patient.priority, patient.atMs);
    let overtakenUntilMs = 0;
    for (let atMs = 1_000; ; atMs += 1_000) {
      const urgent = { id: atMs, priority: 1, atMs };
      queue.push(urgent, urgent.priority, atMs);
      if (queue.shift() === patient) break;
      overtakenUntilMs = atMs;
    }
    assert.equal(overtakenUntilMs, (LAST_PRIORITY - 1) * AGEING_MS);
  });

  it("takes an item again that was removed from its front, as the last of its priority", () => {
    const queue = new TaskQueue<Item>();
    const [first, second] = [0, 1].map((id) => ({ id, priority: 3, atMs: 0 })) as [Item, Item];
    queue.push(first, 3, 0);
    queue.push(second, 3, 0);
    assert.equal(queue.shift(), first);
    queue.push(first, 3, 0);
    assert.deepEqual([queue.shift(), queue.shift(), queue.shift()], [second, first, undefined]);
  });
});
