/**
 * What the runs of a simulated world execute: random programs over one number, out of every way in which a run waits, goes on, fails and undoes. A program is a
 * tree; it becomes a workflow document for the product, and is interpreted by itself for what has to come out.
 *
 * However its steps are interleaved, delayed or repeated, a program has one result: branches of a fork do not fail, and what is undone stands outside
 * of everything.
 */
import type { Json } from "../../actors/json.ts";
import type { Random } from "../../runtime/random.ts";
import { between, happens, pick } from "./faults.ts";

/** One step: takes a number, gives a number. */
export type Step =
  /** Adds. `fails`: how many attempts fail before. */
  | { readonly kind: "add"; readonly by: number; readonly fails: number }
  /** Adds, and takes it away again if the run fails or is cancelled. `id`: unique in the program. */
  | { readonly kind: "undoable"; readonly by: number; readonly id: number }
  /**
   * Adds, in one of the slots of a concurrency key. `fails`: as of `add`; `patienceMs`: how long it may take until it is stopped, and done without a
   * slot; 0: for ever.
   */
  | { readonly kind: "limited"; readonly by: number; readonly line: Line; readonly fails: number; readonly patienceMs: number }
  | { readonly kind: "wait"; readonly ms: number }
  /** Gives the number of the next signal. */
  | { readonly kind: "ask" }
  | { readonly kind: "loop"; readonly items: readonly number[]; readonly body: readonly Step[] }
  /** Gives the sum of what the branches give. */
  | { readonly kind: "fork"; readonly branches: readonly (readonly Step[])[] }
  /** Does the body, fails, and does what is caught with the number from before. `retries`: how often the body is done again first. */
  | { readonly kind: "rescue"; readonly body: readonly Step[]; readonly caught: readonly Step[]; readonly retries: number }
  /** Waits in vain, and adds. */
  | { readonly kind: "late"; readonly ms: number; readonly by: number }
  /** Ends the process that executes it, and adds once that is known. */
  | { readonly kind: "poison"; readonly by: number };

/** A concurrency key with a limit. */
export interface Line {
  readonly key: string;
  readonly limit: number;
}

/** Keys that many programs share. */
const LINES: readonly Line[] = [
  { key: "one", limit: 1 },
  { key: "two", limit: 2 },
];
/** A key that the run's input tells. Programs do not agree about its limit: the least counts. */
const KEY_OF_INPUT = "${ $workflow.input.desk }";

/** The keys that inputs of runs tell. */
export const DESKS = ["left", "right"] as const;

/** A program. */
export interface Program {
  readonly steps: readonly Step[];
  /** After the steps: completes, fails, or waits for so long that it has to be cancelled. */
  readonly ending: "complete" | "fail" | "wait";
}

const LONGEST_WAIT_MS = 8_000;
/** Share of the simple steps that need a slot of a concurrency key, and of these, that are not waited for long. */
const LIMITED_SHARE = 0.5;
const HASTY_SHARE = 0.3;

/** A random program. `isPoisonous`: with a step that ends a node. */
export function randomProgram(random: Random, isPoisonous: boolean): Program {
  let lastId = 0;
  const limited = (by: number): Step => {
    const line = happens(random, 0.8) ? pick(random, LINES) : { key: KEY_OF_INPUT, limit: 1 + (random.uint32() % 3) };
    const fails = happens(random, 0.2) ? 1 : 0;
    return { kind: "limited", by, line, fails, patienceMs: happens(random, HASTY_SHARE) ? Math.floor(between(random, 100, 4_000)) : 0 };
  };
  const simple = (): Step => {
    const by = 1 + (random.uint32() % 9);
    if (happens(random, LIMITED_SHARE)) return limited(by);
    const chance = random.fraction();
    if (chance < 0.45) return { kind: "add", by, fails: 0 };
    if (chance < 0.6) return { kind: "add", by, fails: 1 + (random.uint32() % 2) };
    if (chance < 0.85) return { kind: "wait", ms: Math.floor(between(random, 1, LONGEST_WAIT_MS)) };
    return { kind: "late", ms: Math.floor(between(random, 10, LONGEST_WAIT_MS / 2)), by };
  };
  const some = (most: number, make: () => Step): Step[] => Array.from({ length: 1 + (random.uint32() % most) }, make);
  const nested = (depth: number): Step => {
    const inner = (): Step => (depth > 0 && happens(random, 0.25) ? nested(depth - 1) : simple());
    const kind = pick(random, ["loop", "fork", "rescue"] as const);
    if (kind === "loop") return { kind, items: [1, 2, 3].slice(random.uint32() % 3), body: some(2, inner) };
    if (kind === "fork") return { kind, branches: Array.from({ length: 2 + (random.uint32() % 2) }, () => some(2, inner)) };
    return { kind, body: some(2, inner), caught: some(2, inner), retries: random.uint32() % 2 };
  };
  const top = (): Step => {
    const chance = random.fraction();
    if (chance < 0.2) return { kind: "ask" };
    if (chance < 0.4) return { kind: "undoable", by: 1 + (random.uint32() % 9), id: ++lastId };
    return chance < 0.65 ? nested(1) : simple();
  };
  const steps = some(4, top);
  if (isPoisonous) steps.push({ kind: "poison", by: 5 });
  return { steps, ending: pick(random, ["complete", "complete", "complete", "fail", "wait"] as const) };
}

