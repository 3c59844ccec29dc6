import assert from "node:assert/strict";
import { LIMITS } from "../../../runtime/limits.ts";
import { compileText, HEAD, taskText as task, violationsOf } from "../../support/compile-document.ts";

type Case = readonly [what: string, text: string, ...expected: string[]];

const HEADERS: readonly Case[] = [
  ["an empty document", "", "(1:1): the document is empty: it must have the fields document and do."],
  ["a document that is a list", "- 1", "(1:1): must be a mapping of names to values, not a list."],
  [
    "a version that is a number",
    'document: { dsl: "1.0.3", namespace: a, name: b, version: 1.0 }\ndo: []',
    '/document/version (1:50): must be a semantic version, as a text: "1.0.0". 1 was read as a number: quote it.',
  ],
  [
    "a version that is not semantic",
    'document: { dsl: "1.0.3", namespace: a, name: b, version: v1 }\ndo: []',
    '/document/version (1:50): must be a semantic version, as a text: "1.0.0".',
  ],
  [
    "a dsl that is a number",
    "document: { dsl: 1.0, namespace: a, name: b, version: 1.0.0 }\ndo: []",
    '/document/dsl (1:13): must be a text, not the number 1: quote it, dsl: "1".',
  ],
  [
    "an older dsl",
    'document: { dsl: "0.8", namespace: a, name: b, version: 1.0.0 }\ndo: []',
    '/document/dsl (1:13): version 0.8 of the language is not supported: write "1.0.3".',
  ],
  [
    "names with spaces",
    'document: { dsl: "1.0.3", namespace: "a b", name: "", version: 1.0.0 }\ndo: []',
    "/document/namespace (1:27): must have 1 to 63 letters, digits and -, and begin and end with a letter or a digit.",
    "/document/name (1:45): must have 1 to 63 letters, digits and -, and begin and end with a letter or a digit.",
  ],
  ["no name", 'document: { dsl: "1.0.3", namespace: a, version: 1.0.0 }\ndo: []', "/document (1:1): lacks the field name: add it."],
  ["no tasks", HEAD, "(1:1): lacks the field do: add it."],
  [
    "an unknown field",
    `${HEAD}do: []\noutptu: {}`,
    "/outptu (3:1): unknown field outptu. Did you mean output? Known: do, document, evaluate, input, output, timeout, use.",
  ],
  ["a schedule", `${HEAD}do: []\nschedule: { every: PT1H }`, "/schedule (3:1): schedule is not supported by this version."],
  ["another language", `${HEAD}do: []\nevaluate: { language: js }`, '/evaluate/language (3:13): must be jq, not "js".'],
  ["another mode", `${HEAD}do: []\nevaluate: { mode: lose }`, '/evaluate/mode (3:13): must be one of strict, loose, not "lose". Did you mean loose?'],
];

const REUSABLE: readonly Case[] = [
  ...["authentications", "extensions", "secrets", "catalogs"].map(
    (name): Case => [`use.${name}`, `${HEAD}do: []\nuse: { ${name}: {} }`, `/use/${name} (3:8): ${name} is not supported by this version.`],
  ),
  [
    "use.functions",
    `${HEAD}do: []\nuse: { functions: {} }`,
    "/use/functions (3:8): functions is not supported by this version. Register a handler and call it as NAME@default.",
  ],
  [
    "an unknown timeout",
    task("wait: PT1S", "timeout: shrot").replace("do:", "use: { timeouts: { short: { after: PT1S } } }\ndo:"),
    "/do/0/t/timeout (6:7): use.timeouts has no shrot. Did you mean short? Known: short.",
  ],
  ["an unknown error", task("raise: { error: x }"), "/do/0/t/raise/error (4:16): use.errors has no x."],
  ["an unknown retry", task("try: []", "catch: { retry: x }"), "/do/0/t/catch/retry (5:16): use.retries has no x."],
  [
    "a wrong retry that nothing uses",
    `${HEAD}do: []\nuse: { retries: { a: { delay: P1M } } }`,
    '/use/retries/a/delay (3:24): "P1M" has years or months, which have no fixed length: use days or weeks, as in P365D.',
  ],
  ["a wrong timeout that nothing uses", `${HEAD}do: []\nuse: { timeouts: { a: {} } }`, "/use/timeouts/a (3:20): lacks the field after: add it."],
  [
    "a wrong error that nothing uses",
    `${HEAD}do: []\nuse: { errors: { a: { type: x, status: "4" } } }`,
    '/use/errors/a/status (3:32): must be a whole number from 100 to 999, not the text "4".',
  ],
  [
    "a wrong retry, once however often it is used",
    `${HEAD}use: { retries: { a: { wehn: x } } }\ndo:\n  - b: { try: [], catch: { retry: a } }\n  - c: { try: [], catch: { retry: a } }`,
    "/use/retries/a/wehn (2:24): unknown field wehn. Did you mean when? Known: backoff, delay, exceptWhen, jitter, limit, when.",
  ],
];

