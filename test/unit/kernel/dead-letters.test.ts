import assert from "node:assert/strict";
import { virtualClock } from "../../../runtime/clock.ts";
import { EventHub, type RuntimeEvents } from "../../../runtime/events.ts";
import { DeadLetters } from "../../../runtime/kernel/dead-letters.ts";
import { LIMITS } from "../../../runtime/limits.ts";

function setUp() {
  const clock = virtualClock();
  const events = new EventHub();
  const seen: RuntimeEvents["message.dead"][] = [];
  events.on("message.dead", (event) => seen.push(event));
  return { clock, seen, letters: new DeadLetters(clock, events) };
}

describe("DeadLetters", () => {
  it("report the first of a reason at once, and then one event a second with the number suppressed", () => {
    const { clock, seen, letters } = setUp();
    for (let index = 0; index < 5; index++) letters.record("/a", "full", {});
    letters.record("/b", "stopped", {});
    clock.advance(1_000);
    letters.record("/c", "full", {});
    assert.deepEqual(seen, [
      { path: "/a", reason: "full", suppressed: 0 },
      { path: "/b", reason: "stopped", suppressed: 0 },
      { path: "/c", reason: "full", suppressed: 4 },
    ]);
  });

  it("count by reason, and keep the latest within their bound", () => {
    const { letters } = setUp();
    for (let index = 0; index < LIMITS.deadLetters + 10; index++) letters.record(`/${index}`, "full", {});
    letters.record("/last", "stopped", {});
    assert.equal(letters.count("full"), LIMITS.deadLetters + 10);
    assert.equal(letters.count(), LIMITS.deadLetters + 11);
    assert.equal(letters.list().length, LIMITS.deadLetters);
    assert.equal(letters.list()[0]?.path, "/11");
    assert.equal(letters.list().at(-1)?.path, "/last");
  });

  it("describe a message by its kind, its type, or its JavaScript type, and do not keep it", () => {
    const { letters } = setUp();
    for (const message of [{ kind: "start", secret: 1 }, { type: "tick" }, { other: 1 }, "text", null, undefined])
      letters.record("/a", "full", message);
    assert.deepEqual(
      letters.list().map((letter) => letter.message),
      ["start", "tick", "object", "string", "null", "undefined"],
    );
    assert.ok(!JSON.stringify(letters.list()).includes("secret"));
  });
});
