/**
 * Draws a run's tree: as frames that replace each other on a terminal, as one line for each thing that happens elsewhere. What it prints
 * follows from the tree and the time that it is given; it reads neither.
 */
import type { HistoryEntry } from "../../actors/runs.ts";
import type { NodeStatus, RunTree, TreeNode } from "./run-tree.ts";
import { cutTo, describeDuration, type Terminal, type Tone } from "./terminal.ts";

const SPINNER = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];
const SPINNER_STEP_MS = 80;
const SYMBOLS: Readonly<Record<NodeStatus, readonly [string, Tone]>> = {
  running: ["•", "busy"],
  completed: ["✔", "good"],
  failed: ["✘", "bad"],
  cancelled: ["■", "quiet"],
  skipped: ["-", "quiet"],
};

/** One line of a frame, before colours: what is left of the name, the name, and what is right of it. */
interface Line {
  readonly indent: string;
  readonly symbol: string;
  readonly tone: Tone;
  readonly name: string;
  readonly rest: string;
  readonly restTone: Tone;
}

/** The lines of a frame, cut to the terminal's width. `nowMs` in milliseconds since the epoch; it turns the spinner and the running times. */
export function drawFrame(tree: RunTree, terminal: Terminal, nowMs: number): string[] {
  const undone = tree.undo.length === 0 ? [] : ["", `  ${terminal.paint("strong", cutTo("undo, latest first", terminal.columns - 2))}`];
  const draw = (node: TreeNode): string[] => nodeLines(node, 1, nowMs).map((line) => paintLine(line, terminal));
  return [headline(tree, terminal, nowMs), ...tree.roots.flatMap(draw), ...undone, ...tree.undo.flatMap(draw), ...errorLines(tree, terminal)];
}

/** The one line that tells an entry where frames can't be drawn, or undefined if the entry is not worth one. */
export function drawEntry(tree: RunTree, entry: HistoryEntry): string | undefined {
  const time = `${((entry.atMs - tree.startedAtMs) / 1_000).toFixed(3).padStart(8)} s  `;
  if (entry.path === "") return runLine(tree, entry, time);
  const node = tree.node(entry.path);
  if (node === undefined) return undefined;
  const name = (node.undoes === "" ? "" : "undo: ") + node.name;
  switch (entry.type) {
    case "task.started":
      return `${time}${name} started${node.executions > 1 ? ` (execution ${node.executions})` : ""}`;
    case "task.completed":
    case "task.cancelled":
      return `${time}${name} ${node.status} ${describeDuration(entry.atMs - node.startedAtMs)}${node.undoes === "" ? "" : `, ${node.undoes} is undone`}`;
    case "task.faulted":
      return `${time}${name} failed: ${oneLine(node.error)}`;
    case "attempt.failed":
      // The last attempt's failure is the task's, and told as that.
      return node.note === "" ? undefined : `${time}${name} ${node.note}: ${oneLine(node.error)}`;
    case "try.retried":
      return `${time}${name} ${node.note}: ${oneLine(node.error)}`;
    case "signal.awaited":
      return `${time}${name} ${node.note}`;
    case "attempt.interrupted":
      return `${time}${name}: ${node.note}`;
    case "timer.set":
      return node.kind === "wait" ? `${time}${name} ${node.note}` : undefined;
    default:
      return undefined;
  }
}

function runLine(tree: RunTree, entry: HistoryEntry, time: string): string | undefined {
  switch (entry.type) {
    case "run.started":
      return `${time}run ${tree.runId} started`;
    case "compensation.started":
      return `${time}the run ${tree.error === "" ? "was cancelled" : `failed: ${oneLine(tree.error)}`}; what was done is undone, the latest first`;
    case "run.ended":
      return `${time}run ${tree.runId} ${tree.status}${tree.error === "" ? "" : `: ${oneLine(tree.error)}`}`;
    case "signal.received":
      return `${time}the signal ${textOf(entry, "name")} arrived`;
    case "cancel.requested":
      return `${time}somebody asked to cancel the run${textOf(entry, "reason") === "" ? "" : `: ${textOf(entry, "reason")}`}`;
    default:
      return undefined;
  }
}

