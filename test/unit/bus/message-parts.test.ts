/** Calls in pieces: whoever was let in gets to the end of its call, whatever others send. */
import assert from "node:assert/strict";
import { type MessagePart, PartialCalls, partsOf } from "../../../runtime/bus/message-parts.ts";
import { virtualClock } from "../../../runtime/clock.ts";
import { MaestroError } from "../../../runtime/errors.ts";
import { LIMITS } from "../../../runtime/limits.ts";
import { seededRandom } from "../../../runtime/random.ts";

const PIECE = LIMITS.callPartBytes;

describe("calls in pieces", () => {
  const random = seededRandom(1);
  const isOverloaded = (error: unknown): boolean => error instanceof MaestroError && error.code === "NODE_OVERLOADED";
  const isInvalid = (error: unknown): boolean => error instanceof MaestroError && error.code === "FIELD_INVALID";
  const partsOfBytes = (bytes: number): readonly MessagePart[] => partsOf(Buffer.alloc(bytes, 7), random);

  it("are whole when their last piece is there, also if some come twice", () => {
    const calls = new PartialCalls(virtualClock());
    const payload = Buffer.from(Array.from({ length: 3 * PIECE - 1 }, (_, place) => place % 251));
    const [first, second, third] = partsOf(payload, random) as [MessagePart, MessagePart, MessagePart];
    for (const part of [first, second, first]) assert.equal(calls.add(part), undefined);
    assert.deepEqual(Buffer.compare(calls.add(third) ?? Buffer.alloc(0), payload), 0);
  });

  it("have room for all of their pieces from the first on, so that those who are let in get to their end", () => {
    const calls = new PartialCalls(virtualClock());
    const senders = Array.from({ length: LIMITS.partialCallBytes / PIECE }, () => partsOfBytes(4 * PIECE));
    const isLetIn = senders.map(([first]) => {
      try {
        calls.add(first as MessagePart);
        return true;
      } catch (error) {
        assert.ok(isOverloaded(error));
        return false;
      }
    });
    assert.equal(isLetIn.filter(Boolean).length, senders.length / 4);
    for (const [index, parts] of senders.entries()) {
      if (!isLetIn[index]) continue;
      const answers = parts.slice(1).map((part) => calls.add(part)?.length);
      assert.equal(answers.at(-1), 4 * PIECE);
    }
    assert.equal(calls.add(partsOfBytes(4 * PIECE)[0] as MessagePart), undefined, "their room is free again");
  });

  it("lose their room when the next piece does not come, and begin anew", () => {
    const clock = virtualClock();
    const calls = new PartialCalls(clock);
    const [first, second] = partsOfBytes(2 * PIECE) as [MessagePart, MessagePart];
    calls.add(first);
    clock.advance(10_000);
    assert.throws(() => calls.add(second), isOverloaded);
    const large = partsOfBytes(LIMITS.partialCallBytes);
    for (const part of large.slice(0, -1)) assert.equal(calls.add(part), undefined);
    assert.equal(calls.add(large.at(-1) as MessagePart)?.length, LIMITS.partialCallBytes);
  });

  it("are refused if they are none", () => {
    const calls = new PartialCalls(virtualClock());
    const [part] = partsOfBytes(2 * PIECE) as [MessagePart];
    const wrong = [{ count: 0 }, { count: 1_000_000 }, { place: 2 }, { place: -1 }, { bytes: Buffer.alloc(0) }, { bytes: Buffer.alloc(PIECE + 1) }];
    for (const more of wrong) assert.throws(() => calls.add({ ...part, ...more }), isInvalid);
    calls.add(part);
    assert.throws(() => calls.add({ ...part, count: 3 }), isInvalid);
  });
});
