import assert from "node:assert/strict";
import fc from "fast-check";
import { Mailbox, MailboxPool } from "../../../runtime/kernel/mailbox.ts";
import { Ring } from "../../../runtime/kernel/ring.ts";

describe("Ring", () => {
  it("behaves like an array that is pushed, unshifted and shifted", () => {
    const step = fc.oneof(
      { weight: 4, arbitrary: fc.record({ do: fc.constant("push" as const), item: fc.integer() }) },
      { weight: 2, arbitrary: fc.record({ do: fc.constant("unshift" as const), item: fc.integer() }) },
      { weight: 4, arbitrary: fc.record({ do: fc.constant("shift" as const), item: fc.constant(0) }) },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 400, size: "max" }), (steps) => {
        const ring = new Ring<number>();
        const model: number[] = [];
        for (const { do: operation, item } of steps) {
          if (operation === "shift") assert.equal(ring.shift(), model.shift());
          else {
            ring[operation](item);
            model[operation](item);
          }
          assert.equal(ring.length, model.length);
        }
        while (model.length > 0) assert.equal(ring.shift(), model.shift());
        assert.equal(ring.shift(), undefined);
      }),
    );
  });

  it("keeps order after a long queue emptied and gave its array back", () => {
    const ring = new Ring<number>();
    for (let item = 0; item < 1_000; item++) ring.push(item);
    for (let item = 0; item < 1_000; item++) assert.equal(ring.shift(), item);
    ring.push(1);
    ring.unshift(0);
    assert.deepEqual([ring.shift(), ring.shift(), ring.shift()], [0, 1, undefined]);
  });
});

describe("Mailbox", () => {
  it("never holds more offered messages than its limit, and refuses instead", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20 }), fc.array(fc.boolean(), { maxLength: 200 }), (limit, offers) => {
        const mailbox = new Mailbox<never>();
        const model: number[] = [];
        for (const [index, isOffer] of offers.entries()) {
          if (!isOffer) {
            assert.equal(mailbox.takeMessage(), model.shift());
            continue;
          }
          assert.equal(mailbox.offer(index, limit), model.length < limit);
          if (model.length < limit) model.push(index);
          assert.equal(mailbox.messages, model.length);
        }
      }),
    );
  });

  it("keeps the lanes apart, each in its order", () => {
    const mailbox = new Mailbox<string>();
    mailbox.offer("m1", 10);
    mailbox.pushSignal("s1");
    mailbox.offer("m2", 10);
    mailbox.pushSignal("s2");
    assert.deepEqual([mailbox.takeSignal(), mailbox.takeSignal(), mailbox.takeSignal()], ["s1", "s2", undefined]);
    assert.deepEqual([mailbox.takeMessage(), mailbox.takeMessage()], ["m1", "m2"]);
    assert.equal(mailbox.isEmpty, true);
  });

  it("takes reserved messages beyond the limit, and puts messages back in front in their order", () => {
    const mailbox = new Mailbox<never>();
    mailbox.offer(3, 1);
    mailbox.pushReserved(4);
    mailbox.putBack([1, 2]);
    assert.deepEqual(
      [1, 2, 3, 4].map(() => mailbox.takeMessage()),
      [1, 2, 3, 4],
    );
  });

  it("carries undefined as a message", () => {
    const mailbox = new Mailbox<never>();
    mailbox.offer(undefined, 1);
    assert.equal(mailbox.messages, 1);
  });
});

describe("MailboxPool", () => {
  it("lends the mailbox again that was given back", () => {
    const pool = new MailboxPool<never>();
    const mailbox = pool.take();
    pool.giveBack(mailbox);
    assert.equal(pool.take(), mailbox);
    assert.notEqual(pool.take(), mailbox);
  });
});