const VARIABLES: readonly Case[] = [
  [
    "an unknown variable",
    task('set: { a: { b: "${ $contxet.x }" } }'),
    "/do/0/t/set/a/b (4:19): there is no variable $contxet here. Did you mean $context? Known: $context, $input, $task, $workflow, $runtime.",
  ],
  [
    "$input in if",
    task("if: $input.x", "wait: PT1S"),
    "/do/0/t/if (4:7): there is no variable $input here. Known: $context, $task, $workflow, $runtime.",
  ],
  [
    "$output in output.as",
    task("wait: PT1S", "output: { as: $output }"),
    "/do/0/t/output/as (5:17): there is no variable $output here. Known: $context, $input, $task, $workflow, $runtime.",
  ],
  [
    "$context in the workflow's input",
    `${HEAD}do: []\ninput: { from: $context }`,
    "/input/from (3:10): there is no variable $context here. Known: $workflow, $runtime.",
  ],
  [
    "$input in the workflow's output",
    `${HEAD}do: []\noutput: { as: $input }`,
    "/output/as (3:11): there is no variable $input here. Known: $context, $workflow, $runtime.",
  ],
  [
    "a loop variable outside of the loop",
    task("for: { in: .a }", "do: []", "output: { as: $item }"),
    "/do/0/t/output/as (6:17): there is no variable $item here. Known: $context, $input, $task, $workflow, $runtime.",
  ],
  [
    "a loop variable in a compensation",
    task("for: { in: .a }", "do: [ { s: { wait: PT1S, metadata: { compensate: [ { u: { set: $item } } ] } } } ]"),
    "/do/0/t/do/0/s/metadata/compensate/0/u/set (5:65): there is no variable $item here. Known: $context, $input, $task, $workflow, $runtime.",
  ],
  [
    "an error outside of its catch",
    task("try: [ { a: { set: $error } } ]", "catch: {}"),
    "/do/0/t/try/0/a/set (4:21): there is no variable $error here. Known: $context, $input, $task, $workflow, $runtime.",
  ],
  ["secrets", task("set: $secrets.x"), "/do/0/t/set (4:7): $secrets is not supported by this version."],
  ["an empty expression", task("if: ${ }", "wait: PT1S"), "/do/0/t/if (4:7): the expression is empty: write a jq expression such as .name."],
  [
    "every expression that reads the world",
    task('set: { a: "${ now }", b: [ "${ env }" ] }'),
    "/do/0/t/set/a (4:14): the expression now is refused: now is not allowed (it gives another value each time).",
    "/do/0/t/set/b/0 (4:34): the expression env is refused: env is not allowed (it reads the environment of the process).",
  ],
  ["a condition that is no text", task("if: true", "wait: PT1S"), '/do/0/t/if (4:7): must be an expression, as a text. Quote it: "true"'],
];

const GROUPS = { header: HEADERS, "reusable part": REUSABLE, variable: VARIABLES };

for (const [group, cases] of Object.entries(GROUPS)) {
  describe(`documents that are refused for a ${group}`, () => {
    for (const [what, text, ...expected] of cases) {
      it(`names the place of ${what}`, async () => assert.deepEqual(await violationsOf(text), expected));
    }
  });
}

describe("the violations of a document", () => {
  it("come all at once", async () => {
    const found = await violationsOf(`${HEAD}do:\n  - a: { wait: P1Y }\n  - b: { call: x@default }\n  - c: { listen: {} }\n`);
    assert.deepEqual(
      found.map((text) => text.split(":")[0]),
      ["/do/0/a/wait (3", "/do/1/b/call (4", "/do/2/c/listen (5"],
    );
  });

  it("are bounded", async () => {
    const tasks = Array.from({ length: 500 }, (_, index) => `  - t${index}: { wait: x, then: y }`);
    assert.equal((await violationsOf(`${HEAD}do:\n${tasks.join("\n")}`)).length, LIMITS.documentViolations);
  });

  it("name an expression that the reference implementation refuses, with the variables that it had", async () => {
    const asked: string[][] = [];
    const check = async (source: string, variables: readonly string[]): Promise<string | undefined> => {
      asked.push([source, ...variables]);
      return "syntax error";
    };
    const evaluator = { evaluate: async () => ({ fault: "" }), check, close: async () => undefined };
    const text = task("for: { in: .a }", 'do: [ { s: { set: { x: "${ limit(3; .[]) | @base32d }" } } } ]');
    assert.deepEqual(await violationsOf(text, { evaluator }), [
      "/do/0/t/do/0/s/set/x (5:27): the expression limit(3; .[]) | @base32d does not compile: syntax error",
    ]);
    assert.deepEqual(asked, [["limit(3; .[]) | @base32d", "context", "input", "task", "workflow", "runtime", "item", "index"]]);
  });

  it("say how to allow shell commands", async () => {
    const found = await violationsOf(task("run: { shell: { command: ls } }"), { allowShell: false });
    assert.equal(found.length, 1);
    assert.match(found[0] ?? "", /^\/do\/0\/t\/run\/shell \(4:14\): .*MAESTRO_ALLOW_SHELL=true/);
  });

  it("say that a node has no handlers at all", async () => {
    const found = await violationsOf(task("call: charge@default"), { handlers: new Set() });
    assert.match(found[0] ?? "", /This node has none: put a module with it in the handlers folder/);
  });

  it("count tasks, not only bytes", async () => {
    const tasks = Array.from({ length: LIMITS.documentTasks }, () => "{t: {wait: PT1S}}");
    const found = await violationsOf(`${HEAD}do: [${tasks.join(",")}]`);
    assert.match(found[0] ?? "", /more than 10000 tasks/);
    assert.equal((await compileText(`${HEAD}do: [${tasks.slice(1).join(",")}]`)).nodes.length, LIMITS.documentTasks);
  });
});
