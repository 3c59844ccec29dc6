import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { quote, refusal } from "../src/tariff.ts";

describe("tariff", () => {
  it("charges every started kilogram and every started 100 km", () => {
    assert.equal(quote({ weightGrams: 1, distanceKm: 0, express: false }).total, 475);
    assert.equal(quote({ weightGrams: 1000, distanceKm: 100, express: false }).total, 535);
    assert.equal(quote({ weightGrams: 1001, distanceKm: 101, express: false }).total, 680);
  });

  it("adds half for express", () => {
    const { total, express } = quote({ weightGrams: 2000, distanceKm: 250, express: true });
    assert.deepEqual([express, total], [370, 1110]);
  });

  it("never gets cheaper when a parcel gets heavier", () => {
    let before = 0;
    for (let weightGrams = 1; weightGrams <= 31_500; weightGrams += 7) {
      const { total } = quote({ weightGrams, distanceKm: 300, express: true });
      assert.ok(total >= before, `at ${weightGrams} g`);
      before = total;
    }
  });

  it("refuses what it can't carry", () => {
    assert.equal(refusal({ weightGrams: 31_500, distanceKm: 1, express: false }), undefined);
    assert.match(refusal({ weightGrams: 31_501, distanceKm: 1, express: false }) ?? "", /31500/);
    assert.match(refusal({ weightGrams: Number.NaN, distanceKm: 1, express: false }) ?? "", /weightGrams/);
    assert.match(refusal({ weightGrams: 1, distanceKm: -1, express: false }) ?? "", /distanceKm/);
  });
});
