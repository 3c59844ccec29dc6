import assert from "node:assert/strict";
import fc from "fast-check";
import type { Json } from "../../../actors/json.ts";
import { pointerTo, segmentsOf } from "../../../actors/language/pointer.ts";
import { parseYamlDocument } from "../../../actors/language/yaml-document.ts";
import { MaestroError } from "../../../runtime/errors.ts";
import { LIMITS } from "../../../runtime/limits.ts";

/** The violations of a text that must be refused: `(line:column): description`. */
function refusals(text: string): readonly string[] {
  try {
    parseYamlDocument(text);
  } catch (error) {
    assert.ok(error instanceof MaestroError, String(error));
    assert.equal(error.code, "DOCUMENT_INVALID");
    return error.violations.map(({ field, description }) => `${field}: ${description}`);
  }
  return assert.fail("the text was taken");
}

/** Text of a value as YAML in blocks, and the line of every pointer in it (keys and items each stand on a line of their own). */
function write(value: Json, pointer: string, indent: string, lines: string[], where: Map<string, number>): void {
  for (const [name, inner] of Object.entries(value as object) as [string, Json][]) {
    const place = pointerTo(pointer, name);
    const nested = typeof inner === "object" && inner !== null && Object.keys(inner).length > 0;
    const key = Array.isArray(value) ? "-" : `${JSON.stringify(name)}:`;
    lines.push(nested ? `${indent}${key}` : `${indent}${key} ${JSON.stringify(inner)}`);
    const line = lines.length;
    if (nested) write(inner, place, `${indent}  `, lines, where);
    // an item is where its content begins, which is the next line if it is nested
    where.set(place, Array.isArray(value) && nested ? line + 1 : line);
  }
}

