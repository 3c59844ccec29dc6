/**
 * The builtins that order and group arrays: `sort`, `sort_by(f)`, `group_by(f)`, `unique`, `min_by(f)` …
 */
import type { Json } from "../../json.ts";
import type { BuiltinCompiler } from "./builtins.ts";
import { collect, one } from "./code.ts";
import { describe, JqFault } from "./fault.ts";
import type { Environment, Machine } from "./machine.ts";
import { compare, equals, isArray, isObject, sorted } from "./ordering.ts";

/** An item with the key that it is ordered by. */
interface Keyed {
  readonly item: Json;
  readonly key: Json;
}

type Use = (machine: Machine, items: readonly Keyed[]) => Json;

/** A builtin that orders the items of its input by their own value, or by what its argument gives for them. */
function ordering(verb: string, use: Use): BuiltinCompiler {
  return (compiler, node, names) => {
    const filter = node.args[0];
    if (filter === undefined) {
      return one((env, input) =>
        use(
          env.machine,
          itemsOf(verb, input).map((item) => ({ item, key: item })),
        ),
      );
    }
    const code = compiler.code(filter, names);
    const keyOf = (env: Environment, item: Json): Json => (code.kind === "one" ? code.run(env, item) : collect(code, env, item));
    return one((env, input) =>
      use(
        env.machine,
        keyedItems(verb, input).map((item) => ({ item, key: keyOf(env, item) })),
      ),
    );
  };
}

/** The builtins, by signature. */
export const SORTING_BUILTINS: ReadonlyMap<string, BuiltinCompiler> = new Map<string, BuiltinCompiler>(
  (
    [
      ["sort", "sort_by", "cannot be sorted, as it is not an array", (machine, items) => sortedItems(machine, items).map(({ item }) => item)],
      ["unique", "unique_by", "cannot be sorted, as it is not an array", (machine, items) => groups(machine, items).map((group) => group[0] as Json)],
      ["group", "group_by", "cannot be grouped, as it is not an array", (machine, items) => groups(machine, items)],
      ["min", "min_by", "cannot be iterated over", (machine, items) => extreme(machine, items, (order) => order < 0)],
      ["max", "max_by", "cannot be iterated over", (machine, items) => extreme(machine, items, (order) => order >= 0)],
    ] as readonly [string, string, string, Use][]
  ).flatMap(([plain, keyed, verb, use]): [string, BuiltinCompiler][] => [
    ...(plain === "group" ? [] : [[`${plain}/0`, ordering(verb, use)] as [string, BuiltinCompiler]]),
    [`${keyed}/1`, ordering(verb, use)],
  ]),
);

function itemsOf(verb: string, input: Json): readonly Json[] {
  if (!isArray(input)) throw new JqFault(`${describe(input)} ${verb}`);
  return input;
}

/** As {@link itemsOf}, but `f` is applied by `map`, which complains first about what it can't iterate over. */
function keyedItems(verb: string, input: Json): readonly Json[] {
  if (isArray(input)) return input;
  if (isObject(input)) throw new JqFault(`${describe(input)} ${verb}`);
  throw new JqFault(`Cannot iterate over ${describe(input)}`);
}

function sortedItems(machine: Machine, items: readonly Keyed[]): readonly Keyed[] {
  return sorted(machine, items, (keyed) => keyed.key);
}

function groups(machine: Machine, items: readonly Keyed[]): Json[][] {
  const result: Json[][] = [];
  let last: Keyed | undefined;
  for (const keyed of sortedItems(machine, items)) {
    if (last !== undefined && equals(machine, last.key, keyed.key)) (result.at(-1) as Json[]).push(keyed.item);
    else result.push([keyed.item]);
    last = keyed;
  }
  return result;
}

/** The least or greatest item: the first that `replaces` none, or null if there is none. */
function extreme(machine: Machine, items: readonly Keyed[], replaces: (order: number) => boolean): Json {
  let best: Keyed | undefined;
  for (const keyed of items) {
    machine.charge(1);
    if (best === undefined || replaces(compare(machine, keyed.key, best.key))) best = keyed;
  }
  return best === undefined ? null : best.item;
}
