import assert from "node:assert/strict";
import { closest, hint, listed } from "../../../actors/language/suggest.ts";

describe("suggestions", () => {
  it("finds the name that was meant", () => {
    assert.equal(closest("endpiont", ["method", "endpoint", "headers"]), "endpoint");
    assert.equal(closest("Method", ["method"]), "method");
    assert.equal(closest("ouput", ["input", "output"]), "output");
    assert.equal(closest("exprot", ["export"]), "export");
  });

  it("suggests nothing when nothing is close", () => {
    assert.equal(closest("banana", ["method", "endpoint"]), undefined);
    assert.equal(closest("a", ["xyz"]), undefined);
    assert.equal(closest("x".repeat(100), ["x".repeat(99)]), undefined);
    assert.equal(closest("x", []), undefined);
  });

  it("lists what is known, cut where there is much", () => {
    assert.equal(hint("chrage", ["ship", "charge"]), " Did you mean charge? Known: ship, charge.");
    assert.equal(hint("x", []), "");
    assert.match(listed(Array.from({ length: 25 }, (_, index) => `n${index}`)), /n19 and 5 more$/);
  });
});
