/**
 * Commands about the nodes of a cluster: `node ...`, `shard ...`.
 */
import type { Command } from "commander";
import { pause } from "../../runtime/storage/pause.ts";
import { type CliContext, withGateway } from "./cli-context.ts";
import { commandHint } from "./command-hint.ts";
import { EXIT } from "./exit-code.ts";
import type { Gateway } from "./gateway-port.ts";
import { NODE_HEADINGS, nodeRow, percent } from "./node-table.ts";
import { drawShards, type NodeShards, shardsByNode } from "./shard-table.ts";
import { describeDuration } from "./terminal.ts";
import { type ClusterNode, nodeStateName, printableNode, printableQueue } from "./wire.ts";

/** How often it is looked whether a node is drained, in milliseconds. */
const LOOK_EVERY_MS = 200;

interface Common {
  readonly address?: string;
}

/** Adds the commands to a program. `shared` gives a command the options that all clients have. */
export function addClusterCommands(program: Command, context: CliContext, shared: (command: Command) => Command): void {
  const { output } = context;
  const nodes = program.command("node").description("Look at the nodes of the cluster, and take one out of service.");
  shared(nodes.command("list"))
    .description("List the nodes by name; those that ended for an hour.")
    .action((options: Common) =>
      withGateway(context, options.address, async (gateway) => {
        const found = await gateway.nodes();
        const rows = found.map((node) => nodeRow(node, context.clock.now()));
        output.table(found.map(printableNode), NODE_HEADINGS, rows, "There are no nodes.");
      }),
    );
  addDraining(nodes, context, shared);
  addQueues(program, context, shared);
  shared(program.command("shard").description("Look at the shards, in which runs live.").command("list"))
    .description("List who owns which shards, under which epoch.")
    .option("--by-node", "one line for each node")
    .action((options: Common & { readonly byNode?: true }) =>
      withGateway(context, options.address, async (gateway) => {
        const groups = await gateway.shards();
        if (options.byNode === true) {
          const shares = shardsByNode(groups);
          output.table(shares, ["NODE", "SHARDS", "SHARE", "EPOCHS"], shares.map(shareRow), "There are no shards.");
        } else {
          const rows = groups.map(({ node, epoch, shards, ranges }) => [node || "(free)", String(epoch), String(shards), drawShards(ranges)]);
          output.table(groups, ["NODE", "EPOCH", "SHARDS", "WHICH"], rows, "There are no shards.");
        }
      }),
    );
}

function addQueues(program: Command, context: CliContext, shared: (command: Command) => Command): void {
  const { output } = context;
  shared(program.command("queue").description("Look at the queues in which tasks wait to be executed.").command("list"))
    .description("List the queues by name: what waits, what is executed, and which nodes execute it.")
    .action((options: Common) =>
      withGateway(context, options.address, async (gateway) => {
        const found = (await gateway.queues()).map(printableQueue);
        const rows = found.map(({ name, waiting, active, oldestWaitMs, executors }) => [
          ...[name, String(waiting), String(active), waiting === 0 ? "" : describeDuration(oldestWaitMs), executors.join(" ") || "(none)"],
        ]);
        output.table(found, ["QUEUE", "WAITING", "ACTIVE", "OLDEST", "EXECUTORS"], rows, "There is nothing in any queue.");
      }),
    );
}

function addDraining(nodes: Command, context: CliContext, shared: (command: Command) => Command): void {
  const { output } = context;
  shared(nodes.command("drain <node>"))
    .description("Have a node, by name or boot id, hand its shards over. It stays up and passes calls on; restart it when it has none.")
    .option("--wait", "until it has none")
    .action((asked: string, options: Common & { readonly wait?: true }) =>
      withGateway(context, options.address, async (gateway) => {
        const asks = await gateway.drain(asked);
        const node = options.wait === true ? await drained(context, gateway, asks) : asks;
        output.answer(printableNode(node), () => drainText(node, commandHint(context.env, "node list", gateway.address)));
      }),
    );
  shared(nodes.command("undrain <node>"))
    .description("Let a node that was drained have shards again.")
    .action((asked: string, options: Common) =>
      withGateway(context, options.address, async (gateway) => {
        const node = await gateway.undrain(asked);
        output.answer(printableNode(node), () => `${node.name} is given shards again.`);
      }),
    );
}

/** The node once it has no shards, or has ended; or as it is when the command is interrupted or somebody takes the request back. */
async function drained(context: CliContext, gateway: Gateway, asked: ClusterNode): Promise<ClusterNode> {
  let node = asked;
  while (node.shards > 0) {
    if (context.interrupted.aborted) {
      context.exitCode = EXIT.interrupted;
      return node;
    }
    await pause(LOOK_EVERY_MS, context.clock);
    node = (await gateway.nodes()).find(({ bootId }) => bootId === asked.bootId) ?? { ...node, shards: 0 };
    if (nodeStateName(node) === "live") {
      context.exitCode = EXIT.refused;
      return node;
    }
  }
  return node;
}

function drainText(node: ClusterNode, list: string): string {
  const { name, shards } = node;
  if (nodeStateName(node) === "live") return `${name} was let have shards again meanwhile: ${list} shows how things stand.`;
  return shards === 0 ? `${name} has no shards any more.` : `${name} hands its ${shards} shards over: ${list} shows how many are left.`;
}

function shareRow({ node, shards, share, epochs }: NodeShards): string[] {
  return [node ?? "(free)", String(shards), percent(share), epochs.first === epochs.last ? `${epochs.first}` : `${epochs.first} to ${epochs.last}`];
}
