/** How long events are gathered: soon sent while there are few, many at once while there are many. */
import assert from "node:assert/strict";
import { Gathering } from "../../../actors/events/gathering.ts";

const SHORTEST_MS = 1;
const LONGEST_MS = 4;

/** The delay after writes of `count` events each `everyMs`. */
function delayAfter(writes: number, count: number, everyMs: number): number {
  const gathering = new Gathering(0);
  for (let number = 1; number <= writes; number++) gathering.wrote(count, number * everyMs);
  return gathering.delayMs;
}

describe("the gathering of events", () => {
  it("is short in the beginning, and while there are few", () => {
    assert.equal(new Gathering(0).delayMs, SHORTEST_MS);
    assert.equal(delayAfter(100, 2, 2), SHORTEST_MS);
  });

  it("grows with the rate, and has a bound", () => {
    const delays = [2, 6, 10, 1_000].map((rate) => delayAfter(20, rate * 5, 5));
    assert.deepEqual(
      delays,
      [...delays].sort((a, b) => a - b),
    );
    assert.ok((delays[1] as number) > SHORTEST_MS && (delays[2] as number) < LONGEST_MS, `${delays}`);
    assert.equal(delays[3], LONGEST_MS);
  });

  it("is short again after a burst", () => {
    const gathering = new Gathering(0);
    for (let number = 1; number <= 10; number++) gathering.wrote(200, number * 10);
    assert.equal(gathering.delayMs, LONGEST_MS);
    for (let number = 1; number <= 5; number++) gathering.wrote(1, 100 + number * 100);
    assert.equal(gathering.delayMs, SHORTEST_MS);
  });

  it("takes writes of one and the same moment for those of a millisecond", () => {
    const gathering = new Gathering(5);
    gathering.wrote(4, 5);
    for (let number = 1; number <= 5; number++) gathering.wrote(1, 5 + number * 100);
    assert.equal(gathering.delayMs, SHORTEST_MS);
  });
});
