/** The queue of due timers against a plain reference model. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { DueQueue } from "../../../actors/timers/due-queue.ts";

type Step =
  | { readonly kind: "set"; readonly key: number; readonly due: number }
  | { readonly kind: "delete"; readonly key: number }
  | { readonly kind: "take"; readonly now: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant("set" as const), key: fc.nat(20), due: fc.nat(100) }),
  fc.record({ kind: fc.constant("delete" as const), key: fc.nat(20) }),
  fc.record({ kind: fc.constant("take" as const), now: fc.nat(100) }),
);

describe("the queue of due timers", () => {
  it("gives what is due, the soonest first, each key once", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
        const queue = new DueQueue<number>();
        const model = new Map<number, number>();
        for (const action of steps) {
          if (action.kind === "set") {
            queue.set(action.key, action.due);
            model.set(action.key, action.due);
          } else if (action.kind === "delete") {
            queue.delete(action.key);
            model.delete(action.key);
          } else {
            const soonest = Math.min(...model.values());
            const taken = queue.take(action.now);
            if (taken === undefined) assert.ok(!(soonest <= action.now), "something is due");
            else {
              assert.equal(model.get(taken), soonest);
              assert.ok(soonest <= action.now);
              model.delete(taken);
            }
          }
          assert.equal(queue.size, model.size);
          assert.equal(queue.nextDueAtMs(), model.size === 0 ? undefined : Math.min(...model.values()));
        }
      }),
    );
  });
});
