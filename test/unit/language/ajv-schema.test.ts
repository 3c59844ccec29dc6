import assert from "node:assert/strict";
import { SchemaCompiler } from "../../../actors/language/ajv-schema.ts";
import { LIMITS } from "../../../runtime/limits.ts";

describe("JSON Schemas", () => {
  const compiler = new SchemaCompiler();

  it("says what is wrong by JSON pointer", () => {
    const check = compiler.compile({
      type: "object",
      required: ["id"],
      properties: { id: { type: "integer" }, state: { enum: ["new", "old"] }, kind: { const: 1 } },
      additionalProperties: false,
    });
    assert.deepEqual(check.check({ id: 1 }), []);
    assert.deepEqual(check.check({ id: "1", state: "x", kind: 2, more: true }), [
      'the value must NOT have additional properties: "more"',
      "/id must be integer",
      '/state must be equal to one of the allowed values: ["new","old"]',
      "/kind must be equal to constant: 1",
    ]);
    assert.deepEqual(check.check({}), ["the value must have required property 'id'"]);
  });

  it("reports a bounded number of problems", () => {
    const check = compiler.compile({ items: { type: "string" } });
    const problems = check.check(Array.from({ length: 50 }, () => 1));
    assert.equal(problems.length, LIMITS.schemaProblems + 1);
    assert.equal(problems.at(-1), `and ${50 - LIMITS.schemaProblems} more`);
  });

  it("takes unknown keywords and formats as annotations, and draft 2020-12 keywords as rules", () => {
    const check = compiler.compile({ "x-note": 1, format: "no-such-format", prefixItems: [{ type: "string" }], items: false });
    assert.deepEqual(check.check(["a"]), []);
    assert.equal(check.check(["a", "b"]).length, 1);
  });

  it("follows references within the schema, also with the same $id in two schemas", () => {
    for (const type of ["string", "number"]) {
      const check = compiler.compile({ $id: "https://example.com/a", $ref: "#/$defs/x", $defs: { x: { type } } });
      assert.deepEqual(check.check(type === "string" ? "a" : 1), []);
      assert.deepEqual(check.check(true), [`the value must be ${type}`]);
    }
  });

  it("takes a bounded number of different schemas, and any number of uses of one", () => {
    const many = new SchemaCompiler();
    for (let index = 0; index < LIMITS.documentSchemas; index += 1) many.compile({ const: index });
    many.compile({ const: 0 });
    assert.throws(() => many.compile({ const: "one more" }), /more than 200 different schemas/);
  });

  it("compiles the same schema once", () => {
    assert.equal(compiler.compile({ type: "null" }), compiler.compile({ type: "null" }));
  });

  const wrong = [
    [{ type: "strnig" }, /type/],
    [{ $ref: "https://example.com/schema.json" }, /can refer only to itself/],
    [{ $schema: "http://json-schema.org/draft-07/schema#" }, /only draft 2020-12/],
    [{ pattern: "(" }, /regular expression/i],
    [{ description: "x".repeat(LIMITS.schemaBytes) }, /bytes/],
    ["string", /is a mapping/],
    [{ $async: true }, /\$async/],
  ] as const;
  for (const [schema, reason] of wrong) {
    it(`refuses ${JSON.stringify(schema).slice(0, 60)}`, () =>
      assert.throws(
        () => compiler.compile(schema),
        (error: unknown) => error instanceof Error && error.name === "SchemaFault" && reason.test(error.message),
      ));
  }
});