/** How many signals a run of the program takes. */
export function signalsOf({ steps }: Program): number {
  return steps.filter(({ kind }) => kind === "ask").length;
}

/** The workflow document of a program, as JSON. */
export function documentOf({ steps, ending }: Program, name: string): string {
  const endings = { complete: [], fail: [call("refuse", { value: "${ . }" })], wait: [{ wait: { hours: 10 } }] } as const;
  const document = { dsl: "1.0.3", namespace: "simulation", name, version: "1.0.0" };
  return JSON.stringify({ document, input: { from: "${ .n }" }, do: named([...steps.flatMap(tasksOf), ...endings[ending]]) });
}

type Task = { readonly [key: string]: Json };

function named(tasks: readonly Task[]): Json {
  return tasks.map((task, place) => ({ [`t${place}`]: task }));
}

function call(handler: string, input: Task): Task {
  return { call: `${handler}@default`, with: input };
}

function add(by: number): Task {
  return call("add", { value: "${ . }", by });
}

function limitedTask({ by, line, fails, patienceMs }: Extract<Step, { kind: "limited" }>): Task {
  const task = { ...call("limited", { value: "${ . }", by, fails, ...line }), metadata: { concurrency: { ...line } } };
  if (patienceMs === 0) return task;
  return { try: named([{ ...task, timeout: { after: { milliseconds: patienceMs } } }]), catch: { do: named([add(by)]) } };
}

function list(steps: readonly Step[]): Json {
  return named(steps.flatMap(tasksOf));
}

function tasksOf(step: Step): readonly Task[] {
  switch (step.kind) {
    case "add":
      return [step.fails === 0 ? add(step.by) : call("stubborn", { value: "${ . }", by: step.by, fails: step.fails })];
    case "limited":
      return [limitedTask(step)];
    case "undoable": {
      const undo = call("add", { value: "${ .output }", by: -step.by });
      return [{ ...add(step.by), metadata: { compensate: [{ [`undo${step.id}`]: undo }] } }];
    }
    case "wait":
      return [{ wait: { milliseconds: step.ms } }];
    case "ask":
      return [call("signal", { name: "go" })];
    case "loop":
      return [{ for: { each: "item", in: JSON.stringify(step.items) }, do: list(step.body) }];
    case "fork":
      return [
        { fork: { branches: step.branches.map((branch, place) => ({ [`b${place}`]: { do: list(branch) } })) } },
        call("sum", { values: "${ . }" }),
      ];
    case "rescue": {
      const retry = step.retries === 0 ? {} : { retry: { delay: { milliseconds: 200 }, limit: { attempt: { count: step.retries } } } };
      const body = named([...step.body.flatMap(tasksOf), call("refuse", { value: "${ . }" })]);
      return [{ try: body, catch: { ...retry, do: list(step.caught) } }];
    }
    case "late": {
      const never = { call: "signal@default", with: { name: "never" }, timeout: { after: { milliseconds: step.ms } } };
      return [{ try: named([never]), catch: { do: named([add(step.by)]) } }];
    }
    case "poison":
      return [{ try: named([call("poison", { value: "${ . }" })]), catch: { do: named([add(step.by)]) } }];
  }
}
