/**
 * Reads the paths of tasks in a run's history (`/do/0/each[3]/do/1/send`): JSON pointers into the document, with the iterations of loops.
 */

const UNDO = "/metadata/compensate";

/**
 * The name to show for a task: its own (given as the empty text, because the entry has it), `#3` for the third iteration of a loop, or
 * undefined for a list that has no name of its own: the root, the bodies of `try`, `catch` and of a compensation.
 */
export function writtenName(path: string): string | undefined {
  const segments = path.split("/");
  const isNamed = /^\d+$/.test(segments.at(-2) ?? "");
  if (isNamed) return "";
  const iteration = /\[(\d+)\]$/.exec(segments.at(-2) ?? "");
  return iteration !== null && segments.at(-1) === "do" ? `#${Number(iteration[1]) + 1}` : undefined;
}

/** Name of the task that a task undoes, or empty if it undoes none. */
export function undoneTask(path: string): string {
  const at = path.indexOf(UNDO);
  return at < 0 ? "" : decode(path.slice(0, at).split("/").at(-1) ?? "");
}

/** Paths that may belong to the task around a task, the nearest first. */
export function parentPaths(path: string): string[] {
  const parents: string[] = [];
  for (let at = path.lastIndexOf("/"); at > 0; at = path.lastIndexOf("/", at - 1)) {
    const outer = path.slice(0, at);
    parents.push(outer);
    const withoutIteration = outer.replace(/\[\d+\]$/, "");
    if (withoutIteration !== outer) parents.push(withoutIteration);
  }
  return parents;
}

function decode(segment: string): string {
  return segment
    .replace(/\[\d+\]$/, "")
    .replaceAll("~1", "/")
    .replaceAll("~0", "~");
}
