/**
 * Finds live actors by path. It keeps no table of its own: the tree of parents and children is the table, so an actor costs no entry here.
 */

/** A node of the tree. */
export interface Branch<T> {
  readonly children: ReadonlyMap<string, T> | undefined;
}

/** The names that a path consists of, or undefined if it is not a path: "/shards/12" is ["shards", "12"], "/" is []. */
function parsePath(path: string): readonly string[] | undefined {
  if (!path.startsWith("/")) return undefined;
  if (path === "/") return [];
  const names = path.slice(1).split("/");
  return names.every((name) => name.length > 0) ? names : undefined;
}

/** The live actor at `path` below `root`, or undefined. */
export function findByPath<T extends Branch<T>>(root: T, path: string): T | undefined {
  const names = parsePath(path);
  if (names === undefined) return undefined;
  let branch: T | undefined = root;
  for (const name of names) branch = branch?.children?.get(name);
  return branch;
}

/** Every live actor below `root`, parents before children. */
export function* walk<T extends Branch<T>>(root: T): Generator<T> {
  for (const child of root.children?.values() ?? []) {
    yield child;
    yield* walk(child);
  }
}
