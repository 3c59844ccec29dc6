/**
 * Follows a run to its end: on a terminal as a tree, elsewhere as lines, for programs as JSON.
 */
import type { CliContext } from "./cli-context.ts";
import type { Gateway } from "./gateway-port.ts";
import { LiveTree } from "./live-tree.ts";
import type { RunTree } from "./run-tree.ts";
import { printableEntry } from "./wire.ts";

/** Follows a run until it has ended or the command is interrupted; answers the tree as it was then. With JSON it prints each entry. */
export async function followRun(context: CliContext, gateway: Gateway, runId: string): Promise<RunTree> {
  const { output } = context;
  const live = new LiveTree(runId, output.terminal, context.clock);
  try {
    for await (const entry of gateway.watch(runId, 1, context.interrupted)) {
      if (!output.isJson) live.add(entry);
      else {
        live.tree.apply(entry);
        output.answer(printableEntry(entry), () => "");
      }
    }
  } finally {
    if (!output.isJson) live.close();
  }
  return live.tree;
}
