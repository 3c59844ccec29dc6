/**
 * Commands about runs: `run`, `runs ...`, `signal`, `cancel`.
 */
import type { Command } from "commander";
import type { HistoryEntry } from "../../actors/runs.ts";
import { MaestroError } from "../../runtime/errors.ts";
import { closestName } from "../closest-name.ts";
import { type CliContext, exitCodeOf, withGateway } from "./cli-context.ts";
import { commandHint } from "./command-hint.ts";
import { EXIT } from "./exit-code.ts";
import { followRun } from "./follow-run.ts";
import type { Gateway } from "./gateway-port.ts";
import { fieldInvalid, jsonArgument } from "./json-argument.ts";
import { RunTree } from "./run-tree.ts";
import { describeDuration } from "./terminal.ts";
import { drawFrame } from "./tree-view.ts";
import {
  describeProblem,
  describeWait,
  isoOf,
  millisecondsOf,
  printableEntry,
  printableRun,
  RUN_STATUSES,
  type Run,
  type RunStatus,
  secondOf,
  statusName,
  statusOf,
} from "./wire.ts";

/** Options that every command about runs has. */
interface Common {
  readonly address?: string;
}

/** Adds the commands to a program. `shared` gives a command the options that all clients have. */
export function addRunCommands(program: Command, context: CliContext, shared: (command: Command) => Command): void {
  addRun(program, context, shared);
  const runs = program.command("runs").description("Look at runs and influence them.");
  addLooking(runs, context, shared);
  addInfluencing(program, runs, context, shared);
  addSignal(program, context, shared);
}

interface RunOptions extends Common {
  readonly namespace: string;
  readonly version: string;
  readonly input?: string;
  readonly idempotencyKey: string;
  readonly label: Record<string, string>;
  readonly wait?: true;
}

function addRun(program: Command, context: CliContext, shared: (command: Command) => Command): void {
  shared(program.command("run"))
    .description("Start a run of a workflow, and with --wait follow it to its end (exit code 1 unless it completes).")
    .argument("<workflow>", "name of the workflow")
    .option("--namespace <name>", "namespace of the workflow", "default")
    .option("--version <version>", "version of the workflow; the latest without it", "")
    .option("--input <json>", "input as JSON, or @FILE")
    .option("--idempotency-key <key>", "start one run at most for this key, however often it is asked", "")
    .option("--label <key=value>", "label of the run; may be repeated", collectLabel, {})
    .option("--wait", "follow the run until it has ended")
    .action(async (name: string, options: RunOptions) => {
      const input = options.input === undefined ? "" : jsonArgument("--input", options.input);
      const { namespace, version, idempotencyKey, label: labels } = options;
      await withGateway(context, options.address, async (gateway) => {
        const started = await gateway.start({ namespace, name, version, input, idempotencyKey, labels });
        if (options.wait === true) await finishWaiting(context, gateway, started.runId);
        else context.output.answer(started, () => (started.created ? started.runId : `${started.runId} (started before with this key)`));
      });
    });
}

/** Follows a run and answers how it ended. */
async function finishWaiting(context: CliContext, gateway: Gateway, runId: string): Promise<void> {
  if (!context.output.isJson) await followRun(context, gateway, runId);
  if (context.interrupted.aborted) {
    context.output.note(`The run goes on: ${commandHint(context.env, `runs watch ${runId}`, gateway.address)}`);
    context.exitCode = EXIT.interrupted;
    return;
  }
  const run = await gateway.endedRun(runId, context.interrupted);
  context.output.answer(printableRun(run), () => (run.output === "" ? `${statusName(run.status)}` : JSON.stringify(JSON.parse(run.output), null, 2)));
  context.exitCode = exitCodeOf(statusName(run.status));
}

interface ListOptions extends Common {
  readonly namespace: string;
  readonly workflow: string;
  readonly status: RunStatus[];
  readonly limit: number;
}

