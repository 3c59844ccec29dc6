/** Random workflow documents that are valid: every kind of task, nested, with retries, timeouts, compensation and jumps. */
import fc from "fast-check";
import type { Json } from "../../actors/json.ts";

type Task = { readonly [name: string]: Json };
type Named = { readonly [name: string]: Task };

const HANDLERS = ["charge", "refund", "ship"] as const;
const SIGNALS = ["go", "stop"] as const;

/** A whole document as JSON text. */
export function randomDocument(): fc.Arbitrary<string> {
  return taskList(3).map((tasks) =>
    JSON.stringify({ document: { dsl: "1.0.3", namespace: "test", name: "random", version: "1.0.0" }, timeout: { after: { days: 30 } }, do: tasks }),
  );
}

/** Names of the signals that documents wait for. */
export const RANDOM_SIGNALS: readonly string[] = SIGNALS;

function taskList(depth: number): fc.Arbitrary<Named[]> {
  return fc.array(task(depth), { minLength: 1, maxLength: 3 }).map((tasks) => tasks.map((body, index) => ({ [`t${index}`]: body })));
}

function task(depth: number): fc.Arbitrary<Task> {
  const kinds = depth === 0 ? leaves() : [...leaves(), ...composites(depth - 1)];
  return fc.tuple(fc.oneof(...kinds), extras(depth)).map(([body, extra]) => ({ ...body, ...extra }));
}

function leaves(): fc.Arbitrary<Task>[] {
  const call = fc.constantFrom(...HANDLERS).map((handler): Task => ({ call: `${handler}@default` }));
  return [
    call,
    call,
    fc.integer({ min: 0, max: 9 }).map((n): Task => ({ set: { n } })),
    fc.constant<Task>({ set: { copy: "${ . }", context: "${ $context }" } }),
    fc.integer({ min: 0, max: 90 }).map((seconds): Task => ({ wait: { seconds } })),
    fc.constantFrom(...SIGNALS).map((name): Task => ({ call: "signal@default", with: { name } })),
    fc.constantFrom(400, 503).map((status): Task => ({ raise: { error: { type: "https://e.example/raised", status } } })),
    fc
      .constantFrom("continue", "exit", "end")
      .map((then): Task => ({ switch: [{ a: { when: '${ $task.name == "t1" }', then } }, { b: { then: "continue" } }] })),
  ];
}

function composites(depth: number): fc.Arbitrary<Task>[] {
  const list = taskList(depth);
  const branches = fc.tuple(fc.boolean(), fc.array(task(depth), { minLength: 1, maxLength: 3 }));
  const retry = fc.constantFrom<Json>({ delay: { seconds: 1 }, limit: { attempt: { count: 2 } } }, { limit: { attempt: { count: 1 } } });
  return [
    list.map((tasks): Task => ({ do: tasks })),
    fc.tuple(fc.integer({ min: 0, max: 3 }), list).map(([n, tasks]): Task => ({ for: { in: `\${ [range(${n})] }` }, do: tasks })),
    branches.map(([compete, tasks]): Task => ({ fork: { compete, branches: tasks.map((body, index) => ({ [`b${index}`]: body })) } })),
    fc.tuple(list, list).map(([tasks, caught]): Task => ({ try: tasks, catch: { do: caught } })),
    fc.tuple(list, retry).map(([tasks, rule]): Task => ({ try: tasks, catch: { errors: { with: { status: 503 } }, retry: rule } })),
  ];
}

function extras(depth: number): fc.Arbitrary<Task> {
  const none = fc.constant<Task>({});
  const some: fc.Arbitrary<Task>[] = [
    fc.constantFrom("continue", "exit", "end").map((then): Task => ({ then })),
    fc.constant<Task>({ timeout: { after: { seconds: 40 } } }),
    fc.constant<Task>({ if: '${ $task.name != "t2" }' }),
    fc.constant<Task>({ export: { as: "${ {seen: $task.name} }" } }),
    fc.constant<Task>({ output: { as: "${ {out: .} }" } }),
  ];
  if (depth > 0) some.push(fc.constant<Task>({ metadata: { compensate: [{ undo: { call: "refund@default" } }] } }));
  return fc.oneof({ arbitrary: none, weight: 4 }, { arbitrary: fc.oneof(...some), weight: 2 });
}
