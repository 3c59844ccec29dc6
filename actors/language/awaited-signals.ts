/**
 * Which signals the tasks of a workflow wait for. Pure.
 */
import type { Workflow } from "./model.ts";

/** Their names, each once, sorted; undefined if a task makes its name while the run is under way, so that nobody can tell. */
export function awaitedSignals({ nodes }: Workflow): readonly string[] | undefined {
  const names = nodes.flatMap((node) => (node.kind === "signal" ? [node.signal.constant] : []));
  return names.every((name) => typeof name === "string") ? [...new Set(names)].sort() : undefined;
}
