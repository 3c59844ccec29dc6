/** What a comparison of two clocks shows, how certain it is, and when it is worth a warning. */
import assert from "node:assert/strict";
import fc from "fast-check";
import {
  type ClockOffset,
  type ClockRecord,
  type ClockVerdict,
  NOTHING_COMPARED,
  offsetOf,
  verdictAfter,
} from "../../../runtime/cluster/clock-offset.ts";
import { LIMITS } from "../../../runtime/limits.ts";

const LIMIT_MS = LIMITS.clockOffsetMs;
/** Comparisons after which an earlier one counts no more. */
const FORGOTTEN_AFTER = 5;

const shown = (offsetMs: number, uncertaintyMs = 1): ClockOffset => ({ offsetMs, uncertaintyMs });
const verdictOf = (offsets: readonly ClockOffset[], record: ClockRecord = NOTHING_COMPARED): ClockVerdict =>
  offsets.reduce<ClockRecord>((known, offset) => verdictAfter(known, offset), record) as ClockVerdict;
const times = (count: number, offset: ClockOffset): readonly ClockOffset[] => Array<ClockOffset>(count).fill(offset);

/** With microseconds. Random doubles would nearly all be tiny. */
const ms = (max: number) => fc.integer({ min: 0, max: 1_000 * max }).map((us) => us / 1_000);
/** Where in its uncertainty a comparison lies. */
const error = fc.integer({ min: -100, max: 100 }).map((percent) => percent / 100);

describe("the offset of a clock", () => {
  it("is that at the middle of the round trip, by half of which it may be wrong", () => {
    const answer = { sentAtMs: 2_000, receivedAtMs: 2_100, roundTripMs: 100, storeTimeMs: 50 };
    assert.deepEqual(offsetOf(answer), { offsetMs: 2_000, uncertaintyMs: 51 });
  });

  it("is never further from the truth than it says, whenever the store looked at its clock, though the machine was suspended or its clock leapt", () =>
    fc.assert(
      fc.property(
        fc.record({ sentMs: fc.integer({ min: 0, max: 1e6 }), outMs: ms(2_000), backMs: ms(2_000), shiftMs: ms(1e6) }),
        fc.oneof(
          fc.record({ suspendedMs: ms(1e6), isBeforeAnswer: fc.boolean(), leapMs: fc.constant(0) }),
          fc.record({ suspendedMs: fc.constant(0), isBeforeAnswer: fc.constant(false), leapMs: fc.integer({ min: -1e6, max: 1e6 }) }),
        ),
        ({ sentMs, outMs, backMs, shiftMs }, { suspendedMs, isBeforeAnswer, leapMs }) => {
          const storeTimeMs = sentMs + outMs + (isBeforeAnswer ? suspendedMs : 0);
          const overMs = sentMs + outMs + suspendedMs + backMs;
          const { offsetMs, uncertaintyMs } = offsetOf({
            ...{ storeTimeMs, roundTripMs: outMs + backMs },
            ...{ sentAtMs: Math.floor(sentMs + shiftMs), receivedAtMs: Math.floor(overMs + shiftMs + leapMs) },
          });
          const tooFarMs = Math.abs(offsetMs - (shiftMs + leapMs)) - uncertaintyMs;
          assert.ok(tooFarMs < 1e-6, `${tooFarMs} ms further than it says`);
        },
      ),
      { numRuns: 2_000 },
    ));

  it("is taken from the shortest of the last round trips", () => {
    assert.deepEqual(verdictOf([shown(300, 40), shown(10, 2), shown(200, 30)]).best, shown(10, 2));
    assert.deepEqual(verdictOf([shown(10), shown(20)]).best, shown(20), "the newer of equals");
    assert.deepEqual(verdictOf([shown(0, 2), ...times(FORGOTTEN_AFTER - 1, shown(900, 30))]).best, shown(0, 2));
    assert.deepEqual(verdictOf([shown(0, 2), ...times(FORGOTTEN_AFTER, shown(900, 30))]).best, shown(900, 30));
  });
});

describe("the verdict on a clock", () => {
  it("is a warning only of what is certain, ahead or behind", () => {
    for (const sign of [1, -1]) {
      assert.equal(verdictOf([shown(sign * (LIMIT_MS + 101), 100)]).isSkewed, true);
      assert.equal(verdictOf([shown(sign * (LIMIT_MS + 100), 100)]).isSkewed, false);
      assert.equal(verdictOf([shown(sign * 3_600_000, 3_600_000)]).isSkewed, false, "after a time without an answer nothing is known");
    }
  });

  it("stays until the clock is certainly well below the bound", () => {
    const skewed = verdictOf([shown(2_000, 5)]);
    for (const [offset, isSkewed] of [
      [shown(LIMIT_MS - 10), true],
      [shown(-LIMIT_MS / 2, 1), true],
      [shown(0, LIMIT_MS), true],
      [shown(LIMIT_MS / 2 - 6, 5), false],
      [shown(-LIMIT_MS / 2 + 6, 5), false],
    ] as const) {
      assert.equal(verdictOf(times(FORGOTTEN_AFTER, offset), skewed).isSkewed, isSkewed, `${offset.offsetMs} ± ${offset.uncertaintyMs}`);
    }
  });

  it("never warns of a clock within the bound, warns of one above it by the first precise comparison, and ends by one that shows it right", () =>
    fc.assert(
      fc.property(
        fc.integer({ min: -3 * LIMIT_MS, max: 3 * LIMIT_MS }),
        fc.array(fc.tuple(ms(2 * LIMIT_MS), error), { minLength: 1, maxLength: 30 }),
        (truthMs, readings) => {
          const offsets = readings.map(([uncertaintyMs, share]) => shown(truthMs + share * uncertaintyMs, uncertaintyMs));
          const { isSkewed } = verdictOf(offsets);
          if (Math.abs(truthMs) <= LIMIT_MS) assert.equal(isSkewed, false);
          const precise = shown(truthMs);
          assert.equal(verdictOf([...offsets, precise]).isSkewed, isSkewed || Math.abs(truthMs) - 1 > LIMIT_MS, "one precise comparison is enough");
          if (Math.abs(truthMs) + 1 < LIMIT_MS / 2) assert.equal(verdictOf([precise], verdictOf([shown(9_000)])).isSkewed, false);
        },
      ),
      { numRuns: 1_000 },
    ));

  it("changes once for each time that a clock is off, however it trembles at the bound", () =>
    fc.assert(
      fc.property(fc.array(fc.integer({ min: LIMIT_MS / 2, max: 1.5 * LIMIT_MS }), { minLength: 1, maxLength: 50 }), (offsetsMs) => {
        let [record, changes] = [NOTHING_COMPARED, 0];
        for (const offsetMs of offsetsMs) {
          const next = verdictAfter(record, shown(offsetMs));
          if (next.isSkewed !== record.isSkewed) changes++;
          record = next;
        }
        assert.ok(changes <= 1, `${changes} changes`);
      }),
    ));
});
