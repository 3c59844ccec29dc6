/** Proves of each style rule that it notices a planted violation, and that a clean tree passes all of them. */
import assert from "node:assert/strict";
import { parseSource } from "../../ops/check/style/oxc-source.ts";
import { formatViolation } from "../../ops/check/style/rule.ts";
import { STYLE_RULES } from "../../ops/check/style/rules.ts";
import type { SourceTree } from "../../ops/check/style/source-tree.ts";

const HEADER = "/** What this file is. */\n";
const lines = (count: number, line = "void 0;\n"): string => line.repeat(count);

interface Plant {
  readonly files: Readonly<Record<string, string>>;
  readonly manifest?: string;
  readonly architecture?: string;
  /** What the violation, as one line of text, has to match. */
  readonly expected: RegExp;
}

const one = (path: string, text: string, expected: RegExp): Plant => ({ files: { [path]: text }, expected });

/** Rule -> violations, each of which has to be noticed. A rule is found by the beginning of its name. */
const PLANTS: Readonly<Record<string, readonly Plant[]>> = {
  "no file has more than": [one("runtime/a.ts", lines(301), /runtime\/a\.ts {2}has 301 lines/)],
  "no function has more than": [
    one("runtime/a.ts", `function f() {\n${lines(59)}}\n`, /a\.ts:1 {2}the function has 61 lines/),
    one("test/unit/a.test.ts", `describe("a", () => {\n  it("b", () => {\n${lines(59)}  });\n});\n`, /a\.test\.ts:2 /),
  ],
  "median and 90th percentile of file": [
    one("runtime/a.ts", lines(111), /median file length is 111/),
    { files: { "runtime/a.ts": "", "runtime/b.ts": lines(231) }, expected: /90th percentile of file lengths is 231/ },
  ],
  "median and 90th percentile of function": [
    one("runtime/a.ts", `const f = () => {\n${lines(9)}};\n`, /median function length is 11/),
    one("ops/a.ts", `function f() {\n${lines(27)}}\n`, /90th .* is 29/),
  ],
  "imports point one way": [
    one("runtime/a.ts", 'import type { A } from "../actors/a.ts";', /a\.ts:1 {2}runtime must not import from actors/),
    one("gateway/a.ts", 'export { a } from "../ops/a.ts";', /gateway must not import from ops/),
    one("actors/a.ts", 'const a = await import("../gateway/a.ts");', /actors must not import from gateway/),
    one("ops/a.ts", 'import "../test/support/a.ts";', /ops must not import from test/),
  ],
  "a vendor's package": [
    one("runtime/storage/journal.ts", 'import type { Pool } from "pg";', /pg belongs in files called pg-\*\.ts/),
    one("gateway/server.ts", 'import { Server } from "@grpc/grpc-js";', /@grpc\/grpc-js belongs in/),
    one("runtime/codec.ts", 'import { BinaryReader } from "@bufbuild/protobuf/wire";', /belongs in proto\//),
    one("runtime/left-pad.ts", 'import pad from "left-pad";', /left-pad is not in the table of vendors/),
  ],
  "every imported package": [
    { ...one("runtime/pg-a.ts", 'import "pg";', /pg is not among the dependencies/), manifest: '{"devDependencies":{"pg":"1"}}' },
    { ...one("runtime/a.ts", "", /no file uses the dependency yaml/), manifest: '{"dependencies":{"yaml":"1"}}' },
  ],
  "imports form no circle": [
    {
      files: { "runtime/a.ts": 'import "./b.ts";', "runtime/b.ts": 'import { c, type C } from "./c.ts";', "runtime/c.ts": 'export * from "./a.ts";' },
      expected: /a\.ts -> runtime\/b\.ts -> runtime\/c\.ts -> runtime\/a\.ts/,
    },
  ],
  "every file is reached": [
    one("runtime/a.ts", "", /runtime\/a\.ts {2}nothing leads to this file/),
    { files: { "ops/main.ts": "", "test/support/a.ts": "" }, manifest: "node ops/main.ts", expected: /^test\/support\/a\.ts/ },
  ],
  "every export is used": [
    one("runtime/a.ts", "export const a = 1;", /nobody imports a/),
    one("runtime/a.ts", "export type A = 1;", /nobody imports A/),
    {
      files: { "runtime/a.ts": "export const a = 1;", "test/unit/a.test.ts": 'import { a } from "../../runtime/a.ts";' },
      expected: /only tests use a/,
    },
  ],
  "time, chance, exits": [
    one("runtime/a.ts", "const t = Date.now();", /use Clock\.now/),
    one("runtime/a.ts", "const now = Date.now;", /use Clock\.now/),
    one("runtime/a.ts", "const t = new Date();", /Date\(\) is not used here/),
    one("runtime/a.ts", "performance.now();", /use Clock\.monotonic/),
    one("runtime/a.ts", "setTimeout(f, 1);", /use Clock\.schedule/),
    one("runtime/a.ts", "setInterval(f, 1);", /use Clock\.schedule/),
    one("runtime/a.ts", "AbortSignal.timeout(1);", /use Clock\.schedule/),
    one("ops/a.ts", 'import { setTimeout as pause } from "node:timers/promises";', /use Clock\.schedule/),
    one("actors/a.ts", "Math.random();", /use the Random port/),
    one("actors/a.ts", "crypto.randomUUID();", /use the Random port/),
    one("ops/a.ts", "process.exit(1);", /only ops\/cli\/main\.ts ends the process/),
    one("gateway/a.ts", 'console.log("a");', /use an event of runtime\/events\.ts/),
  ],
  "SQL takes values": [
    one("runtime/pg-a.ts", "pool.query(`SELECT * FROM runs WHERE id = '${id}'`);", /bind it as \$1/),
    one("runtime/pg-a.ts", "const text = `SELECT id FROM runs ${where} LIMIT ${limit}`;", /bind it as \$1/),
    one("runtime/pg-a.ts", 'const text = "DELETE FROM runs WHERE id = " + id;', /bind it as \$1/),
    one("runtime/pg-a.ts", "const text = `\n  UPDATE ${TABLE} SET a = ${value}`;", /bind it as \$1/),
  ],
  "every file begins with": [
    one("runtime/a.ts", "const a = 1;", /begin the file/),
    one("runtime/a.ts", "/** About f only. */\nexport function f() {}", /begin the file/),
    one("runtime/a.ts", "// no doc\nconst a = 1;", /begin the file/),
  ],
  "every export carries": [
    one(
      "runtime/a.ts",
      `${HEADER}const a = 1;
export function f() {}`,
      /:3 {2}f is exported without/,
    ),
    one("runtime/a.ts", `${HEADER}/** Doc. */\nconst a = 1;\nconst b = 2;\nexport { a, b };`, /:5 {2}b is exported without/),
    one("runtime/a.ts", `${HEADER}// not a doc comment\nexport interface A {}`, /A is exported without/),
  ],
  "files and folders are named": [
    one("runtime/utils.ts", "", /"utils" says nothing/),
    one("runtime/helpers/a.ts", "", /"helpers"/),
    one("ops/json-utils.ts", "", /"utils"/),
    one("runtime/myFile.ts", "", /lower case/),
  ],
  "no unfinished work": [
    one("runtime/a.ts", `// ${"TO"}DO later`, /finish it/),
    one("runtime/a.ts", `// @ts-${"ignore"}\nf();`, /finish it/),
    one("runtime/a.ts", "// @ts-expect-error\nf();", /finish it/),
  ],
  "nothing is typed any": [
    one("runtime/a.ts", "const a = b as any;", /:1 {2}any turns/),
    one("test/unit/a.test.ts", "\nfunction f(a: any[]) {}", /:2 {2}any turns/),
  ],
  "no error is caught and ignored": [
    one("runtime/a.ts", "try { f(); } catch {}", /without a word/),
    one("runtime/a.ts", "f().catch(() => {});", /without a word/),
  ],
  "tests wait for conditions": [
    one("test/unit/a.test.ts", "await sleep(10);", /depend on time/),
    one("test/unit/a.test.ts", "setTimeout(done, 10);", /depend on time/),
    one("test/unit/a.test.ts", 'import { setTimeout as pause } from "node:timers/promises";', /waits for time/),
    one("test/unit/a.test.ts", "Math.random();", /depend on chance/),
  ],
  "ARCHITECTURE.md lists": [
    one("runtime/error-registry.ts", "const ERRORS = { A_B: 1 };", /ARCHITECTURE\.md {2}is missing/),
    {
      ...one("runtime/error-registry.ts", "const ERRORS = { A_B: 1 } as const satisfies X;", /does not list A_B/),
      architecture: "`A_B`\n## Error codes\n| `A_C` |\n## Next\n| `A_B` |",
    },
    { ...one("runtime/storage-errors.ts", "const STORAGE_ERRORS = { A_B: 1 };", /does not list A_B/), architecture: "## Error codes\n| `A_C` |" },
    {
      ...one("runtime/error-registry.ts", "const ERRORS = { A_B: 1 };", /lists A_C, which is not/),
      architecture: "## Error codes\n| `A_B` | x |\n| `A_C` | y |",
    },
  ],
  "the tests that ARCHITECTURE.md names": [
    { files: {}, architecture: "| 7 | It holds. | the code |\n", expected: /names no test for invariant 7/ },
    {
      files: { "test/unit/a.test.ts": "", "test/unit/b/c.test.ts": "" },
      architecture: "| 8 | It holds. | `test/unit/a*.test.ts`, `test/unit/b`, `test/unit/d.test.ts` |\n",
      expected: /^ARCHITECTURE\.md {2}names test\/unit\/d\.test\.ts for invariant 8, which is not there$/,
    },
  ],
  "every error code is raised": [
    one("runtime/error-registry.ts", "const ERRORS = { A_B: 1 };", /error-registry\.ts:1 {2}A_B is never raised/),
    one("runtime/storage-errors.ts", "const STORAGE_ERRORS = { A_B: 1 };", /storage-errors\.ts:1 {2}A_B is never raised/),
  ],
  "every limit is enforced": [one("runtime/limits.ts", "export const LIMITS = Object.freeze({ queue: 1 });", /queue bounds nothing/)],
  "every event is emitted": [
    one("runtime/events.ts", 'export interface RuntimeEvents { "a.b": object }', /a\.b is never emitted/),
    {
      files: { "runtime/events.ts": 'export interface RuntimeEvents { "a.b": object }', "runtime/a.ts": 'events.emit("a.b", {});' },
      expected: /nothing subscribes/,
    },
  ],
};

/** A small tree that breaks no rule: exceptions that the rules make on purpose are in it. */
const CLEAN: Plant = {
  files: {
    "runtime/a.ts": `${HEADER}import type { B } from "./b.ts";\n/** Doc. */\nexport const a = (b: B) => new Date(b.at);\ntry {\n  a({ at: 1 });\n} catch {\n  // An invalid date is no date.\n}\n`,
    "runtime/b.ts": `${HEADER}/** Doc. */\nexport interface B {\n  readonly at: number;\n}\nconst text = \`SELECT \${COLUMNS} FROM \${escapeIdentifier(table)} WHERE id = $1 AND \${condition}\`;\n`,
    "runtime/clock.ts": `${HEADER}setTimeout(() => Date.now(), 1);\nnew Worker(new URL("./thread.ts", import.meta.url));\nfork(siblingModule("child"));\n`,
    "runtime/c.ts": `${HEADER}import type { D } from "./child.ts";\n/** Doc. */\nexport interface C extends D {}\n`,
    "runtime/child.ts": `${HEADER}import type { C } from "./c.ts";\n/** Doc. */\nexport interface D {\n  readonly parent: C;\n}\n`,
    "runtime/thread.ts": `${HEADER}import "./clock.ts";\n`,
    "ops/cli/main.ts": `${HEADER}import { a } from "../../runtime/a.ts";\nimport "../../runtime/clock.ts";\nconsole.log(a);\nprocess.exit(0);\n`,
  },
  manifest: '{ "scripts": { "start": "node ops/cli/main.ts" } }',
  expected: /^$/,
};

describe("style rules", () => {
  const tree = (plant: Plant): SourceTree => ({
    files: Object.entries(plant.files).map(([path, text]) => parseSource(path, text)),
    manifest: plant.manifest ?? "{}",
    architecture: plant.architecture,
  });

  for (const rule of STYLE_RULES) {
    it(`notice where this is not so: ${rule.name}`, () => {
      const plants = Object.entries(PLANTS).find(([beginning]) => rule.name.startsWith(beginning))?.[1];
      assert.ok(plants, "there is no planted violation for this rule");
      for (const plant of plants) {
        const found = rule.check(tree(plant)).map(formatViolation);
        assert.ok(
          found.some((violation) => plant.expected.test(violation)),
          `not noticed in ${JSON.stringify(plant.files)}; found: ${JSON.stringify(found)}`,
        );
      }
    });
  }

  it("find nothing in a clean tree", () => {
    const found = STYLE_RULES.flatMap((rule) => rule.check(tree(CLEAN))).map(formatViolation);
    assert.deepEqual(found, []);
  });

  it("are all planted against", () => {
    assert.equal(Object.keys(PLANTS).length, STYLE_RULES.length);
  });
});
