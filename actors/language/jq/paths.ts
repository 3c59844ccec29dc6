/**
 * Reading, setting and deleting what stands at a path. Values are never changed: what is on the way to the place is copied, once per
 * {@link Draft}.
 */
import type { Json } from "../../json.ts";
import { index, type MutableObject, put, sliceBounds } from "./access.ts";
import type { Path } from "./code.ts";
import { JqFault } from "./fault.ts";
import type { Machine } from "./machine.ts";
import { compare, equals, isArray, isObject, typeOf } from "./ordering.ts";

/** What stands at a path; null if the path leaves the value. */
export function getPath(machine: Machine, value: Json, path: Path): Json {
  let current = value;
  for (const key of path) current = index(machine, current, key);
  return current;
}

/**
 * A value that is being changed at many paths. Containers that it has copied are its own and are changed in place; as soon as one of them
 * is shown to others it is no longer its own.
 */
export class Draft {
  readonly #machine: Machine;
  readonly #own = new Set<Json>();
  #root: Json;

  constructor(machine: Machine, root: Json) {
    this.#machine = machine;
    this.#root = root;
  }

  /** The value as it is now. The draft must not be changed afterwards. */
  get value(): Json {
    return this.#root;
  }

  get(path: Path): Json {
    const found = getPath(this.#machine, this.#root, path);
    if (this.#own.has(found)) this.#own.clear();
    return found;
  }

  set(path: Path, value: Json): void {
    this.#root = this.#placed(this.#root, path, 0, value);
  }

  #placed(target: Json, path: Path, depth: number, value: Json): Json {
    this.#machine.charge(1);
    if (depth === path.length) return value;
    const key = path[depth] as Json;
    if (isSliceKey(key)) return this.#placedSlice(target, key, path, depth, value);
    if (isArray(target) && isArray(key)) throw new JqFault("Cannot update field at array index of array");
    const inner = this.#placed(index(this.#machine, target, key), path, depth + 1, value);
    if (typeof key === "string") {
      const copy = this.#owned(target ?? {}) as MutableObject;
      put(copy, key, inner);
      return copy;
    }
    const copy = this.#owned(target ?? []) as Json[];
    const at = Math.trunc(key as number);
    const position = at < 0 ? at + copy.length : at;
    if (Number.isNaN(position)) throw new JqFault("Cannot set array element at NaN index");
    if (position < 0) throw new JqFault("Out of bounds negative array index");
    this.#machine.charge(Math.max(position - copy.length, 0));
    while (copy.length < position) copy.push(null);
    copy[position] = inner;
    return copy;
  }

  #placedSlice(target: Json, key: SliceKey, path: Path, depth: number, value: Json): Json {
    if (typeof target === "string") throw new JqFault("Cannot update string slices");
    if (target !== null && !isArray(target)) throw new JqFault(`Cannot update field at object index of ${typeOf(target)}`);
    const inner = this.#placed(index(this.#machine, target, { start: key.start, end: key.end }), path, depth + 1, value);
    if (!isArray(inner)) throw new JqFault("A slice of an array can only be assigned another array");
    const copy = this.#owned(target ?? []) as Json[];
    const [start, end] = sliceBounds(key.start, key.end, copy.length);
    this.#machine.charge(inner.length + copy.length);
    return [...copy.slice(0, start), ...inner, ...copy.slice(end)];
  }

  #owned(container: Json): Json {
    if (this.#own.has(container)) return container;
    const copy = isArray(container) ? [...container] : { ...(container as MutableObject) };
    this.#machine.charge(1 + Object.keys(copy).length);
    this.#own.add(copy);
    return copy;
  }
}

/** The value without what stands at the paths. */
export function deletePaths(machine: Machine, value: Json, paths: readonly Path[]): Json {
  if (paths.some((path) => path.length === 0)) return null;
  machine.charge(paths.length);
  return deleteSorted(
    machine,
    value,
    paths.toSorted((a, b) => compare(machine, a, b)),
    0,
  );
}

interface SliceKey {
  readonly start: Json;
  readonly end: Json;
}

function isSliceKey(key: Json): key is SliceKey & { readonly [key: string]: Json } {
  return isObject(key) && Object.hasOwn(key, "start") && Object.hasOwn(key, "end");
}

function deleteSorted(machine: Machine, target: Json, paths: readonly Path[], depth: number): Json {
  const doomed: Json[] = [];
  const draft = new Draft(machine, target);
  for (let from = 0, to = 0; from < paths.length; from = to) {
    const key = (paths[from] as Path)[depth] as Json;
    to = from + 1;
    while (to < paths.length && equals(machine, key, (paths[to] as Path)[depth] as Json)) to += 1;
    if ((paths[from] as Path).length === depth + 1) {
      doomed.push(key);
      continue;
    }
    const inner = getPath(machine, draft.value, [key]);
    if (inner !== null) draft.set([key], deleteSorted(machine, inner, paths.slice(from, to), depth + 1));
  }
  return doomed.length === 0 ? draft.value : deleteKeys(machine, draft.value, doomed);
}

function deleteKeys(machine: Machine, target: Json, keys: readonly Json[]): Json {
  if (target === null) return null;
  if (isObject(target)) {
    const names = keys.map((key) => {
      if (typeof key !== "string") throw new JqFault(`Cannot delete field at ${indexName(key)} index of object`);
      return key;
    });
    const copy = { ...target };
    machine.charge(1 + Object.keys(copy).length);
    for (const name of names) Reflect.deleteProperty(copy, name);
    return copy;
  }
  if (!isArray(target)) throw new JqFault(`Cannot delete fields from ${typeOf(target)}`);
  machine.charge(1 + target.length);
  const doomed = new Set<number>();
  for (const key of keys) doom(machine, doomed, key, target.length);
  return target.filter((_item, at) => !doomed.has(at));
}

function doom(machine: Machine, doomed: Set<number>, key: Json, length: number): void {
  if (typeof key === "number") {
    doomed.add(key < 0 ? Math.trunc(key) + length : Math.trunc(key));
    return;
  }
  if (!isSliceKey(key)) throw new JqFault(`Cannot delete field at ${indexName(key)} index of array`);
  const [start, end] = sliceBounds(key.start, key.end, length);
  machine.charge(end - start);
  for (let at = start; at < end; at++) doomed.add(at);
}

function indexName(key: Json): string {
  if (typeof key === "number") return "array";
  return typeof key === "string" || isObject(key) ? "object" : typeOf(key);
}
