/**
 * The command line as a whole: its commands, what they have in common, and what an invocation exits with.
 */
import { Command, CommanderError } from "commander";
import { type ErrorCode, MaestroError, toMaestroError } from "../../runtime/errors.ts";
import { programVersion } from "../program-version.ts";
import type { CliContext } from "./cli-context.ts";
import { addClusterCommands } from "./commander-cluster.ts";
import { addDemoCommand } from "./commander-demo.ts";
import { addEventCommand } from "./commander-events.ts";
import { addNodeCommands } from "./commander-node.ts";
import { addRunCommands } from "./commander-runs.ts";
import { addTopCommand } from "./commander-top.ts";
import { addWorkflowCommands } from "./commander-workflows.ts";
import { EXIT, type ExitCode } from "./exit-code.ts";

const EXIT_CODES = `
Exit codes: 0 done (with --wait: the run completed), 1 the run did not complete, 2 wrong usage or configuration, 3 no node answers,
4 the node refused, 5 the node could not start or had to stop, 130 interrupted.`;

const JSON_OPTION = "one JSON object on a line instead of text, errors too";

/** Commands that run a node themselves: what goes wrong in them is the node's failure, not a refusal. */
const NODE_COMMANDS = new Set(["start", "dev", "demo"]);

/** What an interrupted command ends with; nobody needs to be told. */
const INTERRUPTED: ReadonlySet<ErrorCode> = new Set(["NODE_STOPPING", "REQUEST_CANCELLED"]);

/** Runs one command line, without the program's name. Never throws; answers the exit code. */
export async function runCommandLine(args: readonly string[], context: CliContext): Promise<ExitCode> {
  // Known before the arguments are parsed, so that a complaint about them comes as JSON too.
  context.output.isJson = args.includes("--json");
  try {
    await buildProgram(context).parseAsync([...args], { from: "user" });
    return context.exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return answerUsage(error, context);
    // Who interrupted a node that was starting, or the wait for an answer, knows that it stops.
    if (context.interrupted.aborted && INTERRUPTED.has(toMaestroError(error).code)) return EXIT.interrupted;
    context.output.complain(error);
    return exitCodeFor(toMaestroError(error).code, args[0] ?? "", context);
  }
}

/** The parser has told people already; programs are told here. */
function answerUsage(error: CommanderError, { output }: CliContext): ExitCode {
  if (error.exitCode === 0) return EXIT.ok;
  if (output.isJson) output.complain(new MaestroError("FIELD_INVALID", { facts: { field: "the command line", reason: error.message } }));
  return EXIT.usage;
}

function exitCodeFor(code: ErrorCode, command: string, context: CliContext): ExitCode {
  if (context.interrupted.aborted) return EXIT.interrupted;
  if (code === "CONFIG_INVALID") return EXIT.usage;
  if (NODE_COMMANDS.has(command)) return code === "FIELD_INVALID" ? EXIT.usage : EXIT.node;
  if (code === "NODE_UNREACHABLE") return EXIT.unreachable;
  return code === "FIELD_INVALID" ? EXIT.usage : EXIT.refused;
}

function buildProgram(context: CliContext): Command {
  const { output } = context;
  const program = new Command("maestro")
    .description("Durable workflows: run a node, deploy workflows, start runs and follow them.")
    .version(programVersion())
    .enablePositionalOptions()
    .option("--json", JSON_OPTION)
    .addHelpText("after", EXIT_CODES)
    .showSuggestionAfterError(true)
    .configureOutput({ writeOut: (text) => output.terminal.write(text), writeErr: (text) => output.note(text.trimEnd()) })
    .exitOverride();
  const shared = (command: Command): Command =>
    command.option("--address <host:port>", "the node's gRPC address (MAESTRO_ADDRESS; default 127.0.0.1:50051)").option("--json", JSON_OPTION);
  addNodeCommands(program, context);
  addWorkflowCommands(program, context, shared);
  addRunCommands(program, context, shared);
  addClusterCommands(program, context, shared);
  addEventCommand(program, context, shared);
  addTopCommand(program, context, shared);
  addDemoCommand(program, context);
  return program;
}
