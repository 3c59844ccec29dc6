/**
 * The command `events`: what happened to runs, from the event stream.
 */
import type { Command } from "commander";
import { type CliContext, withGateway } from "./cli-context.ts";
import { EXIT } from "./exit-code.ts";
import type { EventRequest } from "./gateway-port.ts";
import { fieldInvalid } from "./json-argument.ts";

interface Options {
  readonly address?: string;
  readonly follow?: true;
  readonly from?: EventRequest["from"];
  readonly namespace: string;
  readonly workflow: string;
  readonly type: string[];
  readonly run: string;
}

/** What of an event is shown to people. */
interface Shown {
  readonly type: string;
  readonly subject: string;
  readonly time: string;
  readonly data: { readonly task?: string; readonly status?: string; readonly error?: { readonly title?: string; readonly detail?: string } };
}

/** Adds the command to a program. `shared` gives a command the options that all clients have. */
export function addEventCommand(program: Command, context: CliContext, shared: (command: Command) => Command): void {
  shared(program.command("events"))
    .description("Show the events that are kept, or with --follow those that come.")
    .option("--follow", "go on with what comes; without --from, show nothing of what was before")
    .option("--from <number|time>", "begin at this number of the stream, or at this time (ISO 8601)", readStart)
    .option("--namespace <name>", "only of this namespace", "")
    .option("--workflow <name>", "only of this workflow", "")
    .option("--type <type>", "only of this type; may be repeated (workflow.completed, or the full name)", collectType, [])
    .option("--run <id>", "only of this run", "")
    .action((options: Options) => showEvents(context, options));
}

async function showEvents(context: CliContext, options: Options): Promise<void> {
  const { output, interrupted } = context;
  const { follow = false, from = follow ? "new" : { sequence: 1 }, namespace, workflow, type: types, run: runId } = options;
  await withGateway(context, options.address, async (gateway) => {
    for await (const { json } of gateway.events({ from, namespace, workflow, types, runId, stopsAtEnd: !follow }, interrupted)) {
      const event = JSON.parse(json) as Shown;
      output.answer(event, () => lineOf(event));
    }
  });
  if (interrupted.aborted) context.exitCode = EXIT.interrupted;
}

function lineOf({ type, subject, time, data: { task, status, error } }: Shown): string {
  const words = [time, subject, shortType(type), status, task, error?.title ?? error?.detail];
  return words.filter((word) => word !== undefined).join("  ");
}

const TYPE_PREFIX = "io.serverlessworkflow.";

function shortType(type: string): string {
  return type.slice(TYPE_PREFIX.length).replace(/\.v\d+$/, "");
}

function collectType(text: string, types: readonly string[]): string[] {
  return [...types, text.startsWith(TYPE_PREFIX) ? text : `${TYPE_PREFIX}${text}.v1`];
}

function readStart(text: string): EventRequest["from"] {
  if (/^\d{1,15}$/.test(text)) return { sequence: Number(text) };
  const timeMs = Date.parse(text);
  if (Number.isNaN(timeMs)) throw fieldInvalid("--from", "must be a number or a time such as 2026-01-31T12:00:00Z.");
  return { timeMs };
}
