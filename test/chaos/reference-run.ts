/**
 * A run that uses every kind of task, and every reason to wait, once. For tests that break something at each of its writes in turn.
 */
import { HEAD } from "../support/compile-document.ts";
import type { Expected, Kind } from "./workflows.ts";

const CALL = "call: charge@default, with: { value";

const EVERYTHING = `
do:
  - call: { ${CALL}: "\${ .n }" } }
  - set: { set: { value: "\${ . }" } }
  - choose: { switch: [ { positive: { when: .value >= 0, then: loop } }, { other: { then: end } } ] }
  - never: { raise: { error: { type: https://example.org/never, status: 500 } } }
  - loop:
      for: { each: item, in: "[1, 2]" }
      do: [ { inner: { ${CALL}: "\${ .value + $item }" }, output: { as: "{ value: . }" } } } ]
  - pause: { wait: { milliseconds: 3 } }
  - ask: { call: signal@default, with: { name: go }, export: { as: "{ heard: . }" }, output: { as: "{ value: . }" } }
  - many:
      fork:
        branches:
          - get: { call: http, with: { method: get, endpoint: https://example.org/ } }
          - shell: { run: { shell: { command: echo } } }
          - block: { do: [ { deep: { ${CALL}: "\${ .value }" } } } ] }
  - careful:
      try: [ { raise: { raise: { error: { type: https://example.org/raised, status: 503 } } } } ]
      catch:
        retry: { delay: { milliseconds: 3 }, limit: { attempt: { count: 1 } } }
        do: [ { caught: { ${CALL}: "\${ .[2] }" } } } ]
  - race: { fork: { compete: true, branches: [ { quick: { ${CALL}: "\${ . }" } } }, { slow: { wait: { hours: 1 } } } ] } }
  - bounded:
      try: [ { never: { call: signal@default, with: { name: never }, timeout: { after: { milliseconds: 3 } } } } ]
      catch: { do: [ { late: { ${CALL}: "\${ . }" } } } ] }
  - stubborn: { call: ship@default, with: { value: "\${ . }" } }
output: { as: "{ result: ., heard: $context.heard }" }
`;

/** Does two things, fails, and undoes them. */
const UNDOING = `
do:
  - room: { ${CALL}: "\${ .n }" }, metadata: { compensate: [ { leave: { ${CALL}: "\${ .output }" } } } ] } }
  - ask: { call: signal@default, with: { name: go } }
  - car: { ${CALL}: "\${ . }" }, metadata: { compensate: [ { pause: { wait: { milliseconds: 3 } } }, { giveBack: { ${CALL}: "\${ .output }" } } } ] } }
  - fail: { raise: { error: { type: https://example.org/raised, status: 409, detail: "\${ \\"no \\\\(.)\\" }" } } }
`;

const kind = (name: string, body: string, expect: (n: number) => Expected): Kind => ({ name, drive: "signal", document: HEAD + body, expect });

/** The runs. The signal's payload is `n`. */
export const REFERENCES: readonly Kind[] = [
  kind("everything", EVERYTHING, (n) => ({ status: "completed", output: { result: n + 1, heard: { value: n } } })),
  kind("undoing", UNDOING, (n) => ({ status: "failed", detail: `no ${n}` })),
];
