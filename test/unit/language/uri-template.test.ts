import assert from "node:assert/strict";
import fc from "fast-check";
import type { Json } from "../../../actors/json.ts";
import { ExpressionFault, type Scope } from "../../../actors/language/expression.ts";
import { UriTemplate } from "../../../actors/language/uri-template.ts";

function scopeOf(data: Json): Scope {
  return { data, variable: () => undefined, answer: () => undefined };
}

function expand(text: string, data: Json): Json {
  const template = UriTemplate.parse(text);
  assert.ok(!("fault" in template), JSON.stringify(template));
  return template.evaluate(scopeOf(data));
}

describe("URI templates", () => {
  it("puts in the top-level fields of the input", () => {
    const data = { petId: 7, ok: true, none: null, "pet.id": "x", name: "a b/c?d#e" };
    assert.equal(expand("https://host/pet/{petId}/{ok}", data), "https://host/pet/7/true");
    assert.equal(expand("https://host/{name}", data), "https://host/a%20b%2Fc%3Fd%23e");
    assert.equal(expand("https://host/{pet.id}", data), "https://host/x");
    assert.equal(expand("https://host/{none}/{missing}/x", data), "https://host///x");
    assert.equal(expand("https://host/{petId}", null), "https://host/");
    assert.equal(expand("https://host/{toString}", {}), "https://host/");
  });

  it("encodes whatever could change the shape of the URI", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", minLength: 1 }), (value) => {
        fc.pre(!/^\.{1,2}$/.test(value));
        const uri = String(expand("https://host:8080/a/{value}/b", { value }));
        assert.match(uri, /^https:\/\/host:8080\/a\/[A-Za-z0-9._~%-]+\/b$/);
        assert.equal(decodeURIComponent(new URL(uri).pathname.split("/")[2] ?? ""), value);
      }),
    );
  });

  it("refuses values that would climb out of the path, and values that are no scalars", () => {
    for (const value of [".", "..", {}, []]) {
      assert.throws(() => expand("https://host/pet/{value}/photo", { value }), ExpressionFault);
    }
  });

  it("is a constant if it has no variables", () => {
    const template = UriTemplate.parse("https://host/pets");
    assert.ok(!("fault" in template));
    assert.equal(template.constant, "https://host/pets");
  });

  const wrong = [
    ["/relative", /absolute URI/],
    ["ftp://host/x", /absolute URI/],
    ["https://", /absolute URI/],
    ["https://host/{open", /brace/],
    ["https://host/{a}}", /brace/],
    ["https://host/{+path}", /plain form/],
    ["https://host/{?q}", /plain form/],
    ["https://host/{a,b}", /plain form/],
    ["https://host/{a*}", /plain form/],
    ["https://host/{}", /plain form/],
  ] as const;
  for (const [text, reason] of wrong) {
    it(`refuses ${text}`, () => {
      const result = UriTemplate.parse(text);
      assert.ok("fault" in result);
      assert.match(result.fault, reason);
    });
  }
});
