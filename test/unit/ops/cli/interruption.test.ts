import assert from "node:assert/strict";
import { Interruption } from "../../../../ops/cli/interruption.ts";
import { virtualClock } from "../../../../runtime/clock.ts";

describe("interruptions of a command", () => {
  const clock = virtualClock();
  const next = (interruption: Interruption): string => {
    clock.advance(1_000);
    return interruption.note();
  };

  it("stop in order, hurry, end at once", () => {
    const interruption = new Interruption(clock);
    const hurried = interruption.hurried();
    const told: unknown[] = [];
    for (let count = 0; count < 4; count++) told.push([next(interruption), interruption.interrupted.aborted, hurried.aborted]);
    assert.deepEqual(told, [
      ["go on", true, false],
      ["go on", true, true],
      ["end at once", true, true],
      ["end at once", true, true],
    ]);
  });

  it("end a command that knows no hurry with the second", () => {
    const interruption = new Interruption(clock);
    assert.deepEqual([next(interruption), next(interruption)], ["go on", "end at once"]);
  });

  it("count as one when they come together, as from a group of processes", () => {
    const interruption = new Interruption(clock);
    const hurried = interruption.hurried();
    assert.deepEqual([next(interruption), interruption.note(), interruption.note()], ["go on", "go on", "go on"]);
    assert.equal(hurried.aborted, false);
  });

  it("come of a broken output once, for a command that takes time to stop", () => {
    const interruption = new Interruption(clock);
    const hurried = interruption.hurried();
    for (let count = 0; count < 3; count++) {
      clock.advance(1_000);
      assert.equal(interruption.noteOutputLost(), "go on");
    }
    assert.deepEqual([interruption.interrupted.aborted, hurried.aborted], [true, false]);
    assert.deepEqual([next(interruption), hurried.aborted], ["go on", true]);
  });

  it("let a command that only answers end with its output, unless it is stopping", () => {
    const interruption = new Interruption(clock);
    assert.equal(interruption.noteOutputLost(), "end at once");
    assert.deepEqual([next(interruption), interruption.noteOutputLost()], ["go on", "go on"]);
  });
});