describe("YAML documents", () => {
  it("reads YAML and JSON alike", () => {
    const value = { a: [1, "two", null, true, { b: 1.5e3 }], "c d": { "": "x😀/" } };
    assert.deepEqual(parseYamlDocument(JSON.stringify(value)).value, value);
    assert.deepEqual(parseYamlDocument(JSON.stringify(value, null, "\t")).value, value);
    assert.deepEqual(parseYamlDocument("a: [1, two, ~, true, { b: 1.5e3 }]\nc d:\n  ? ''\n  : x😀/\n").value, value);
  });

  it("follows the core schema of YAML 1.2", () => {
    const text = "a: yes\nb: 0o10\nc: 0x1F\nd: 1_000\ne: 2024-01-01\nf: NO\ng: 010\n404: x\nnull: y\n";
    assert.deepEqual(parseYamlDocument(text).value, {
      a: "yes",
      b: 8,
      c: 31,
      d: "1_000",
      e: "2024-01-01",
      f: "NO",
      g: 10,
      "404": "x",
      null: "y",
    });
  });

  it("keeps a key called __proto__ a key", () => {
    const { value } = parseYamlDocument('{"__proto__": {"polluted": true}}');
    assert.ok(Object.hasOwn(value as object, "__proto__"));
    assert.equal(({} as { polluted?: boolean }).polluted, undefined);
    assert.equal((value as { polluted?: boolean }).polluted, undefined);
  });

  it("knows where each part stands, also behind aliases", () => {
    const source = parseYamlDocument("a: &x\n  b: 1\nc:\n  - *x\n  -   d: 2\n      e: 3\n");
    assert.deepEqual(source.position(""), { line: 1, column: 1 });
    assert.deepEqual(source.position("/a/b"), { line: 2, column: 3 });
    assert.deepEqual(source.position("/c/0"), { line: 4, column: 5 });
    assert.deepEqual(source.position("/c/0/b"), { line: 2, column: 3 });
    assert.deepEqual(source.position("/c/1/e"), { line: 6, column: 7 });
    assert.deepEqual(source.position("/c/1/missing/deeper"), { line: 5, column: 7 });
  });

  it("finds the line of every pointer in any document", () => {
    const key = fc.string({ unit: fc.constantFrom("a", "b", "/", "~", " ", "0") });
    const { tree } = fc.letrec<{ tree: Json }>((tie) => ({
      tree: fc.oneof(
        { depthSize: "small" },
        fc.constantFrom<Json>(1, "x", null, true),
        fc.array(tie("tree"), { maxLength: 3 }),
        fc.dictionary(key, tie("tree"), { maxKeys: 3, noNullPrototype: true }),
      ),
    }));
    fc.assert(
      fc.property(fc.dictionary(key, tree, { minKeys: 1, maxKeys: 3, noNullPrototype: true }), (value) => {
        const lines: string[] = [];
        const where = new Map<string, number>();
        write(value, "", "", lines, where);
        const source = parseYamlDocument(lines.join("\n"));
        assert.deepEqual(source.value, value);
        for (const [pointer, line] of where) assert.equal(source.position(pointer).line, line, `${pointer} in\n${lines.join("\n")}`);
      }),
    );
  });

  it("round-trips pointers", () => {
    fc.assert(
      fc.property(fc.array(fc.string()), (segments) => {
        assert.deepEqual(segmentsOf(segments.reduce<string>((pointer, segment) => pointerTo(pointer, segment), "")), segments);
      }),
    );
  });

  it("never throws anything but its own error", () => {
    const pieces = fc.constantFrom(
      "a",
      ":",
      " ",
      "\n",
      "-",
      "[",
      "]",
      "{",
      "}",
      ",",
      "&x",
      "*x",
      "!t",
      "'",
      '"',
      "|",
      "#",
      "?",
      "%",
      "\t",
      "<<",
      "---",
      "1",
      "~",
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 30 }), (parts) => {
        try {
          parseYamlDocument(parts.join("")).position("/a/0");
        } catch (error) {
          assert.ok(error instanceof MaestroError && error.code === "DOCUMENT_INVALID", String(error));
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe("YAML documents that are refused", () => {
  const wrong: readonly (readonly [what: string, text: string, expected: RegExp])[] = [
    ["text that is no YAML", "a: 1\nb: [1, 2\n", /^\(3:1\): not valid YAML: .*Close what was opened|^\(3:1\): not valid YAML/],
    ["a tab as indentation", "a:\n\tb: 1\n", /^\(2:1\): not valid YAML: .*[Tt]ab/],
    ["a second document", "a: 1\n---\nb: 2\n", /^\(2:1\): a second document/],
    ["a duplicate key", "a: 1\nb: 2\na: 3\n", /^\(3:1\): the key a stands here a second time/],
    ["a duplicate key in JSON", '{"a": 1, "a": 2}', /^\(1:10\): the key a/],
    ["a merge key", "a: &x { b: 1 }\nc:\n  <<: *x\n", /^\(3:3\): merge keys/],
    ["a tag", "a: !!binary aGk=\n", /^\(1:13\): the tag !!binary is not supported/],
    ["a tag of its own", "a: !secret x\n", /^\(1:12\): the tag !secret is not supported/],
    ["a tag on a key", "!!str a: 1\n", /^\(1:7\): the tag !!str/],
    ["a tag on a mapping", "a: !thing { b: 1 }\n", /the tag !thing is not supported/],
    ["an alias without an anchor", "a: *x\n", /\(1:4\): .*x/],
    ["an alias of itself", "a: &x\n  b: *x\n", /^\(2:6\): the alias \*x has no anchor before it/],
    ["a number that JSON has not", "a: .nan\nb: .inf\n", /^\(1:4\): not a number/],
    ["an infinite number", "a: 1e999\n", /^\(1:4\): not a number/],
    ["half of a surrogate pair", 'a: "\\ud83d"\n', /^\(1:4\): half of a surrogate pair/],
    ["half of a surrogate pair in a key", '{"\\udca5": 1}', /^\(1:2\): half of a surrogate pair/],
    ["a list as a key", "[a]: 1\n", /^\(1:1\): /],
    ["an older version of YAML", "%YAML 1.1\n---\na: yes\n", /YAML 1.1 is not supported/],
    ["nesting that is too deep, in flow", `${"[".repeat(200_000)}`, /nested deeper than 100 levels/],
    ["nesting that is too deep, in blocks", `${"- ".repeat(200_000)}a`, /nested deeper than 100 levels/],
    ["nesting that is too deep, closed", `a: ${"[".repeat(LIMITS.nestingDepth)}${"]".repeat(LIMITS.nestingDepth)}`, /nested deeper/],
    ["a text that is too long", `a: ${"x".repeat(LIMITS.documentBytes)}`, /bytes; at most 1048576/],
  ];
  for (const [what, text, expected] of wrong) {
    it(`refuses ${what}`, () => assert.match(refusals(text)[0] ?? "", expected));
  }

  it("takes nesting up to the bound", () => {
    const text = "[".repeat(LIMITS.nestingDepth) + "]".repeat(LIMITS.nestingDepth);
    assert.deepEqual(parseYamlDocument(text).value, JSON.parse(text));
  });

  it("refuses aliases that multiply, without writing them out", () => {
    const levels = Array.from({ length: 30 }, (_, level) => {
      const inner = level === 0 ? '"lol"' : `*l${level - 1}`;
      return `l${level}: &l${level} [${Array.from({ length: 9 }, () => inner).join(", ")}]`;
    });
    assert.match(refusals(levels.join("\n"))[0] ?? "", /the aliases would add more than 262144 characters/);
  });

  it("refuses aliases that repeat a long text", () => {
    const text = `a: &a ${"x".repeat(100_000)}\nb: [*a, *a, *a]\n`;
    assert.match(refusals(text)[0] ?? "", /^\(2:13\): the aliases would add/);
  });

  it("refuses aliases that nest", () => {
    const levels = Array.from({ length: 60 }, (_, level) => `l${level}: &l${level} [[${level === 0 ? "" : `*l${level - 1}`}]]`);
    assert.match(refusals(levels.join("\n"))[0] ?? "", /with this alias written out, nested deeper/);
  });

  it("takes a few aliases, each for the latest anchor before it", () => {
    const { value } = parseYamlDocument("a: &x 1\nb: &y [*x]\nc: &x 2\nd: *y\ne: *x\n");
    assert.deepEqual(value, { a: 1, b: [1], c: 2, d: [1], e: 2 });
  });

  it("reports many problems at once, in a bounded number", () => {
    const found = refusals(Array.from({ length: 500 }, () => "a: !t 1").join("\n"));
    assert.equal(found.length, LIMITS.documentViolations);
  });
});
