import assert from "node:assert/strict";
import { Document } from "yaml";
import type { Json } from "../../../actors/json.ts";
import { parseYamlDocument } from "../../../actors/language/yaml-document.ts";
import { compileText, HEAD, outline, plain } from "../../support/compile-document.ts";

/** A document with every kind of task that is supported. */
const ORDER = `
document:
  dsl: "1.0.3"
  namespace: shop
  name: order
  version: "2.1.0"
  title: Order
  summary: Charges, ships, and undoes both.
  tags: { team: sales }
  metadata: { owner: me }
input:
  schema: { format: json, document: { type: object, required: [order] } }
  from: .order
use:
  errors:
    closed: { type: "https://example.com/errors/closed", status: 409, detail: "\${ .reason }" }
  retries:
    gently:
      when: $failure.status >= 500
      delay: { seconds: 1 }
      backoff: { exponential: {} }
      jitter: { from: PT0S, to: PT1S }
      limit: { attempt: { count: 5 }, duration: PT1H }
  timeouts:
    short: { after: PT30S }
timeout: { after: P1D }
do:
  - check:
      if: .total > 0
      switch:
        - closed: { when: .closed, then: refuse }
        - default: { then: continue }
  - charge:
      try:
        - callCharge:
            call: charge@default
            with: { amount: "\${ .total }" }
            timeout: short
            metadata:
              compensate:
                - refund: { call: refund@default, with: { id: "\${ .output.id }" } }
      catch:
        errors: { with: { type: "https://serverlessworkflow.io/spec/1.0.0/errors/communication" } }
        as: failure
        when: $failure.status != 404
        retry: gently
        do:
          - note: { set: { failed: "\${ $failure.detail }" } }
        then: refuse
      export: { as: "$context + { paid: $output }" }
  - parts:
      for: { each: part, at: n, in: .parts }
      while: $n < 10
      do:
        - ship: { call: ship@default, with: { part: "\${ $part }" } }
  - both:
      fork:
        compete: true
        branches:
          - approval: { call: signal@default, with: { name: approved } }
          - tooLate: { wait: { hours: 1 } }
      then: done
  - refuse:
      raise: { error: closed }
  - done:
      do:
        - tell:
            call: http
            with:
              method: post
              endpoint: "https://example.com/orders/{id}"
              headers: { Accept: application/json }
              body: { order: "\${ . }" }
              output: response
              redirect: true
        - list:
            run: { shell: { command: ls, arguments: ["-l"], environment: { A: "\${ .a }" } }, return: all }
output:
  as: { total: "\${ .total }" }
`;