function textOf(entry: HistoryEntry, detail: string): string {
  const details = JSON.parse(entry.details === "" ? "{}" : entry.details) as Record<string, unknown>;
  return String(details[detail] ?? "");
}

function headline(tree: RunTree, terminal: Terminal, nowMs: number): string {
  const duration = tree.startedAtMs === 0 ? "" : `  ${describeDuration((tree.endedAtMs ?? nowMs) - tree.startedAtMs)}`;
  const tone: Tone = tree.status === "completed" ? "good" : tree.endedAtMs === undefined ? "busy" : "bad";
  const [wait, ...others] = tree.waits;
  const status = cutTo(` ${wait === undefined ? tree.status : "waiting"}`, terminal.columns);
  const shownDuration = cutTo(duration, terminal.columns - status.length);
  const title = cutTo(`run ${tree.runId}`, terminal.columns - status.length - shownDuration.length);
  // The tree says it as well, so it may be cut where the others may not.
  const why = wait === undefined ? "" : `, ${wait}${others.length === 0 ? "" : `, and ${others.length} more`}`;
  const shownWhy = cutTo(why, terminal.columns - status.length - shownDuration.length - title.length);
  return `${terminal.paint("strong", title)}${terminal.paint(tone, status)}${terminal.paint("quiet", shownDuration + shownWhy)}`;
}

function errorLines(tree: RunTree, terminal: Terminal): string[] {
  if (tree.error === "") return [];
  return ["", ...tree.error.split("\n").map((line) => terminal.paint("bad", cutTo(`  ${line}`, terminal.columns)))];
}

function nodeLines(node: TreeNode, depth: number, nowMs: number): Line[] {
  const own = ownLine(node, depth, nowMs);
  const why = node.status === "failed" && node.children.every((child) => child.status !== "failed") ? [reasonLine(node, depth)] : [];
  return [own, ...why, ...node.children.flatMap((child) => nodeLines(child, depth + 1, nowMs))];
}

function ownLine(node: TreeNode, depth: number, nowMs: number): Line {
  const [still, tone] = SYMBOLS[node.status];
  const isTurning = node.status === "running" && node.note === "";
  const symbol = isTurning ? (SPINNER[Math.floor(nowMs / SPINNER_STEP_MS) % SPINNER.length] ?? still) : still;
  const facts = [
    node.status === "skipped" ? "skipped" : describeDuration((node.endedAtMs ?? nowMs) - node.startedAtMs),
    node.status === "cancelled" ? "cancelled" : "",
    node.attempt > 1 ? `attempt ${node.attempt}` : "",
    node.executions > 1 ? `${node.executions} executions` : "",
    node.undoes === "" ? "" : `undoes ${node.undoes}`,
    node.note,
  ];
  return { indent: "  ".repeat(depth), symbol, tone, name: node.name, rest: facts.filter((fact) => fact !== "").join(", "), restTone: "quiet" };
}

function reasonLine(node: TreeNode, depth: number): Line {
  return { indent: "  ".repeat(depth + 1), symbol: "└", tone: "bad", name: "", rest: oneLine(node.error), restTone: "bad" };
}

const NAME_COLUMNS = 34;

function paintLine({ indent, symbol, tone, name, rest, restTone }: Line, terminal: Terminal): string {
  const room = terminal.columns - indent.length - symbol.length - 1;
  const shownName = cutTo(name, room);
  const gap = name === "" ? "" : " ".repeat(Math.max(1, Math.min(NAME_COLUMNS - indent.length, room - rest.length) - shownName.length));
  const shownRest = cutTo(rest, Math.max(0, room - shownName.length - gap.length));
  return `${indent}${terminal.paint(tone, symbol)} ${shownName}${shownRest === "" ? "" : gap + terminal.paint(restTone, shownRest)}`;
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, " ").replace(/[.\s]+$/, "");
}
