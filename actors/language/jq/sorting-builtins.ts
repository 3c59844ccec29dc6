/**
 * The builtins that order and group arrays: `sort`, `sort_by(f)`, `group_by(f)`, `unique`, `min_by(f)` …
 */
import type { Json } from "../../json.ts";
import { valuesOf } from "./access.ts";
import type { BuiltinCompiler } from "./builtins.ts";
import { collect, one } from "./code.ts";
import { describe, JqFault } from "./fault.ts";
import type { Environment, Machine } from "./machine.ts";
import { compare, equals, isArray, sorted } from "./ordering.ts";
import type { Node } from "./syntax.ts";

/** An item with the key that it is ordered by. */
interface Keyed {
  readonly item: Json;
  readonly key: Json;
}

type Use = (machine: Machine, items: readonly Keyed[]) => Json;

/** What is said of an input that is no array: without and with the keys that were made of its values. */
interface Complaint {
  readonly plain: (input: Json) => string;
  readonly keyed: string;
}

const NOT_SORTABLE: Complaint = {
  plain: (input) => `${describe(input)} cannot be sorted, as it is not an array`,
  keyed: "cannot be sorted, as they are not both arrays",
};

const NOT_ITERABLE: Complaint = {
  plain: (input) => `${describe(input)} and ${describe(input)} cannot be iterated over`,
  keyed: "cannot be iterated over",
};

/** `sort` and the like: orders the items of its input by their own value. */
function plain(complaint: Complaint, use: Use): BuiltinCompiler {
  return () =>
    one((env, input) => {
      if (!isArray(input)) throw new JqFault(complaint.plain(input));
      const items = input.map((item) => ({ item, key: item }));
      return use(env.machine, items);
    });
}

/** `sort_by(f)` and the like: orders the items of its input by what `f` gives for them. */
function keyed(complaint: Complaint, use: Use): BuiltinCompiler {
  return (compiler, node, names) => {
    const code = compiler.code(node.args[0] as Node, names);
    const keyOf = (env: Environment, item: Json): Json => (code.kind === "one" ? code.run(env, item) : collect(code, env, item));
    return one((env, input) => {
      const items = valuesOf(input).map((item) => ({ item, key: keyOf(env, item) }));
      if (isArray(input)) return use(env.machine, items);
      const keys = items.map(({ key }) => (code.kind === "one" ? [key] : key));
      throw new JqFault(`${describe(input)} and ${describe(keys)} ${complaint.keyed}`);
    });
  };
}

const sort: Use = (machine, items) => sortedItems(machine, items).map(({ item }) => item);
const unique: Use = (machine, items) => groups(machine, items).map((group) => group[0] as Json);
const least: Use = (machine, items) => extreme(machine, items, (order) => order < 0);
const greatest: Use = (machine, items) => extreme(machine, items, (order) => order >= 0);

/** The builtins, by signature. */
export const SORTING_BUILTINS: ReadonlyMap<string, BuiltinCompiler> = new Map<string, BuiltinCompiler>([
  ["sort/0", plain(NOT_SORTABLE, sort)],
  ["sort_by/1", keyed(NOT_SORTABLE, sort)],
  ["unique/0", plain(NOT_SORTABLE, unique)],
  ["unique_by/1", keyed(NOT_SORTABLE, unique)],
  ["group_by/1", keyed(NOT_SORTABLE, groups)],
  ["min/0", plain(NOT_ITERABLE, least)],
  ["min_by/1", keyed(NOT_ITERABLE, least)],
  ["max/0", plain(NOT_ITERABLE, greatest)],
  ["max_by/1", keyed(NOT_ITERABLE, greatest)],
]);

function sortedItems(machine: Machine, items: readonly Keyed[]): readonly Keyed[] {
  return sorted(machine, items, ({ key }) => key);
}

function groups(machine: Machine, items: readonly Keyed[]): Json[][] {
  const result: Json[][] = [];
  let last: Keyed | undefined;
  for (const current of sortedItems(machine, items)) {
    if (last !== undefined && equals(machine, last.key, current.key)) (result.at(-1) as Json[]).push(current.item);
    else result.push([current.item]);
    last = current;
  }
  return result;
}

/** The least or greatest item: the first that `replaces` none, or null if there is none. */
function extreme(machine: Machine, items: readonly Keyed[], replaces: (order: number) => boolean): Json {
  let best: Keyed | undefined;
  for (const current of items) {
    machine.charge(1);
    if (best === undefined || replaces(compare(machine, current.key, best.key))) best = current;
  }
  return best === undefined ? null : best.item;
}
