/**
 * What people see of a local cluster: a line for each node, the sum of all, and what happened last. Pure.
 */
import type { ProcessState } from "../local-cluster/supervision.ts";
import type { NodeReading } from "./cluster-watch.ts";
import { describeMember } from "./node-table.ts";
import { tableLines } from "./output.ts";
import { cutTo, type Terminal } from "./terminal.ts";

const HEADINGS = ["NODE", "PID", "STATE", "SHARDS", "LOAD", "ACTIVE", "RUNS/S", "COMMITS/S", "ADDRESS"];
/** Title, headings, the sum, two empty lines and the hint, beside a line for each node. */
const OTHER_LINES = 6;

/** A node at one moment: its process, and what it tells if it does. */
export interface ShownNode {
  readonly name: string;
  readonly pid: number | undefined;
  readonly state: ProcessState;
  readonly address: string;
  readonly reading: NodeReading | undefined;
}

/** What is shown. */
export interface ClusterScreen {
  readonly title: string;
  readonly nodes: readonly ShownNode[];
  /** What happened, oldest first; the last ones that fit are shown. */
  readonly news: readonly string[];
  readonly hint: string;
}

/** The lines for a terminal, no more than it has rows. */
export function screenLines({ title, nodes, news, hint }: ClusterScreen, terminal: Terminal): readonly string[] {
  const { columns, rows } = terminal;
  const [headings = "", ...table] = tableLines([HEADINGS, ...nodes.map(rowOf), sumOf(nodes)], terminal, columns);
  const newsRows = Math.max(0, rows - 1 - OTHER_LINES - nodes.length);
  const last = newsRows === 0 ? [] : news.slice(-newsRows);
  const lines = [
    terminal.paint("strong", cutTo(title, columns)),
    headings,
    ...table.map((line, index) => painted(nodes[index]?.state, line, terminal)),
    "",
    ...last.map((line) => cutTo(line, columns)),
    ...(last.length === 0 ? [] : [""]),
    terminal.paint("quiet", cutTo(hint, columns)),
  ];
  return lines.slice(0, rows - 1);
}

function painted(state: ProcessState | undefined, line: string, terminal: Terminal): string {
  if (state === undefined) return terminal.paint("strong", line);
  if (state === "ready") return line;
  return terminal.paint(state === "dead" ? "bad" : "busy", line);
}

function rowOf({ name, pid, state, address, reading }: ShownNode): string[] {
  const isTelling = state === "ready" || state === "stopping";
  const word = isTelling && reading !== undefined ? describeMember(reading.node) : state;
  const shards = reading === undefined ? "-" : `${reading.node.shards}`;
  const load = isTelling && reading !== undefined ? `${Math.round(reading.node.load * 100)}%` : "-";
  const counts = [reading?.activeRuns, reading?.endedRunsPerSecond, reading?.commitsPerSecond].map(shown);
  return [name, isTelling || state === "starting" ? `${pid ?? "-"}` : "-", word, shards, load, ...counts, address];
}

function sumOf(nodes: readonly ShownNode[]): string[] {
  const sum = (count: (reading: NodeReading) => number | undefined): string =>
    shown(nodes.reduce((total, { reading }) => total + ((reading && count(reading)) ?? 0), 0));
  const shards = sum(({ node }) => node.shards);
  const rates = [
    sum(({ activeRuns }) => activeRuns),
    sum(({ endedRunsPerSecond }) => endedRunsPerSecond),
    sum(({ commitsPerSecond }) => commitsPerSecond),
  ];
  return ["all", "", "", shards, "", ...rates, ""];
}

function shown(value: number | undefined): string {
  return value === undefined ? "-" : `${Math.round(value)}`;
}
