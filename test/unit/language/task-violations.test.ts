import assert from "node:assert/strict";
import { HEAD, taskText as task, violationsOf } from "../../support/compile-document.ts";

type Case = readonly [what: string, text: string, ...expected: string[]];

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
    "a queue that is no name, a priority that is none, a limit without a key",
    task("call: charge@default", "metadata: { queue: '${ .x }', priority: high, concurrency: { limit: 0 } }"),
    "/do/0/t/metadata/queue (5:19): must be a name of 1 to 64 letters, digits and . _ -, beginning with a letter or a digit.",
    '/do/0/t/metadata/priority (5:37): must be a whole number from 1 to 5, not the text "high".',
    "/do/0/t/metadata/concurrency (5:53): lacks the field key: add it.",
    "/do/0/t/metadata/concurrency/limit (5:68): must be a whole number from 1 to 10000, not the number 0.",
  ],
  [
    "a concurrency key that is neither a text nor a number",
    task("call: charge@default", "metadata: { concurrency: { key: [1], limit: 2 } }"),
    "/do/0/t/metadata/concurrency/key (5:34): must be a text of 1 to 256 characters, a number, or an expression that gives one of them.",
  ],
  [
    "a misspelt concurrency",
    task("call: charge@default", "metadata: { concurency: { key: a, limit: 2 } }"),
    "/do/0/t/metadata/concurency (5:19): unknown field concurency. Did you mean concurrency?",
  ],
  [
    "a priority of what no worker executes",
    task("wait: PT1S", "metadata: { priority: 1 }"),
    "/do/0/t/metadata/priority (5:19): priority has no effect on this kind of task, only on call and run: move it there.",
  ],
  [
    "a compensation in a compensation",
    task("wait: PT1S", "metadata: { compensate: [ { u: { wait: PT1S, metadata: { compensate: [] } } } ] }"),
    "/do/0/t/metadata/compensate/0/u/metadata/compensate (5:64): a compensation can't have a compensation itself: remove it.",
  ],
  [
    "a compensation that ends the run",
    task("wait: PT1S", "metadata: { compensate: [ { u: { switch: [ { a: { then: end } } ] } }, { v: { wait: PT1S, then: end } } ] }"),
    "/do/0/t/metadata/compensate/0/u/switch/0/a/then (5:57): end would leave the other tasks of the run not undone: a compensation ends with exit.",
    "/do/0/t/metadata/compensate/1/v/then (5:97): end would leave the other tasks of the run not undone: a compensation ends with exit.",
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

const GROUPS = { task: TASKS, call: CALLS };

for (const [group, cases] of Object.entries(GROUPS)) {
  describe(`documents that are refused for a ${group}`, () => {
    for (const [what, text, ...expected] of cases) {
      it(`names the place of ${what}`, async () => assert.deepEqual(await violationsOf(text), expected));
    }
  });
}
