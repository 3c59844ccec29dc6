/**
 * CloudEvents 1.0 out of a run's history: each entry is folded into the run's state, and what it means outside is told. Pure, and the same for an entry
 * that was just decided and for one that is read back later: an event's id, time and text hang on the history alone, so that publishing it twice is harmless.
 *
 * The texts are put together by hand: thousands are made each second, and what they carry is JSON text already.
 */

import type { RunId } from "../../runtime/ids.ts";
import { LIMITS } from "../../runtime/limits.ts";
import type { Entry, ProblemMessage, RunEvent } from "../run/core/entry.ts";
import { evolve } from "../run/core/evolve.ts";
import { type Frame, pathOf, type RunState } from "../run/core/state.ts";
import { EVENT_TYPES, type EventKind, labelsOf } from "./event-names.ts";

/** Which events there are: those of whole runs, or those of their tasks as well. */
export type EventLevel = "runs" | "tasks";

/** Characters of an error's texts that are shown where the error is too large for an event. */
const SHOWN_LENGTH = 200;

/** One event. */
export interface CloudEvent {
  readonly runId: RunId;
  /** Unique for ever: `<run>:<number of the entry>`, with a suffix for the second event of an entry. */
  readonly id: string;
  /** When it happened, milliseconds since the epoch, by the clock of the node that wrote the entry. */
  readonly atMs: number;
  readonly subject: string;
  /** The event in the structured JSON format. */
  readonly text: string;
}

/** Folds an entry into the state, as `evolve` does, and adds what it means outside to `told`. @throws InvariantBroken as `evolve` */
export function evolveAndTell(state: RunState, entry: Entry, level: EventLevel, told: CloudEvent[]): void {
  const event = entry.event as RunEvent;
  const wasWaiting = isWaiting(state);
  const before = level === "tasks" ? frameOf(state, event) : undefined;
  evolve(state, entry);
  const at: Moment = { state, atMs: state.createdAtMs + entry.offsetMs, told };
  if (event.$case === "runStarted") tellRun(at, "workflow-started", "startedAt", "");
  else if (event.$case === "runEnded") tellEnd(at, event.value.error);
  else if (level === "tasks") tellTask(at, event, before ?? frameOf(state, event));
  const waits = isWaiting(state);
  if (waits !== wasWaiting && state.status === "running") tellStatus(at, waits ? "waiting" : "running");
}

interface Moment {
  /** After the entry. */
  readonly state: RunState;
  readonly atMs: number;
  readonly told: CloudEvent[];
}

/** True if nothing is ready or executing, and a timer or a signal will wake the run. */
function isWaiting({ status, inFlight, ready, timers, awaiting }: RunState): boolean {
  return inFlight === 0 && ready.size === 0 && timers.size + awaiting > 0 && status === "running";
}

function tellEnd(at: Moment, error: ProblemMessage | undefined): void {
  const { status, output } = at.state;
  if (status === "completed") tellRun(at, "workflow-completed", "completedAt", `,"output":${bounded(at, output?.text ?? "null")}`);
  else if (status === "failed") tellRun(at, "workflow-faulted", "faultedAt", errorPart(at, error));
  else tellRun(at, "workflow-cancelled", "cancelledAt", errorPart(at, error));
}

function tellTask(at: Moment, { $case, value }: RunEvent, frame: Frame | undefined): void {
  if (frame === undefined || isBody(frame)) return;
  switch ($case) {
    case "taskStarted":
      return tellOf(at, frame, "task-started", "startedAt", "");
    case "attemptScheduled":
      return value.attempt > 1 ? tellOf(at, frame, "task-retried", "retriedAt", "") : undefined;
    case "tryRetried":
      return tellOf(at, frame, "task-retried", "retriedAt", "");
    case "taskCompleted":
      return tellOf(at, frame, "task-completed", "completedAt", `,"output":${bounded(at, frame.data.text)}`);
    case "taskFaulted":
      return tellOf(at, frame, "task-faulted", "faultedAt", errorPart(at, value.error));
    case "taskCancelled":
      return tellOf(at, frame, "task-cancelled", "cancelledAt", "");
  }
}

