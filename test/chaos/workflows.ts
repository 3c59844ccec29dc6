/**
 * The workflows of the crash tests: small ones that use every way in which a run waits or goes on. The result of each is a function of its input `n`,
 * so that a client can tell, whatever happened meanwhile, whether a run ended right.
 */
import type { Json } from "../../actors/json.ts";

/** Namespace of the documents. */
export const NAMESPACE = "chaos";

/** How a run has to end. */
export interface Expected {
  readonly status: "completed" | "failed" | "cancelled";
  /** When completed. */
  readonly output?: Json;
  /** Detail of the error, when failed. */
  readonly detail?: string;
}

/** What a client does with a run beside starting it. */
export type Drive = "nothing" | "signal" | "cancel";

/** One workflow. */
export interface Kind {
  readonly name: string;
  readonly drive: Drive;
  readonly document: string;
  expect(n: number): Expected;
}

const call = (handler: string, input: string): string => `{ call: ${handler}@default, with: { ${input} } }`;
const add = (value: string, by: string): string => call("add", `value: "\${ ${value} }", by: ${by}`);
const undone = (task: string, undo: string): string => `${task.slice(0, -2)}, metadata: { compensate: [ { undo: ${undo} } ] } }`;

function kind(name: string, drive: Drive, body: string, expect: Kind["expect"]): Kind {
  return { name, drive, document: `document: { dsl: "1.0.3", namespace: ${NAMESPACE}, name: ${name}, version: "1.0.0" }\ndo:\n${body}`, expect };
}

const completed = (output: Json): Expected => ({ status: "completed", output });

/** Payload of the signal that a run of the workflow `signal` is sent. */
export function signalPayload(n: number): string {
  return String(7 * n);
}

/** All of them. */
export const KINDS: readonly Kind[] = [
  kind("steps", "nothing", `  - one: ${add(".n", "1")}\n  - two: ${add(".", "10")}\n  - three: ${add(".", "100")}\n`, (n) => completed(n + 111)),
  kind(
    "fork",
    "nothing",
    `  - all:
      fork:
        branches:
          - a: ${add(".n", "1")}
          - b: ${add(".n", "2")}
          - c: { do: [ { c1: ${add(".n", "3")} }, { c2: ${add(".", "4")} } ] }
`,
    (n) => completed([n + 1, n + 2, n + 7]),
  ),
  kind("retry", "nothing", `  - hard: ${call("stubborn", 'value: "${ .n }"')}\n`, (n) => completed({ value: n, attempt: 3 })),
  kind(
    "again",
    "nothing",
    `  - careful:
      try: [ { pay: ${call("refuse", 'value: "${ .n }"')} } ]
      catch:
        errors: { with: { status: 503 } }
        as: failure
        retry: { delay: { milliseconds: 30 }, limit: { attempt: { count: 2 } } }
        do: [ { note: { set: { gaveUp: "\${ .n }", why: "\${ $failure.detail }" } } } ]
`,
    (n) => completed({ gaveUp: n, why: `refused ${n}` }),
  ),
  kind("wait", "nothing", `  - one: ${add(".n", "1")}\n  - pause: { wait: { milliseconds: 120 } }\n  - two: ${add(".", "2")}\n`, (n) =>
    completed(n + 3),
  ),
  kind(
    "loop",
    "nothing",
    `  - sum:
      input: { from: "{ total: .n }" }
      for: { each: item, in: "[1, 2, 3, 4, 5]" }
      do: [ { add: { call: add@default, with: { value: "\${ .total }", by: "\${ $item }" }, output: { as: "{ total: . }" } } } ]
`,
    (n) => completed({ total: n + 15 }),
  ),
  kind(
    "timeout",
    "nothing",
    `  - bounded:
      try: [ { never: { call: signal@default, with: { name: never }, timeout: { after: { milliseconds: 80 } } } } ]
      catch: { do: [ { late: ${add(".n", "5")} } ] }
`,
    (n) => completed(n + 5),
  ),
  kind("signal", "signal", `  - one: ${add(".n", "1")}\n  - go: { call: signal@default, with: { name: go } }\n  - last: ${add(".", "1000")}\n`, (n) =>
    completed(7 * n + 1_000),
  ),
  kind(
    "compensate",
    "nothing",
    `  - room: ${undone(add(".n", "1"), add(".output", "-1"))}\n  - car: ${undone(add(".", "2"), add(".output", "-2"))}\n  - pay: ${call("refuse", 'value: "${ . }"')}\n`,
    (n) => ({ status: "failed", detail: `refused ${n + 3}` }),
  ),
  kind("cancel", "cancel", `  - room: ${undone(add(".n", "1"), add(".output", "-1"))}\n  - long: { wait: { hours: 1 } }\n`, () => ({
    status: "cancelled",
  })),
];
