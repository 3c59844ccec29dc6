import assert from "node:assert/strict";
import fc from "fast-check";
import { type PageScope, pageTokenAfter, rowBefore } from "../../../gateway/service/page-token.ts";

const scopes: fc.Arbitrary<PageScope> = fc.array(fc.oneof(fc.string(), fc.integer(), fc.constant(undefined)), { maxLength: 5 });

describe("page token", () => {
  it("leads back to the row after which it was made", () => {
    fc.assert(fc.property(scopes, fc.uuid(), (scope, id) => assert.equal(rowBefore(scope, pageTokenAfter(scope, id)), id)));
  });

  it("is none when it is empty", () => {
    assert.equal(rowBefore(["runs"], ""), undefined);
  });

  it("is refused with another filter", () => {
    fc.assert(
      fc.property(scopes, scopes, fc.uuid(), (scope, other, id) => {
        fc.pre(JSON.stringify(scope) !== JSON.stringify(other));
        assert.throws(() => rowBefore(other, pageTokenAfter(scope, id)), { code: "PAGE_TOKEN_INVALID" });
      }),
    );
  });

  it("is refused when any of its characters was changed, left out or added", () => {
    const characters = fc.constantFrom(..."ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+/=. \n\0é");
    const change = fc.record({ at: fc.nat(40), remove: fc.nat(2), insert: fc.array(characters, { maxLength: 2 }) });
    fc.assert(
      fc.property(scopes, fc.uuid(), change, (scope, id, { at, remove, insert }) => {
        const token = pageTokenAfter(scope, id);
        const changed = token.slice(0, at) + insert.join("") + token.slice(at + remove);
        fc.pre(changed !== token && changed !== "");
        assert.throws(() => rowBefore(scope, changed), { code: "PAGE_TOKEN_INVALID" });
      }),
      { numRuns: 2_000 },
    );
  });

  it("is refused when it is any other text", () => {
    fc.assert(
      fc.property(scopes, fc.string({ minLength: 1 }), (scope, text) => assert.throws(() => rowBefore(scope, text), { code: "PAGE_TOKEN_INVALID" })),
    );
  });

  it("says which field is wrong", () => {
    assert.throws(() => rowBefore(["runs"], "x"), { violations: [{ field: "page_token", description: "it is not complete." }] });
  });
});
