// biome-ignore-all lint/suspicious/noThenProperty: the name that the specification gives it
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the specification's way to write expressions
import assert from "node:assert/strict";
import { LIMITS } from "../../../runtime/limits.ts";
import { compileText, HEAD, violationsOf } from "../../support/compile-document.ts";

/** A document with one task, which begins on line 3 below its name. */
function task(...lines: readonly string[]): string {
  return [`${HEAD}do:`, "  - t:", ...lines.map((line) => `      ${line}`), ""].join("\n");
}

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

const TASKS: readonly Case[] = [
  ["a list that is a mapping", `${HEAD}do: { a: { wait: PT1S } }`, "/do (2:1): must be a list of tasks, each beginning with - and a name."],
  [
    "a definition that is not indented",
    `${HEAD}do:\n  - a:\n    wait: PT1S`,
    "/do/0 (3:5): a task is one name with its definition below it; here are a, wait: indent the definition under the name.",
  ],
  ["a task without a definition", `${HEAD}do:\n  - a:\n`, "/do/0/a (3:5): must be a mapping of names to values, not empty."],
  ["a task called end", `${HEAD}do:\n  - end: { wait: PT1S }`, "/do/0/end (3:5): end is a flow directive: give the task another name."],
  ["a misspelt kind", task("swich: []"), "/do/0/t (3:5): names no kind of task. Did you mean switch instead of swich?"],
  ["two kinds", task("set: { a: 1 }", "wait: PT1S"), "/do/0/t (3:5): is of several kinds at once (set, wait): make each a task of its own."],
  ["emit", task("emit: {}"), "/do/0/t/emit (4:7): emit is not supported by this version."],
  ["listen", task("listen: {}"), "/do/0/t/listen (4:7): listen is not supported by this version."],
  [
    "an unknown field of a task",
    task("wait: PT1S", "thne: end"),
    "/do/0/t/thne (5:7): unknown field thne. Did you mean then? Known: export, if, input, metadata, output, then, timeout, wait.",
  ],
  [
    "an unknown directive",
    task("wait: PT1S", "then: tt"),
    "/do/0/t/then (5:7): no task of this list is called tt. Did you mean t? Known: continue, exit, end, t.",
  ],
  [
    "a directive to another list",
    task("do: [ { inner: { wait: PT1S, then: t } } ]"),
    "/do/0/t/do/0/inner/then (4:36): no task of this list is called t. Known: continue, exit, end, inner.",
  ],
  [
    "a directive from branch to branch",
    task("fork: { branches: [ { a: { wait: PT1S, then: b } }, { b: { wait: PT1S } } ] }"),
    "/do/0/t/fork/branches/0/a/then (4:46): no task of this list is called b. Known: continue, exit, end.",
  ],
  [
    "a misspelt compensation",
    task("wait: PT1S", "metadata: { compensation: [] }"),
    "/do/0/t/metadata/compensation (5:19): unknown field compensation. Did you mean compensate?",
  ],
  [
    "a compensation in a compensation",
    task("wait: PT1S", "metadata: { compensate: [ { u: { wait: PT1S, metadata: { compensate: [] } } } ] }"),
    "/do/0/t/metadata/compensate/0/u/metadata/compensate (5:64): a compensation can't have a compensation itself: remove it.",
  ],
  [
    "an external schema",
    task("wait: PT1S", "input: { schema: { resource: { endpoint: x } } }"),
    "/do/0/t/input/schema/resource (5:26): resource is not supported by this version. Write the schema inline, under document.",
  ],
  [
    "a schema of another format",
    task("wait: PT1S", "output: { schema: { format: avro, document: {} } }"),
    "/do/0/t/output/schema/format (5:27): the schema format avro is not supported by this version: use json.",
  ],
  [
    "a wrong duration",
    task("wait: 30"),
    "/do/0/t/wait (4:7): a duration is an ISO 8601 text such as PT30S, or an object such as { seconds: 30 }, not 30.",
  ],
  ["a set of nothing", task("set: {}"), "/do/0/t/set (4:7): must be a mapping with at least one field, or an expression, not a mapping."],
  [
    "two defaults",
    task("switch:", "  - a: { then: end }", "  - b: { then: end }"),
    "/do/0/t/switch/1 (6:11): is a second case without when: only one default is possible.",
  ],
  ["a case without then", task("switch: [ { a: { when: .x } } ]"), "/do/0/t/switch/0/a (4:19): lacks the field then: add it."],
  ["no cases", task("switch: []"), "/do/0/t/switch (4:7): must be a list of at least one case."],
  ["a loop without in", task("for: { each: x }", "do: []"), "/do/0/t/for (4:7): lacks the field in: add it."],
  [
    "loop variables of one name",
    task("for: { each: x, at: x, in: .a }", "do: []"),
    "/do/0/t/for/at (4:23): each and at are both called x: give them different names.",
  ],
  [
    "a loop variable of the language",
    task("for: { each: input, in: .a }", "do: []"),
    "/do/0/t/for/each (4:14): can't be input: the language has a variable of that name. Choose another one.",
  ],
  ["a fork without branches", task("fork: { branches: [] }"), "/do/0/t/fork/branches (4:15): must have at least one branch."],
  ["an error without a status", task("raise: { error: { type: x } }"), "/do/0/t/raise/error (4:16): lacks the field status: add it."],
  [
    "a catch of unknown fields",
    task("try: []", "catch: { errors: { with: { code: 1 } } }"),
    "/do/0/t/catch/errors/with/code (5:34): unknown field code. Known: detail, instance, status, title, type.",
  ],
  [
    "two backoffs",
    task("try: []", "catch: { retry: { backoff: { linear: {}, constant: {} } } }"),
    "/do/0/t/catch/retry/backoff (5:25): must name one of constant, linear, exponential, as in { exponential: {} }.",
  ],
  [
    "a limit of one attempt's time",
    task("try: []", "catch: { retry: { limit: { attempt: { duration: PT1S } } } }"),
    "/do/0/t/catch/retry/limit/attempt/duration (5:45): duration is not supported by this version. Set a timeout on the tasks in the try, or limit.duration for all retries.",
  ],
];

