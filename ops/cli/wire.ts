/**
 * Messages of the wire contract, as the command line prints and compares them: statuses by name, times in milliseconds or as ISO texts.
 */
import type { HistoryEntry } from "../../actors/runs.ts";
import type { Duration } from "../../proto/gen/google/protobuf/duration.ts";
import type { Timestamp } from "../../proto/gen/google/protobuf/timestamp.ts";
import {
  type GetActivityResponse as Activity,
  type Node as ClusterNode,
  NodeRole,
  NodeState,
  type Queue,
  type ShardGroup,
} from "../../proto/gen/maestro/v1/cluster_service.ts";
import { type Problem, RunStatus } from "../../proto/gen/maestro/v1/common.ts";
import type { Run, Task, TaskWait, HistoryEntry as WireEntry } from "../../proto/gen/maestro/v1/run_service.ts";
import type { Workflow } from "../../proto/gen/maestro/v1/workflow_service.ts";
import type { RunStatus as StatusName } from "../../runtime/storage/journal.ts";

export type { Activity, ClusterNode, Queue, Run, RunStatus, ShardGroup, Workflow };

const STATUS_NAMES = new Map<RunStatus, StatusName>(
  Object.entries(RunStatus).flatMap(([name, value]) => (value === RunStatus.UNSPECIFIED ? [] : [[value, name.toLowerCase() as StatusName] as const])),
);

/** Every status by name. */
export const RUN_STATUSES: readonly StatusName[] = [...STATUS_NAMES.values()];

/** The name of a status; undefined for none. */
export function statusName(status: RunStatus): StatusName | undefined {
  return STATUS_NAMES.get(status);
}

/** The status of a name, or undefined. */
export function statusOf(name: string): RunStatus | undefined {
  return [...STATUS_NAMES].find(([, candidate]) => candidate === name)?.[0];
}

/** Milliseconds since the epoch; 0 without a time. */
export function millisecondsOf(time: Timestamp | undefined): number {
  return time === undefined ? 0 : time.seconds * 1_000 + Math.floor(time.nanos / 1_000_000);
}

/** ISO text in UTC; empty without a time. */
export function isoOf(time: Timestamp | undefined): string {
  return time === undefined ? "" : new Date(millisecondsOf(time)).toISOString();
}

/** The time to the second in UTC, as tables show it; empty without one. */
export function secondOf(time: Timestamp | undefined): string {
  return isoOf(time).replace("T", " ").slice(0, 19);
}

/** An entry of a run's history as the rest of the product knows it. */
export function entryOf(wire: WireEntry): HistoryEntry {
  const { seq, type, path, task, kind, attempt, details, error } = wire;
  return { seq, atMs: millisecondsOf(wire.at), type, path, task, kind, attempt, details, error: problemOf(error), status: statusName(wire.status) };
}

/** A run as an object that prints well as JSON: names instead of numbers, JSON instead of text that holds JSON. */
export function printableRun(run: Run): object {
  return {
    runId: run.runId,
    workflow: run.workflow,
    namespace: run.namespace,
    version: run.version,
    status: statusName(run.status),
    createdAt: isoOf(run.createdAt),
    ...(run.endedAt !== undefined && { endedAt: isoOf(run.endedAt) }),
    ...(run.input !== "" && { input: JSON.parse(run.input) as unknown }),
    ...(run.output !== "" && { output: JSON.parse(run.output) as unknown }),
    ...(run.error !== undefined && { error: problemOf(run.error) }),
    ...(Object.keys(run.labels).length > 0 && { labels: run.labels }),
    ...(run.activeTasks.length > 0 && {
      activeTasks: run.activeTasks.map(printableTask),
    }),
  };
}

function printableTask({ waitsFor, startedAt, ...task }: Task): object {
  const wait = waitsFor && { waitsFor: { ...waitsFor.reason?.value, since: isoOf(waitsFor.since) } };
  return { ...task, startedAt: isoOf(startedAt), ...wait };
}

/** What a task's attempt waits for, such as `in the queue gpu`; empty if it waits for nothing that this version knows. */
export function describeWait(reason: TaskWait["reason"]): string {
  if (reason?.$case === "concurrency") return `for a slot of the key ${reason.value.key} (limit ${reason.value.limit})`;
  return reason?.$case === "queue" ? `in the queue ${reason.value.queue}` : "";
}

/** An entry as an object that prints well as JSON. */
export function printableEntry(entry: HistoryEntry): object {
  const { seq, atMs, type, path, task, kind, attempt, details, error, status } = entry;
  return {
    seq,
    at: new Date(atMs).toISOString(),
    type,
    ...(path !== "" && { path, task, kind }),
    ...(attempt > 0 && { attempt }),
    ...(details !== "" && details !== "{}" && { details: JSON.parse(details) as unknown }),
    ...(error !== undefined && { error }),
    ...(status !== undefined && { status }),
  };
}

/** A workflow as an object that prints well as JSON. */
export function printableWorkflow(workflow: Workflow): object {
  const { document, createdAt, ...rest } = workflow;
  return { ...rest, createdAt: isoOf(createdAt), ...(document !== "" && { document }) };
}

/** The state of a node in one word; "?" if this version does not know it. */
export function nodeStateName({ state }: ClusterNode): string {
  return nameOf(NodeState, state);
}

/** True if a node neither stopped nor was taken over. */
export function isMember({ state }: ClusterNode): boolean {
  return state === NodeState.LIVE || state === NodeState.DRAINING;
}

/** What a node does, each in one word. */
export function roleNames({ roles }: ClusterNode): readonly string[] {
  return roles.map((role) => nameOf(NodeRole, role));
}

/** A node as an object that prints well as JSON. */
export function printableNode(node: ClusterNode): object {
  const { leaseLeft, startedAt, endedAt, silentFor, ...rest } = node;
  return {
    ...rest,
    state: nodeStateName(node),
    roles: roleNames(node),
    leaseLeftMs: spanMsOf(leaseLeft),
    startedAt: isoOf(startedAt),
    ...(endedAt !== undefined && { endedAt: isoOf(endedAt) }),
    ...(silentFor !== undefined && { silentMs: spanMsOf(silentFor) }),
  };
}

/** A queue as an object that prints well as JSON. */
export function printableQueue({ oldestWait, ...rest }: Queue): Omit<Queue, "oldestWait"> & { readonly oldestWaitMs: number } {
  return { ...rest, oldestWaitMs: spanMsOf(oldestWait) };
}

/** A span in milliseconds; 0 without one. */
export function spanMsOf(span: Duration | undefined): number {
  return span === undefined ? 0 : span.seconds * 1_000 + Math.floor(span.nanos / 1_000_000);
}

/** The name of a number of an enumeration, in small letters. */
function nameOf(enumeration: Readonly<Record<string, number>>, value: number): string {
  return (
    Object.keys(enumeration)
      .find((name) => enumeration[name] === value && value !== 0)
      ?.toLowerCase() ?? "?"
  );
}

/** What a problem says, in one line. */
export function describeProblem(problem: Problem | undefined): string {
  return problem === undefined ? "" : problem.detail || problem.title || problem.type;
}

function problemOf(problem: Problem | undefined): HistoryEntry["error"] {
  if (problem === undefined) return undefined;
  const { type, status, title, detail, instance } = problem;
  return { type, status, ...(title && { title }), ...(detail && { detail }), ...(instance && { instance }) };
}
