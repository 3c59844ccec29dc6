import assert from "node:assert/strict";
import fc from "fast-check";
import { DurationFault, parseDuration } from "../../../actors/language/duration.ts";

const UNITS = [
  ["W", 604_800_000, "date"],
  ["D", 86_400_000, "date"],
  ["H", 3_600_000, "time"],
  ["M", 60_000, "time"],
  ["S", 1_000, "time"],
] as const;

describe("durations", () => {
  const right: readonly (readonly [Parameters<typeof parseDuration>[0], number])[] = [
    ["PT30S", 30_000],
    ["PT0.5S", 500],
    ["PT0,25S", 250],
    ["PT1.5H", 5_400_000],
    ["P1D", 86_400_000],
    ["P2W", 1_209_600_000],
    ["P1DT2H3M4.005S", 93_784_005],
    ["PT0S", 0],
    ["PT0.0006S", 1],
    [{ seconds: 0.0014 }, 1],
    [{ seconds: 30 }, 30_000],
    [{ days: 1, hours: 2, minutes: 3, seconds: 4, milliseconds: 5 }, 93_784_005],
    [{ milliseconds: 0 }, 0],
  ];
  for (const [value, durationMs] of right) {
    it(`reads ${JSON.stringify(value)} as ${durationMs} ms`, () => assert.equal(parseDuration(value), durationMs));
  }

  const wrong: readonly (readonly [Parameters<typeof parseDuration>[0], RegExp])[] = [
    ["P1Y", /years or months.*use days or weeks/],
    ["P2M", /years or months/],
    ["P1Y2M3DT4H", /years or months/],
    ["P", /not an ISO 8601 duration/],
    ["PT", /not an ISO 8601 duration/],
    ["P1DT", /not an ISO 8601 duration/],
    ["1h", /not an ISO 8601 duration/],
    ["PT1H30", /not an ISO 8601 duration/],
    ["-PT1S", /not an ISO 8601 duration/],
    ["pt1s", /not an ISO 8601 duration/],
    ["", /not an ISO 8601 duration/],
    [`PT${"1".repeat(200)}S`, /too long/],
    ["P40000D", /longer than 100 years/],
    [30, /not 30$/],
    [null, /not null$/],
    [["PT1S"], /ISO 8601 text/],
    [{}, /empty/],
    [{ second: 1 }, /no "second"/],
    [{ years: 1 }, /no "years"/],
    [{ seconds: "1" }, /seconds must be a number/],
    [{ seconds: -1 }, /0 or more/],
    [JSON.parse('{"__proto__": 1}'), /no "__proto__"/],
  ];
  for (const [value, reason] of wrong) {
    it(`refuses ${JSON.stringify(value).slice(0, 40)}`, () =>
      assert.throws(
        () => parseDuration(value),
        (error: unknown) => error instanceof DurationFault && reason.test(error.message),
      ));
  }

  it("adds up the parts of any text that it could have written", () => {
    const amounts = fc.tuple(fc.nat(9), fc.nat(99), fc.nat(99), fc.nat(99), fc.nat(99_999));
    fc.assert(
      fc.property(amounts, ([weeks, days, hours, minutes, milliseconds]) => {
        const values = [weeks, days, hours, minutes, milliseconds / 1_000];
        const part = (wanted: string) => UNITS.map(([unit, , where], index) => (where === wanted ? `${values[index]}${unit}` : "")).join("");
        const expected = UNITS.reduce((sum, [, unitMs], index) => sum + (values[index] ?? 0) * unitMs, 0);
        assert.equal(parseDuration(`P${part("date")}T${part("time")}`), Math.round(expected));
      }),
    );
  });

  it("gives a text and an object of the same amounts the same length, and stays within its bound or says why", () => {
    fc.assert(
      fc.property(fc.nat(50_000), fc.nat(100), fc.nat(100), fc.nat(100), (days, hours, minutes, seconds) => {
        const object = { days, hours, minutes, seconds };
        const text = `P${days}DT${hours}H${minutes}M${seconds}S`;
        const attempt = (value: Parameters<typeof parseDuration>[0]): number | string => {
          try {
            return parseDuration(value);
          } catch (error) {
            assert.ok(error instanceof DurationFault);
            return error.message;
          }
        };
        assert.equal(attempt(text), attempt(object));
        if (typeof attempt(text) === "number") assert.ok(Number(attempt(text)) <= 36_500 * 86_400_000);
      }),
    );
  });

  it("never throws anything but its own fault", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        try {
          assert.ok(parseDuration(value as Parameters<typeof parseDuration>[0]) >= 0);
        } catch (error) {
          assert.ok(error instanceof DurationFault, String(error));
        }
      }),
    );
  });
});