const CALLS: readonly Case[] = [
  ...["asyncapi", "grpc", "openapi", "a2a", "mcp"].map(
    (name): Case => [
      `call: ${name}`,
      task(`call: ${name}`),
      `/do/0/t/call (4:7): call: ${name} is not supported by this version. Call a handler instead: NAME@default.`,
    ],
  ),
  [
    "an unknown handler",
    task("call: chrage@default"),
    "/do/0/t/call (4:7): no task handler is called chrage. Did you mean charge? Known: charge, refund, ship.",
  ],
  [
    "a handler without @default",
    task("call: charge"),
    "/do/0/t/call (4:7): functions of the document are not supported by this version. Did you mean charge@default?",
  ],
  [
    "a version of a handler",
    task('call: "charge:1.0.0@default"'),
    "/do/0/t/call (4:7): versions of handlers are not supported by this version: write charge@default.",
  ],
  ["another catalog", task("call: charge@mine"), "/do/0/t/call (4:7): charge@mine: catalogs are not supported by this version, only @default is."],
  [
    "a built-in as a handler",
    task("call: http@default"),
    "/do/0/t/call (4:7): http is not the name of a handler: write call: http, or run: { shell }.",
  ],
  ["a signal without a name", task("call: signal@default", "with: {}"), "/do/0/t/with (5:7): lacks the field name: add it."],
  [
    "a signal with an empty name",
    task("call: signal@default", 'with: { name: "" }'),
    "/do/0/t/with/name (5:15): must be a text of 1 to 256 characters.",
  ],
  ["http without with", task("call: http"), "/do/0/t (3:5): lacks the field with: add it."],
  [
    "authentication",
    task("call: http", "with: { method: get, endpoint: { uri: https://a.b, authentication: {} } }"),
    "/do/0/t/with/endpoint/authentication (5:58): authentication is not supported by this version. Send credentials in headers.",
  ],
  [
    "a relative endpoint",
    task("call: http", "with: { method: get, endpoint: /pets }"),
    "/do/0/t/with/endpoint (5:28): must be an absolute URI that begins with http:// or https://.",
  ],
  [
    "a header that is a list",
    task("call: http", "with: { method: get, endpoint: https://a.b, headers: { A: [] } }"),
    "/do/0/t/with/headers/A (5:62): must be a text.",
  ],
  [
    "a misspelt output",
    task("call: http", "with: { method: get, endpoint: https://a.b, output: respnse }"),
    '/do/0/t/with/output (5:51): must be one of content, raw, response, not "respnse". Did you mean response?',
  ],
  ...["container", "script", "workflow"].map(
    (name): Case => [`run: ${name}`, task(`run: { ${name}: {} }`), `/do/0/t/run/${name} (4:14): ${name} is not supported by this version.`],
  ),
  [
    "await: false",
    task("run: { shell: { command: ls }, await: false }"),
    "/do/0/t/run/await (4:38): await: false is not supported by this version: remove it, or put the task in a branch of a fork.",
  ],
  [
    "arguments that are numbers",
    task("run: { shell: { command: ls, arguments: [1] } }"),
    "/do/0/t/run/shell/arguments (4:36): must be a list of texts: quote each.",
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

const GROUPS = { header: HEADERS, "reusable part": REUSABLE, task: TASKS, call: CALLS, variable: VARIABLES };

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
