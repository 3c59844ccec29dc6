/**
 * Commands that run a node in this process: `start` and `dev`.
 */
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Command } from "commander";
import { type Config, loadConfig } from "../config.ts";
import type { RunningNode } from "../node.ts";
import { SETTINGS, type Setting, type SettingName } from "../settings.ts";
import type { CliContext } from "./cli-context.ts";
import { commandHint } from "./command-hint.ts";
import { EXIT } from "./exit-code.ts";
import { fieldInvalid } from "./json-argument.ts";
import { WorkflowFolder } from "./workflow-folder.ts";

const NAMES = Object.keys(SETTINGS) as SettingName[];

/** A machine has no use for more. */
const NODES_MAX = 9;

type Options = Readonly<Record<string, string | true | undefined>>;

type DevOptions = Options & { readonly nodes?: number };

/** Adds the commands to a program. */
export function addNodeCommands(program: Command, context: CliContext): void {
  withSettings(program.command("start"))
    .description("Run a node. SIGTERM and Ctrl-C stop it in order; a second time, without waiting for calls, tasks and other nodes.")
    .action(async (options: Options) => {
      const node = await openNode(context, loadConfig({ env: context.env, flags: flagsOf(options) }));
      await finish(context, node);
    });
  withSettings(program.command("dev [folder]"))
    .description(
      "Run a node for trying things out: deploys the workflows of a folder, and again whatever changes; loads task handlers from its folder `handlers` at the start; allows the shell. " +
        "Its nodes have all roles and queues, also with --nodes: --roles and --queues are for `maestro start`.",
    )
    .option(
      "--nodes <count>",
      `run a cluster of 2 to ${NODES_MAX} nodes instead, each a process of its own, with PostgreSQL and NATS; the ports are those of the first one`,
      nodeCount,
    )
    .action(async (folder: string | undefined, { nodes, ...options }: DevOptions) => {
      const root = resolve(context.cwd, folder ?? ".");
      if (!existsSync(root)) throw fieldInvalid("folder", `there is no folder ${root}`);
      const handlers = join(root, "handlers");
      const defaults: Partial<Config> = { allowShell: true, ...(existsSync(handlers) && { handlersFolder: handlers }) };
      const config = loadConfig({ env: context.env, flags: flagsOf(options), defaults, isDevelopment: true });
      if (nodes !== undefined) {
        const { runDevCluster } = await import("./dev-cluster.ts");
        await runDevCluster(context, { config, size: nodes, root });
        return;
      }
      const node = await openNode(context, config);
      await develop(context, node, root);
    });
}

/** Starts a node that stops when the command is interrupted. */
async function openNode(context: CliContext, config: Config): Promise<RunningNode> {
  // Loaded here, because a client that only asks a node something should not wait for the parts of one.
  const { startNode } = await import("../node.ts");
  const prettyLog = context.output.terminal.isLive && !context.output.isJson;
  const { interrupted: signal, clock, random } = context;
  return startNode({ config, prettyLog, signal, hurried: context.hurried(), clock, random });
}

async function finish(context: CliContext, node: RunningNode): Promise<void> {
  if ((await node.stopped) === "fenced") context.exitCode = EXIT.node;
}

async function develop(context: CliContext, node: RunningNode, root: string): Promise<void> {
  const { output, clock } = context;
  const gateway = context.connect(node.grpcAddress);
  const folder = new WorkflowFolder({ folder: root, gateway, output, clock });
  try {
    await folder.deployAll();
    const unfollow = folder.follow();
    const list = commandHint(context.env, "runs list", node.grpcAddress);
    output.note(`Try: ${list}    Metrics: http://127.0.0.1:${node.opsPort}/metrics    Ctrl-C stops.`);
    await finish(context, node);
    await unfollow();
  } finally {
    gateway.close();
    await node.stop();
  }
}

function withSettings(command: Command): Command {
  for (const name of NAMES) {
    const setting: Setting = SETTINGS[name];
    const value = setting.kind === "boolean" ? "[true|false]" : `<${setting.kind === "choice" ? setting.choices.join("|") : setting.kind}>`;
    const fallback = setting.fallback === undefined || String(setting.fallback) === "" ? "" : ` (default ${String(setting.fallback)})`;
    command.option(`${setting.flag} ${value}`, `${setting.doc} ${setting.env}${fallback}`);
  }
  return command.option("--json", "log as JSON on a terminal too");
}

function nodeCount(text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 2 || count > NODES_MAX) {
    throw fieldInvalid("--nodes", `must be a whole number from 2 to ${NODES_MAX}, not "${text}"`);
  }
  return count;
}

function flagsOf(options: Options): Partial<Record<SettingName, string>> {
  const flags: Partial<Record<SettingName, string>> = {};
  for (const name of NAMES) {
    const value = options[attributeOf(SETTINGS[name].flag)];
    if (value !== undefined) flags[name] = String(value);
  }
  return flags;
}

/** The name that the option parser gives the value of a flag: `--grpc-port` becomes `grpcPort`. */
function attributeOf(flag: string): string {
  return flag.slice(2).replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
}