describe("compiled workflows", () => {
  it("have the header, the data flow and the handlers of the document", async () => {
    const { root, nodes, ...rest } = await compileText(ORDER);
    assert.deepEqual(plain(rest), {
      namespace: "shop",
      name: "order",
      version: "2.1.0",
      title: "Order",
      summary: "Charges, ships, and undoes both.",
      input: { schema: "a schema", from: ["${.order}"] },
      output: { as: ["${.total}"] },
      timeout: "P1D",
      handlers: ["charge", "refund", "ship"],
    });
    assert.equal(nodes[0], root);
    assert.deepEqual(rest.definition, parseYamlDocument(ORDER).value);
  });

  it("number the tasks in document order: a task before its inner tasks, a compensation after them", async () => {
    assert.deepEqual(outline(await compileText(ORDER)), [
      "0 do /do",
      "1 switch /do/0/check",
      "2 try /do/1/charge",
      "3 do /do/1/charge/try",
      "4 call /do/1/charge/try/0/callCharge",
      "5 do /do/1/charge/try/0/callCharge/metadata/compensate",
      "6 call /do/1/charge/try/0/callCharge/metadata/compensate/0/refund",
      "7 do /do/1/charge/catch/do",
      "8 set /do/1/charge/catch/do/0/note",
      "9 for /do/2/parts",
      "10 do /do/2/parts/do",
      "11 call /do/2/parts/do/0/ship",
      "12 fork /do/3/both",
      "13 signal /do/3/both/fork/branches/0/approval",
      "14 wait /do/3/both/fork/branches/1/tooLate",
      "15 raise /do/4/refuse",
      "16 do /do/5/done",
      "17 call /do/5/done/do/0/tell",
      "18 run /do/5/done/do/1/list",
    ]);
  });

  it("number the compensation of a task with inner tasks after all of them", async () => {
    const text = `${HEAD}do:
  - outer:
      metadata: { compensate: [ { undo: { set: { a: 1 } } } ] }
      do: [ { inner: { for: { in: .x }, do: [ { step: { set: { a: 1 } } } ] } } ]
  - after: { wait: PT1S }
`;
    assert.deepEqual(outline(await compileText(text)), [
      "0 do /do",
      "1 do /do/0/outer",
      "2 for /do/0/outer/do/0/inner",
      "3 do /do/0/outer/do/0/inner/do",
      "4 set /do/0/outer/do/0/inner/do/0/step",
      "5 do /do/0/outer/metadata/compensate",
      "6 set /do/0/outer/metadata/compensate/0/undo",
      "7 wait /do/1/after",
    ]);
  });

  const continues = { then: { kind: "continue" } };
  const golden: readonly (readonly [what: string, id: number, expected: Json])[] = [
    [
      "a switch",
      1,
      {
        id: 1,
        name: "check",
        pointer: "/do/0/check",
        if: "${.total > 0}",
        kind: "switch",
        cases: [
          { name: "closed", when: "${.closed}", then: { kind: "goto", index: 4 } },
          { name: "default", ...continues },
        ],
        ...continues,
      },
    ],
    [
      "a fork",
      12,
      {
        id: 12,
        name: "both",
        pointer: "/do/3/both",
        kind: "fork",
        compete: true,
        branches: [
          { id: 13, name: "approval", pointer: "/do/3/both/fork/branches/0/approval", kind: "signal", signal: "approved", ...continues },
          { id: 14, name: "tooLate", pointer: "/do/3/both/fork/branches/1/tooLate", kind: "wait", duration: { hours: 1 }, ...continues },
        ],
        then: { kind: "goto", index: 5 },
      },
    ],
    ["a raise by name", 15, { id: 15, name: "refuse", pointer: "/do/4/refuse", kind: "raise", error: ["${.reason}"], ...continues }],
    [
      "a body",
      7,
      {
        id: 7,
        name: "do",
        pointer: "/do/1/charge/catch/do",
        kind: "do",
        tasks: [{ id: 8, name: "note", pointer: "/do/1/charge/catch/do/0/note", kind: "set", value: ["${$failure.detail}"], ...continues }],
        ...continues,
      },
    ],
  ];
  for (const [what, id, expected] of golden) {
    it(`have ${what} as written`, async () => assert.deepEqual(plain((await compileText(ORDER)).nodes[id]), expected));
  }

  it("have a try with its catch, its retry rule and its export", async () => {
    const node = (await compileText(ORDER)).nodes[2];
    assert.ok(node?.kind === "try");
    const { body, ...clause } = node.catch;
    assert.deepEqual(plain(clause), {
      with: { type: "https://serverlessworkflow.io/spec/1.0.0/errors/communication" },
      as: "failure",
      when: "${$failure.status != 404}",
      retry: {
        when: "${$failure.status >= 500}",
        delay: { seconds: 1 },
        backoff: "exponential",
        jitter: { from: "PT0S", to: "PT1S" },
        attempts: 5,
        duration: "PT1H",
      },
      then: { kind: "goto", index: 4 },
    });
    assert.equal(body?.id, 7);
    assert.deepEqual(plain(node.export), { as: ["${$context + { paid: $output }}"] });
    assert.equal(node.body.name, "try");
  });

  it("have a call with its timeout and its compensation", async () => {
    const node = (await compileText(ORDER)).nodes[4];
    assert.ok(node?.kind === "call");
    assert.equal(node.handler, "charge");
    assert.deepEqual(node.timeout?.constant, "PT30S");
    assert.equal(node.compensation?.name, "compensate");
    assert.deepEqual(node.definition, {
      call: "charge@default",
      with: { amount: "${ .total }" },
      timeout: "short",
      metadata: { compensate: [{ refund: { call: "refund@default", with: { id: "${ .output.id }" } } }] },
    });
  });

  it("have a loop with its variables", async () => {
    const node = (await compileText(ORDER)).nodes[9];
    assert.ok(node?.kind === "for");
    assert.deepEqual([node.each, node.at, node.while?.source, node.in.expressions[0]?.source], ["part", "n", "$n < 10", ".parts"]);
  });

  it("are the same from YAML, from JSON in one line, and from JSON in many", async () => {
    const fromYaml = await compileText(ORDER);
    const value = parseYamlDocument(ORDER).value;
    for (const text of [JSON.stringify(value), JSON.stringify(value, null, 2), JSON.stringify(value, null, "\t"), String(new Document(value))]) {
      const again = await compileText(text);
      assert.deepEqual(plain(again), plain(fromYaml));
      assert.deepEqual(again.definition, fromYaml.definition);
    }
  });

  it("compile again from what was stored, where the handlers are not here any more", async () => {
    const again = await compileText(ORDER, { handlers: undefined });
    assert.deepEqual(plain(again), plain(await compileText(ORDER)));
  });

  it("give requests of the built-in handlers their defaults", async () => {
    const { nodes } = await compileText(`${HEAD}do:
  - a: { call: http, with: { method: get, endpoint: { uri: "https://example.com" } } }
  - b: { run: { shell: { command: ls } } }
  - c: { call: ship@default }
`);
    assert.deepEqual(plain(nodes.slice(1).map((node) => (node.kind === "call" || node.kind === "run" ? [node.handler, node.request] : []))), [
      ["http", { method: "GET", endpoint: "https://example.com", output: "content", redirect: false }],
      ["shell", { command: "ls", return: "stdout" }],
      ["ship", undefined],
    ] as unknown as Json);
  });

  it("share what a named part was compiled to", async () => {
    const { nodes } = await compileText(`${HEAD}use: { retries: { a: { when: $error.status == 503 } } }
do:
  - x: { try: [], catch: { retry: a } }
  - y: { try: [], catch: { retry: a } }
  - z: { for: { in: .x }, do: [ { inner: { try: [], catch: { retry: a } } } ] }
`);
    const rules = nodes.flatMap((node) => (node.kind === "try" ? [node.catch.retry] : []));
    assert.equal(rules.length, 3);
    assert.equal(rules[0], rules[1]);
    assert.notEqual(rules[0], undefined);
  });

  it("try texts of data as expressions in loose mode, but never durations", async () => {
    const { nodes } = await compileText(`${HEAD}evaluate: { mode: loose }\ndo:\n  - a: { set: { x: .y, z: plain text } }\n  - b: { wait: PT5S }\n`);
    assert.deepEqual(plain(nodes.slice(1).map((node) => (node.kind === "set" ? node.value : node.kind === "wait" ? node.duration : null))), [
      ["${.y}"],
      "PT5S",
    ]);
  });
});