function addLooking(runs: Command, context: CliContext, shared: (command: Command) => Command): void {
  const { output } = context;
  shared(runs.command("list"))
    .description("List runs, newest first.")
    .option("--namespace <name>", "only of this namespace", "")
    .option("--workflow <name>", "only of this workflow", "")
    .option("--status <status>", `only with this status; may be repeated (${RUN_STATUSES.join(", ")})`, collectStatus, [])
    .option("--limit <count>", "at most so many", readCount, 20)
    .action((options: ListOptions) =>
      withGateway(context, options.address, async (gateway) => {
        const found = await gateway.runs({
          namespace: options.namespace,
          workflow: options.workflow,
          statuses: options.status,
          limit: options.limit,
        });
        output.table(found.map(printableRun), ["RUN", "WORKFLOW", "STATUS", "CREATED", "ERROR"], found.map(runRow), "There are no such runs.");
      }),
    );
  shared(runs.command("show <run>"))
    .description("Show a run: its tree of tasks and what they wait for, its input and output.")
    .action((runId: string, options: Common) => withGateway(context, options.address, (gateway) => showRun(context, gateway, runId)));
  shared(runs.command("history <run>"))
    .description("Print a run's history, one fact on a line.")
    .action((runId: string, options: Common) =>
      withGateway(context, options.address, async (gateway) => {
        const lastSeq = await lastSeqOf(gateway, runId);
        for await (const entry of gateway.history(runId, 1, lastSeq)) output.answer(printableEntry(entry), () => historyLine(entry));
      }),
    );
  shared(runs.command("watch <run>"))
    .description("Follow a run until it has ended (exit code 1 unless it completes).")
    .action((runId: string, options: Common) =>
      withGateway(context, options.address, async (gateway) => {
        const tree = await followRun(context, gateway, runId);
        context.exitCode = context.interrupted.aborted ? EXIT.interrupted : exitCodeOf(tree.status);
      }),
    );
}

/** The newest entry of a run now. A damaged run can't be shown, grows no more, and what can be read of its history is wanted all the more. */
async function lastSeqOf(gateway: Gateway, runId: string): Promise<number> {
  try {
    return (await gateway.run(runId)).lastSeq;
  } catch (error) {
    if (error instanceof MaestroError && error.code === "JOURNAL_CORRUPT") return Number.POSITIVE_INFINITY;
    throw error;
  }
}

/** An entry of a history in one line. */
function historyLine({ seq, atMs, type, path, attempt, details, error, status }: HistoryEntry): string {
  const attemptText = attempt > 0 ? `attempt ${attempt}` : "";
  const errorText = error === undefined ? "" : JSON.stringify(error);
  const more = [status ?? "", path, attemptText, details === "{}" ? "" : details, errorText].filter((part) => part !== "");
  return `${String(seq).padStart(5)}  ${new Date(atMs).toISOString()}  ${type.padEnd(20)}  ${more.join("  ")}`;
}

async function showRun({ output, clock }: CliContext, gateway: Gateway, runId: string): Promise<void> {
  const run = await gateway.run(runId);
  const tree = new RunTree(run.runId);
  if (!output.isJson) for await (const entry of gateway.history(runId, 1, run.lastSeq)) tree.apply(entry);
  for (const { path, waitsFor } of run.activeTasks) {
    const waited = describeDuration(Math.max(0, clock.now() - millisecondsOf(waitsFor?.since)));
    if (waitsFor !== undefined) tree.noteWait(path, describeWait(waitsFor.reason), waited);
  }
  output.answer(printableRun(run), () => {
    const facts: readonly (readonly [string, string])[] = [
      ["workflow", `${run.namespace}/${run.workflow} ${run.version}`],
      ["created", isoOf(run.createdAt)],
      ["ended", isoOf(run.endedAt)],
      [
        "labels",
        Object.entries(run.labels)
          .map(([key, value]) => `${key}=${value}`)
          .join(" "),
      ],
      ["input", run.input],
      ["output", run.output],
    ];
    const shown = facts.filter(([, value]) => value !== "").map(([name, value]) => `  ${output.terminal.paint("quiet", name.padEnd(10))}${value}`);
    return [...drawFrame(tree, output.terminal, clock.now()), "", ...shown].join("\n");
  });
}

