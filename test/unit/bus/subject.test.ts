import assert from "node:assert/strict";
import fc from "fast-check";
import { subjectMatcher } from "../../../runtime/bus/subject.ts";

const token = fc.constantFrom("a", "b", "c");

/** The definition, one token at a time. */
function matches(pattern: readonly string[], subject: readonly string[]): boolean {
  const [wanted, ...rest] = pattern;
  const [found, ...others] = subject;
  if (wanted === undefined || found === undefined) return wanted === found;
  if (wanted === ">" && rest.length === 0) return true;
  return (wanted === "*" || wanted === found) && matches(rest, others);
}

describe("subjectMatcher", () => {
  it("agrees with the definition", () => {
    const pattern = fc.tuple(fc.array(fc.oneof(token, fc.constant("*")), { maxLength: 3 }), fc.oneof(token, fc.constant("*"), fc.constant(">")));
    fc.assert(
      fc.property(pattern, fc.array(token, { minLength: 1, maxLength: 5 }), ([head, last], subject) => {
        const tokens = [...head, last];
        assert.equal(subjectMatcher(tokens.join("."))(subject.join(".")), matches(tokens, subject));
      }),
    );
  });
});
