/**
 * What a crash test of the cluster measures: how soon runs go on after their node was lost, and how long clients waited.
 */
import type { Call } from "../load.ts";
import type { ClusterEvidence } from "./cluster-evidence.ts";
import type { Member } from "./member.ts";
import { type Window, windowsOf } from "./windows.ts";

/** From the loss of a node to the next row of each run that it had under way, in milliseconds, sorted. */
export interface Failovers {
  /** After losses while nothing else was wrong. */
  readonly alone: readonly number[];
  /** After losses beside other trouble. */
  readonly joined: readonly number[];
}

/** Measures the losses of one sort, `kill` or `stop`. Runs that wait for a client are left out. */
export function failoversOf(evidence: ClusterEvidence, members: readonly Member[], what: string): Failovers {
  const waiting = new Set(evidence.orders.filter(({ kind }) => kind.drive !== "nothing").map(({ id }) => id));
  const considered = new Set(evidence.runs.filter(({ order }) => !waiting.has(order)).map(({ id }) => id));
  const rows = Map.groupBy(
    evidence.written.filter(({ runId }) => considered.has(runId)),
    ({ runId }) => runId,
  );
  const nodeOf = new Map(members.flatMap(({ name, named }) => named.map(({ boot }) => [boot, name])));
  const result = { alone: [] as number[], joined: [] as number[] };
  for (const loss of evidence.windows.filter((window) => window.what === what)) {
    const others = evidence.windows.filter((other) => other !== loss && other.fromMs <= loss.untilMs && other.untilMs >= loss.fromMs);
    const into = others.length === 0 ? result.alone : result.joined;
    for (const own of rows.values()) {
      const next = own.findIndex(({ atMs }) => atMs > loss.fromMs);
      const [before, after] = [own[next - 1], own[next]];
      if (before === undefined || after === undefined || nodeOf.get(before.boot ?? "") !== loss.node || before.boot === after.boot) continue;
      into.push(after.atMs - loss.fromMs);
    }
  }
  for (const list of Object.values(result)) list.sort((a, b) => a - b);
  return result;
}

/** The longest call that was answered, or refused, at a gateway without trouble, of those that don't wait for the end of a run. */
export function longestStall({ calls, gateways, windows }: ClusterEvidence): { readonly healthy: Stall; readonly all: Stall } {
  const waited = calls.filter(({ method }) => method === "Start" || method === "Signal" || method === "Cancel");
  const isHealthy = ({ address, fromMs, untilMs }: Call): boolean => windowsOf(windows, gateways.get(address) ?? "", fromMs, untilMs).length === 0;
  return { healthy: longest(waited.filter(isHealthy), windows), all: longest(waited, windows) };
}

/** A call that took long, for people. */
export interface Stall {
  readonly durationMs: number;
  readonly what: string;
}

function longest(calls: readonly Call[], windows: readonly Window[]): Stall {
  const [first, ...rest] = calls;
  if (first === undefined) return { durationMs: 0, what: "no call" };
  const { method, fromMs, untilMs } = rest.reduce((worst, call) => (lengthOf(call) > lengthOf(worst) ? call : worst), first);
  const trouble = windows
    .filter((window) => window.fromMs <= untilMs && window.untilMs >= fromMs)
    .map(({ what, node }) => `${what} ${node ?? ""}`.trim());
  return { durationMs: untilMs - fromMs, what: [method, ...trouble].join(", ") };
}

function lengthOf({ fromMs, untilMs }: Call): number {
  return untilMs - fromMs;
}

/** Median, 99th percentile and longest of sorted times, with how many there are. */
export function spreadOf(sorted: readonly number[]): string {
  if (sorted.length === 0) return "none";
  const at = (part: number): string => inSeconds(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0);
  return `p50 ${at(0.5)}, p99 ${at(0.99)}, max ${at(1)} s of ${sorted.length} runs`;
}

/** Seconds with two digits. */
export function inSeconds(durationMs: number): string {
  return (durationMs / 1_000).toFixed(2);
}
