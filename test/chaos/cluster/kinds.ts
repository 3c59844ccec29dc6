/**
 * The workflows of the cluster's crash test beside those of a single node's.
 */
import { KINDS, type Kind, NAMESPACE } from "../workflows.ts";

const HEAD = (name: string): string => `document: { dsl: "1.0.3", namespace: ${NAMESPACE}, name: ${name}, version: "1.0.0" }\ndo:\n`;
const STEPS = 40;

/** Writes something every 100 ms for at least four seconds, so that some of them are under way whenever a node is lost. */
export const MARCH: Kind = {
  name: "march",
  drive: "nothing",
  document: `${HEAD("march")}  - all:
      input: { from: "{ total: .n }" }
      for: { each: item, in: "[range(${STEPS})]" }
      do:
        - rest: { wait: { milliseconds: 100 } }
        - add: { call: add@default, with: { value: "\${ .total }", by: 1 }, output: { as: "{ total: . }" } }
`,
  expect: (n) => ({ status: "completed", output: { total: n + STEPS } }),
};

/** Fills the heap of the thread that executes it. */
export const HOG: Kind = {
  name: "hog",
  drive: "nothing",
  document: `${HEAD("hog")}  - eat: { call: hog@default, with: { value: "\${ .n }" } }\n`,
  expect: () => ({ status: "failed" }),
};

/** What clients order; a fifth of it marches. */
export const ORDERED: readonly Kind[] = [...KINDS, MARCH, MARCH, MARCH];
