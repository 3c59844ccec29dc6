/**
 * The command `top`.
 */
import type { Command } from "commander";
import { pause } from "../../runtime/storage/pause.ts";
import { type CliContext, withGateway } from "./cli-context.ts";
import { ClusterWatch, type NodeReading } from "./cluster-watch.ts";
import { EXIT } from "./exit-code.ts";
import { LiveFrame } from "./live-frame.ts";
import { describeMember, percent } from "./node-table.ts";
import { tableLines } from "./output.ts";
import { printableNode } from "./wire.ts";

/** Time between two looks; rates are over it. */
const LOOK_EVERY_MS = 1_000;

const HEADINGS = ["NODE", "STATE", "SHARDS", "LOAD", "ACTIVE RUNS", "RUNS/S", "COMMITS/S", "ADDRESS"];

/** Adds the command to a program. `shared` gives a command the options that all clients have. */
export function addTopCommand(program: Command, context: CliContext, shared: (command: Command) => Command): void {
  shared(program.command("top"))
    .description("Show what all nodes do, anew each second until Ctrl-C; where nothing can be drawn over, once.")
    .action((options: { readonly address?: string }) =>
      withGateway(context, options.address, async (gateway) => {
        const { clock, output, interrupted, connect } = context;
        using watch = new ClusterWatch({ gateway, now: () => clock.monotonic(), connect });
        const frame = new LiveFrame(output.terminal);
        const isLive = output.terminal.isLive && !output.isJson;
        // The first look has no rates yet.
        let readings = await watch.read();
        do {
          if (isLive) frame.draw(linesOf(readings, context));
          await pause(LOOK_EVERY_MS, clock);
          readings = await watch.read();
        } while (isLive && !interrupted.aborted);
        if (interrupted.aborted) context.exitCode = EXIT.interrupted;
        if (!isLive) output.table(readings.map(printableReading), HEADINGS, readings.map(rowOf), "There are no nodes.");
      }),
    );
}

/** What fits on the screen. */
function linesOf(readings: readonly NodeReading[], { output }: CliContext): readonly string[] {
  const { columns, rows } = output.terminal;
  return tableLines([HEADINGS, ...readings.map(rowOf)], output.terminal, columns).slice(0, rows - 1);
}

function rowOf({ node, problem, activeRuns, endedRunsPerSecond, commitsPerSecond }: NodeReading): string[] {
  const [runs, ended, commits] = [activeRuns, endedRunsPerSecond, commitsPerSecond].map((value) =>
    value === undefined ? "-" : `${Math.round(value)}`,
  );
  // A problem names the address, and is what has to be seen where the line is cut.
  const where = problem || node.grpcAddress;
  const state = describeMember(node);
  return [node.name, state, `${node.shards}`, percent(node.load), runs ?? "-", ended ?? "-", commits ?? "-", where];
}

function printableReading({ node, ...rest }: NodeReading): object {
  return { ...printableNode(node), ...rest };
}
