/**
 * Between the service layer's values and the messages of the wire contract. Pure.
 */
import type { Problem } from "../actors/language/problem.ts";
import type { HistoryEntry as HistoryFact, RunOutcome, RunView, TaskWait } from "../actors/runs.ts";
import type { Timestamp } from "../proto/gen/google/protobuf/timestamp.ts";
import { type Problem as ProblemMessage, RunStatus as WireStatus } from "../proto/gen/maestro/v1/common.ts";
import type { Event, SubscribeRequest } from "../proto/gen/maestro/v1/event_service.ts";
import type { HistoryEntry, ListRunsRequest, Run, RunResult, TaskWait as WaitMessage } from "../proto/gen/maestro/v1/run_service.ts";
import type { Workflow } from "../proto/gen/maestro/v1/workflow_service.ts";
import { MaestroError } from "../runtime/errors.ts";
import type { DocumentRecord } from "../runtime/storage/documents.ts";
import type { RunRecord, RunStatus } from "../runtime/storage/journal.ts";
import type { StoredMessage } from "../runtime/stream/stream.ts";
import type { EventQuery } from "./service/event-requests.ts";
import type { ListRuns } from "./service/run-requests.ts";
import type { Named } from "./service/run-service.ts";

const WIRE_STATUS: Readonly<Record<RunStatus, WireStatus>> = {
  pending: WireStatus.PENDING,
  running: WireStatus.RUNNING,
  waiting: WireStatus.WAITING,
  completed: WireStatus.COMPLETED,
  failed: WireStatus.FAILED,
  cancelled: WireStatus.CANCELLED,
  terminated: WireStatus.TERMINATED,
  quarantined: WireStatus.QUARANTINED,
};

const STATUS_OF_WIRE = new Map<WireStatus, RunStatus>((Object.keys(WIRE_STATUS) as RunStatus[]).map((status) => [WIRE_STATUS[status], status]));

/** A run's status from the wire; undefined for RUN_STATUS_UNSPECIFIED and for numbers that this version does not know. */
export function statusOf(status: WireStatus): RunStatus | undefined {
  return STATUS_OF_WIRE.get(status);
}

/** A time on the wire, from milliseconds since the epoch. */
export function timestamp(timeMs: number): Timestamp {
  const seconds = Math.floor(timeMs / 1000);
  return { seconds, nanos: Math.round((timeMs - seconds * 1000) * 1e6) };
}

/** Milliseconds since the epoch, rounded down, from a time on the wire. */
function timeMsOf(time: Timestamp | undefined): number | undefined {
  return time === undefined ? undefined : time.seconds * 1000 + Math.floor(time.nanos / 1e6);
}

/** An error of a run on the wire. */
function problemMessage(problem: Problem | undefined): ProblemMessage | undefined {
  if (problem === undefined) return undefined;
  const { type, status, title = "", detail = "", instance = "", data = "" } = problem;
  return { type, status, title, detail, instance, data };
}

/** A stored workflow version on the wire. */
export function workflowMessage(record: DocumentRecord): Workflow {
  const { id, namespace, name, version, title, summary } = record;
  return { id, namespace, name, version, title, summary, createdAt: timestamp(record.createdAtMs), document: record.text };
}

/** A run on the wire, with everything. */
export function runMessage({ run, workflow }: Named<RunView>): Run {
  const activeTasks = run.activeTasks.map(({ path, name, kind, attempt, startedAtMs, waitsFor }) => {
    return { path, name, kind, attempt, startedAt: timestamp(startedAtMs), waitsFor: waitsFor && waitMessage(waitsFor) };
  });
  const { input, output = "", lastSeq } = run;
  const row = runRowMessage({ run, workflow });
  return { ...row, input, output, lastSeq, activeTasks, error: problemMessage(run.error) ?? row.error };
}

function waitMessage(wait: TaskWait): WaitMessage {
  const since = timestamp(wait.sinceMs);
  if (wait.kind === "queue") return { since, reason: { $case: "queue", value: { queue: wait.queue } } };
  return { since, reason: { $case: "concurrency", value: { key: wait.key, limit: wait.limit } } };
}

/** A run on the wire, as lists show it. */
export function runRowMessage({ run, workflow }: Named<RunRecord>): Run {
  return {
    runId: run.runId,
    workflowId: run.workflowId,
    namespace: workflow?.namespace ?? "",
    workflow: workflow?.name ?? "",
    version: workflow?.version ?? "",
    status: WIRE_STATUS[run.status],
    createdAt: timestamp(run.createdAtMs),
    endedAt: run.endedAtMs === undefined ? undefined : timestamp(run.endedAtMs),
    labels: { ...run.labels },
    input: "",
    output: "",
    error: run.errorMessage === undefined ? undefined : problemMessage({ type: "about:blank", status: 0, detail: run.errorMessage }),
    activeTasks: [],
    lastSeq: 0,
    inputBytes: 0,
    outputBytes: 0,
  };
}

/** A run's end on the wire. */
export function resultMessage(outcome: RunOutcome): RunResult {
  return { runId: outcome.runId, status: WIRE_STATUS[outcome.status], output: outcome.output ?? "", error: problemMessage(outcome.error) };
}

/** A history entry on the wire. */
export function entryMessage(fact: HistoryFact): HistoryEntry {
  const { seq, type, path, task, kind, attempt, details } = fact;
  const status = fact.status === undefined ? WireStatus.UNSPECIFIED : WIRE_STATUS[fact.status];
  return { seq, at: timestamp(fact.atMs), type, path, task, kind, attempt, details, error: problemMessage(fact.error), status };
}

/** A list request from the wire. @throws FIELD_INVALID a status is none. */
export function listRequestOf(request: ListRunsRequest): ListRuns {
  const { namespace, workflow, pageSize, pageToken } = request;
  const createdAfterMs = timeMsOf(request.createdAfter);
  const createdBeforeMs = timeMsOf(request.createdBefore);
  return { namespace, workflow, statuses: request.statuses.map(knownStatus), createdAfterMs, createdBeforeMs, pageSize, pageToken };
}

function knownStatus(status: WireStatus): RunStatus {
  const known = statusOf(status);
  if (known !== undefined) return known;
  const reason = `${status} is no status that a run can have.`;
  throw new MaestroError("FIELD_INVALID", { facts: { field: "statuses", reason }, violations: [{ field: "statuses", description: reason }] });
}

/** An event of the stream. */
export function eventMessage({ sequence, storedAtMs, text }: StoredMessage): Event {
  return { sequence, storedAt: timestamp(storedAtMs), json: text };
}

/** A request for events. */
export function eventQueryOf({ start, stopAtEnd, ...rest }: SubscribeRequest): EventQuery {
  return { ...rest, start: streamStartOf(start), stopsAtEnd: stopAtEnd };
}

function streamStartOf(start: SubscribeRequest["start"]): EventQuery["start"] {
  if (start === undefined) return "new";
  return start.$case === "fromSequence" ? { sequence: start.value } : { timeMs: timeMsOf(start.value) ?? 0 };
}
