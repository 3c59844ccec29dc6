import assert from "node:assert/strict";
import fc from "fast-check";
import { messageOf } from "../../../runtime/errors.ts";
import { LIMITS } from "../../../runtime/limits.ts";
import { bytesAbove, cutText, jsonText } from "../../../runtime/workers/bounded-text.ts";
import { TaskError } from "../../../runtime/workers/define-task.ts";
import { attemptError } from "../../../runtime/workers/thrown-error.ts";

describe("bounded text", () => {
  it("counts bytes above the limit exactly as UTF-8 does", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.nat(50), (text, limit) => {
        const bytes = Buffer.byteLength(text);
        assert.equal(bytesAbove(text, limit), bytes > limit ? bytes : 0);
      }),
    );
  });

  it("cuts at a whole character and says how much is missing", () => {
    assert.equal(cutText("abc", 3), "abc");
    assert.equal(cutText("abcd", 3), "abc… (1 bytes cut)");
    assert.equal(cutText("ä".repeat(3), 3), "ä… (3 bytes cut)");
  });

  it("says why a value is not JSON", () => {
    assert.deepEqual(jsonText(undefined, 10), { text: "null" });
    assert.deepEqual(jsonText({ a: 1 }, 10), { text: '{"a":1}' });
    const reason = (value: unknown): string => {
      const text = jsonText(value, 10);
      return "reason" in text ? text.reason : assert.fail("it is JSON");
    };
    assert.match(
      reason(() => 1),
      /function/,
    );
    assert.match(reason(1n), /BigInt/);
    assert.match(reason("0123456789"), /has 12 bytes as JSON; at most 10/);
    const talkative = (): never => {
      throw new Error(`\ud800${"x".repeat(100_000)}`);
    };
    assert.ok(reason({ toJSON: talkative }).length < 1_200, "bounded");
    assert.ok(reason({ toJSON: talkative }).isWellFormed());
  });
});

describe("thrown error", () => {
  it("keeps what a TaskError says, and knows one by its shape", () => {
    const detail = { type: "https://example.org/x", status: 409, title: "X", details: { a: 1 }, retryable: false };
    const { stack, ...error } = attemptError("thrown", new TaskError("no", detail));
    assert.match(stack ?? "", /TaskError: no/);
    assert.deepEqual(error, { kind: "refused", message: "no", type: "https://example.org/x", status: 409, title: "X", details: '{"a":1}' });
    assert.equal(attemptError("thrown", { name: "TaskError", message: "no", retryable: false }).kind, "refused");
    assert.equal(attemptError("thrown", new TaskError("again")).kind, "thrown");
    assert.equal(attemptError("crashed", new TaskError("no", { retryable: false })).kind, "crashed");
  });

  it("makes something of whatever is thrown", () => {
    assert.equal(attemptError("thrown", "text").message, "text");
    assert.equal(attemptError("thrown", undefined).message, "null");
    assert.equal(attemptError("thrown", { code: 1 }).message, '{"code":1}');
    assert.equal(attemptError("thrown", new RangeError()).message, "RangeError");
    assert.equal(attemptError("thrown", "x".repeat(100_000)).message.length, 100_000);
    assert.ok(Buffer.byteLength(attemptError("thrown", "x".repeat(1_000_000)).message) < LIMITS.errorTextBytes + 50);
  });

  it("takes a status from 100 to 599 only, and 500 for any other number", () => {
    const statusOf = (status: number): number | undefined => attemptError("thrown", new TaskError("no", { status })).status;
    assert.deepEqual([100, 404, 599].map(statusOf), [100, 404, 599]);
    for (const status of [Number.NaN, Number.POSITIVE_INFINITY, 0, -1, 99, 600, 404.5, 2 ** 40]) assert.equal(statusOf(status), 500, String(status));
  });

  it("survives what can't be looked at", () => {
    const thrower = (): never => {
      throw new Error("from inside");
    };
    const trapped = new Proxy({}, { get: thrower, has: thrower, getPrototypeOf: thrower, ownKeys: thrower, getOwnPropertyDescriptor: thrower });
    const unreadable = Object.defineProperties(new TaskError("no"), { message: { get: thrower }, stack: { get: thrower } });
    for (const thrown of [
      trapped,
      unreadable,
      Object.create(null),
      { toJSON: thrower, toString: thrower },
      Symbol("s"),
      Object.assign(new Error("x"), { message: {} }),
    ]) {
      assert.equal(typeof attemptError("thrown", thrown).message, "string");
      assert.equal(typeof messageOf(thrown), "string");
    }
    const hostile = {
      toJSON: () => {
        throw trapped;
      },
    };
    assert.match(JSON.stringify(jsonText(hostile, 10)), /is not JSON/);
    assert.equal(attemptError("thrown", Object.defineProperty(new TaskError("no"), "details", { get: thrower })).message, "no");
  });

  it("is text that UTF-8 can hold", () => {
    assert.equal(attemptError("thrown", new Error("half \ud83d")).message, "half \ufffd");
  });
});