function addInfluencing(program: Command, runs: Command, context: CliContext, shared: (command: Command) => Command): void {
  for (const parent of [program, runs]) {
    addEnd(shared(parent.command("cancel <run>")), context, {
      name: "cancel",
      description: "Ask a run to stop: what executes is interrupted, what completed is undone.",
      done: (watch) => `The run is being cancelled: ${watch} shows how.`,
    });
  }
  addEnd(shared(runs.command("terminate <run>")), context, {
    name: "terminate",
    description: "End a run at once. Nothing is undone.",
    done: () => "The run was terminated.",
  });
  shared(runs.command("release <run>"))
    .description("Let a quarantined run go on.")
    .action((runId: string, options: Common) =>
      withGateway(context, options.address, async (gateway) => {
        await gateway.release(runId);
        context.output.answer({ runId, release: "accepted" }, () => "The run goes on.");
      }),
    );
}

/** A way to end a run. */
interface End {
  readonly name: "cancel" | "terminate";
  readonly description: string;
  /** What is said once the node has accepted it. `watch`: the command that follows the run. */
  done(watch: string): string;
}

function addEnd(command: Command, context: CliContext, { name, description, done }: End): void {
  command
    .description(description)
    .option("--reason <text>", "why; it is written into the run's history", "")
    .action((runId: string, options: Common & { readonly reason: string }) =>
      withGateway(context, options.address, async (gateway) => {
        await gateway[name](runId, options.reason);
        context.output.answer({ runId, [name]: "accepted" }, () => done(commandHint(context.env, `runs watch ${runId}`, gateway.address)));
      }),
    );
}

function addSignal(program: Command, context: CliContext, shared: (command: Command) => Command): void {
  shared(program.command("signal <run> <name>"))
    .description("Hand a named signal to a run.")
    .option("--payload <json>", "payload as JSON, or @FILE")
    .option("--signal-id <id>", "a second signal with the same id is not delivered again", "")
    .action((runId: string, name: string, options: Common & { readonly payload?: string; readonly signalId: string }) => {
      const payload = options.payload === undefined ? "" : jsonArgument("--payload", options.payload);
      return withGateway(context, options.address, async (gateway) => {
        const { nameUnknown, knownNames } = await gateway.signal(runId, { name, payload, signalId: options.signalId });
        context.output.answer({ runId, signal: name, ...(nameUnknown && { nameUnknown, knownNames }) }, () => "The run has it.");
        if (nameUnknown) context.output.note(describeUnknownSignal(name, knownNames));
      });
    });
}

/** What is said to somebody who sent a signal that no task waits for. */
function describeUnknownSignal(name: string, knownNames: readonly string[]): string {
  const meant = closestName(name, knownNames);
  const waited = knownNames.length === 0 ? "Its workflow waits for no signals." : `Its workflow waits for: ${knownNames.join(", ")}.`;
  return `No task of the run takes signals named ${name}. ${meant === undefined ? waited : `Did you mean ${meant}?`}`;
}

function runRow(run: Run): string[] {
  return [
    run.runId,
    `${run.workflow} ${run.version}`,
    statusName(run.status) ?? "?",
    secondOf(run.createdAt),
    describeProblem(run.error).split("\n")[0] ?? "",
  ];
}

function collectLabel(text: string, labels: Record<string, string>): Record<string, string> {
  const [key = "", ...value] = text.split("=");
  if (key === "" || value.length === 0) throw fieldInvalid("--label", `must be KEY=VALUE, not "${text}"`);
  return { ...labels, [key]: value.join("=") };
}

function collectStatus(text: string, statuses: RunStatus[]): RunStatus[] {
  const status = statusOf(text);
  if (status === undefined) throw fieldInvalid("--status", `must be one of ${RUN_STATUSES.join(", ")}, not "${text}"`);
  return [...statuses, status];
}

function readCount(text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1) throw fieldInvalid("--limit", `must be a whole number from 1, not "${text}"`);
  return count;
}