/** The lists of tasks that a document only has as fields of other tasks, and the root, are no tasks to anyone outside. */
function isBody({ node, parent }: Frame): boolean {
  return node.kind === "do" && parent?.node.kind !== "do" && parent?.node.kind !== "fork";
}

function frameOf(state: RunState, { value }: RunEvent): Frame | undefined {
  const { frame } = value as { readonly frame?: number };
  return frame === undefined ? undefined : state.frames.get(frame);
}

function tellRun(at: Moment, kind: EventKind, timeName: string, rest: string): void {
  const { state, atMs } = at;
  const time = new Date(atMs).toISOString();
  const definition = kind === "workflow-started" ? `,"definition":${labelsOf(state.workflow).definition}` : "";
  tell(at, "", kind, time, `{"name":"${qualifiedName(state)}"${definition},"${timeName}":"${time}"${rest}}`);
}

function tellStatus(at: Moment, status: "waiting" | "running"): void {
  const time = new Date(at.atMs).toISOString();
  tell(at, ":status", "workflow-status-changed", time, `{"name":"${qualifiedName(at.state)}","updatedAt":"${time}","status":"${status}"}`);
}

function tellOf(at: Moment, frame: Frame, kind: EventKind, timeName: string, rest: string): void {
  const time = new Date(at.atMs).toISOString();
  const task = JSON.stringify(pathOf(frame));
  tell(at, "", kind, time, `{"workflow":"${qualifiedName(at.state)}","task":${task},"${timeName}":"${time}"${rest}}`);
}

function tell({ state, atMs, told }: Moment, suffix: string, kind: EventKind, time: string, data: string): void {
  const { runId, lastSeq, traceParent, workflow } = state;
  const { subject, source } = labelsOf(workflow);
  const id = `${runId}:${lastSeq}${suffix}`;
  const trace = traceParent === "" ? "" : `,"traceparent":${JSON.stringify(traceParent)}`;
  const head = `{"specversion":"1.0","id":"${id}","source":"${source}","type":"${EVENT_TYPES[kind]}","subject":"${runId}","time":"${time}"`;
  told.push({ runId, id, atMs, subject: subject + kind, text: `${head},"datacontenttype":"application/json"${trace},"data":${data}}` });
}

/** As the specification has it: name, id and namespace of the run. Labels of a domain name, so nothing of it needs escaping. */
function qualifiedName({ runId, workflow }: RunState): string {
  return `${workflow.name}-${runId}.${workflow.namespace}`;
}

/** A JSON text, or, if it is large, how large it is and where it stands. */
function bounded(at: Moment, text: string): string {
  return text.length <= LIMITS.eventTextLength ? text : `{"$large":${reference(at, text)}}`;
}

function reference({ state }: Moment, text: string): string {
  return `{"bytes":${Buffer.byteLength(text)},"run":"${state.runId}","entry":${state.lastSeq}}`;
}

function errorPart(at: Moment, error: ProblemMessage | undefined): string {
  if (error === undefined) return "";
  const { type, status, title, detail, instance, data } = error;
  const text = errorText({ type, status, ...(title && { title }), ...(detail && { detail }), ...(instance && { instance }) }, data);
  if (text.length <= LIMITS.eventTextLength) return `,"error":${text}`;
  const [shortTitle, shortDetail] = [title, detail].map((part) => part.slice(0, SHOWN_LENGTH).toWellFormed());
  const cut = { type: type.slice(0, SHOWN_LENGTH).toWellFormed(), status, title: shortTitle, detail: shortDetail };
  return `,"error":${errorText(cut, `{"$large":${reference(at, text)}}`)}`;
}

/** An error's fields as JSON, and its data, which is JSON already. */
function errorText(fields: object, data: string): string {
  const text = JSON.stringify(fields);
  return data === "" ? text : `${text.slice(0, -1)},"data":${data}}`;
}
