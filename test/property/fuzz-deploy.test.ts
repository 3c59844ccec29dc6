import assert from "node:assert/strict";
import { compileExpression } from "../../actors/language/jq/compile-expression.ts";
import { MaestroError } from "../../runtime/errors.ts";
import { fuzzBriefly, fuzzUntilNoticed } from "../fuzz/briefly.ts";
import { documentTarget } from "../fuzz/deploy/document-target.ts";
import { expressionTarget } from "../fuzz/deploy/expression-target.ts";
import { compileText } from "../support/compile-document.ts";

describe("hostile documents", function () {
  this.timeout(60_000);

  it("compile, or are refused with what is wrong", () => fuzzBriefly(documentTarget()));

  it("are noticed if the compiler throws something of its own", async () => {
    const breaking = documentTarget(undefined, async (text) => {
      if (text.includes("constructor")) throw new RangeError("Maximum call stack size exceeded");
      return compileText(text);
    });
    await fuzzUntilNoticed(breaking, /RangeError/);
  });

  it("are noticed if a refusal names nothing", async () => {
    const silent = documentTarget(undefined, (text) => compileText(text).catch(() => Promise.reject(new MaestroError("DOCUMENT_INVALID"))));
    await fuzzUntilNoticed(silent, /the violations are named/);
  });

  it("are noticed if they reach a prototype", async () => {
    const polluting = documentTarget(undefined, (text) => {
      if (text.includes("__proto__")) Reflect.set(Object.prototype, "polluted", true);
      return compileText(text);
    });
    try {
      await fuzzUntilNoticed(polluting, /Object\.prototype was changed/);
    } finally {
      Reflect.deleteProperty(Object.prototype, "polluted");
    }
  });
});

describe("hostile expressions", function () {
  this.timeout(60_000);

  it("are refused, or give JSON, fault or are left to the reference", () => fuzzBriefly(expressionTarget()));

  it("are noticed if they give what is no JSON", async () => {
    const wrong = expressionTarget((source) => ({ ...compileExpression(source), evaluate: () => undefined as unknown as null }));
    await fuzzUntilNoticed(wrong, /SyntaxError|JSON/);
  });

  it("are noticed if they change their input", async () => {
    const changing = expressionTarget((source) => {
      const expression = compileExpression(source);
      return { ...expression, evaluate: (scope) => Reflect.set(Object(scope.data), "a", 2) && expression.evaluate(scope) };
    });
    await fuzzUntilNoticed(changing, /the input is not changed/);
    assert.equal(compileExpression(".a").external, false);
  });
});
