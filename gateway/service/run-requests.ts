/**
 * Requests about runs, as all skins hand them to the service layer, and their checks. The fields are those of the wire contract, so that a
 * decoded message is handed on without being copied. Pure.
 */
import { LIMITS } from "../../runtime/limits.ts";
import type { RunStatus } from "../../runtime/storage/journal.ts";
import {
  DEFAULT_NAMESPACE,
  Fields,
  labelReason,
  labelsReason,
  optionalLabelReason,
  pageSizeReason,
  runIdReason,
  seqReason,
  textReason,
  versionReason,
} from "./fields.ts";
import { jsonReason, refuseTooLarge } from "./json-text.ts";

/** What to start. */
export interface StartRequest {
  /** Empty: "default". */
  readonly namespace: string;
  readonly workflow: string;
  /** Empty: the latest. */
  readonly version: string;
  /** JSON text; empty means {}. */
  readonly input: string;
  /** Empty: none. */
  readonly idempotencyKey: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** Which runs, and which page of them. */
export interface ListRuns {
  /** Empty: all. */
  readonly namespace: string;
  /** Empty: all. */
  readonly workflow: string;
  /** Empty: all. */
  readonly statuses: readonly RunStatus[];
  /** Milliseconds since the epoch, included. */
  readonly createdAfterMs: number | undefined;
  /** Milliseconds since the epoch, excluded. */
  readonly createdBeforeMs: number | undefined;
  /** 1 to LIMITS.pageRows; 0 means the default. */
  readonly pageSize: number;
  /** Empty: the first page. */
  readonly pageToken: string;
}

/** Which part of a run's history. */
export interface HistoryRequest {
  readonly runId: string;
  /** 0 and 1: from the beginning. */
  readonly fromSeq: number;
  /** 1 to LIMITS.pageRows; 0 means {@link DEFAULT_HISTORY_ROWS}. */
  readonly pageSize: number;
}

/** A signal for a run. */
export interface SignalRequest {
  readonly runId: string;
  readonly name: string;
  /** JSON text; empty means null. */
  readonly payload: string;
  /** Empty: none. */
  readonly signalId: string;
  /** To say if no task of the workflow waits for signals of this name. */
  readonly checkName: boolean;
}

/** A cancellation or termination. */
export interface EndRequest {
  readonly runId: string;
  /** May be empty. */
  readonly reason: string;
}

/** Entries on a page of history when the request asks for 0. */
export const DEFAULT_HISTORY_ROWS = 100;

/** @throws FIELD_INVALID, MESSAGE_TOO_LARGE */
export function checkStart(request: StartRequest): void {
  refuseTooLarge("input", request.input, LIMITS.payloadBytes);
  const fields = new Fields();
  fields.check("namespace", labelReason(request.namespace || DEFAULT_NAMESPACE));
  fields.check("workflow", labelReason(request.workflow));
  fields.check("version", versionReason(request.version));
  fields.check("input", request.input === "" ? undefined : jsonReason(request.input));
  fields.check("idempotency_key", textReason(request.idempotencyKey, false));
  fields.check("labels", labelsReason(request.labels));
  fields.refuse();
}

/** @throws FIELD_INVALID */
export function checkRunId(runId: string): void {
  const fields = new Fields();
  fields.check("run_id", runIdReason(runId));
  fields.refuse();
}

/** @throws FIELD_INVALID */
export function checkList(request: ListRuns): void {
  const { createdAfterMs, createdBeforeMs } = request;
  const fields = new Fields();
  fields.check("namespace", optionalLabelReason(request.namespace));
  fields.check("workflow", optionalLabelReason(request.workflow));
  fields.check("created_after", timeReason(createdAfterMs));
  fields.check("created_before", timeReason(createdBeforeMs));
  if (fields.areValid && createdAfterMs !== undefined && createdBeforeMs !== undefined && createdBeforeMs <= createdAfterMs)
    fields.check("created_before", "must be later than created_after.");
  fields.check("page_size", pageSizeReason(request.pageSize));
  fields.refuse();
}

/** @throws FIELD_INVALID */
export function checkHistory(request: HistoryRequest): void {
  const fields = new Fields();
  fields.check("run_id", runIdReason(request.runId));
  fields.check("from_seq", seqReason(request.fromSeq));
  fields.check("page_size", pageSizeReason(request.pageSize));
  fields.refuse();
}

/** @throws FIELD_INVALID, MESSAGE_TOO_LARGE */
export function checkSignal(request: SignalRequest): void {
  refuseTooLarge("payload", request.payload, LIMITS.payloadBytes);
  const fields = new Fields();
  fields.check("run_id", runIdReason(request.runId));
  fields.check("name", textReason(request.name, true));
  fields.check("payload", request.payload === "" ? undefined : jsonReason(request.payload));
  fields.check("signal_id", textReason(request.signalId, false));
  fields.refuse();
}

/** @throws FIELD_INVALID */
export function checkEnd(request: EndRequest): void {
  const fields = new Fields();
  fields.check("run_id", runIdReason(request.runId));
  fields.check("reason", textReason(request.reason, false));
  fields.refuse();
}

/** The range of times that a JavaScript Date takes. */
const TIME_MAX_MS = 8.64e15;

function timeReason(timeMs: number | undefined): string | undefined {
  return timeMs === undefined || Math.abs(timeMs) <= TIME_MAX_MS ? undefined : "is no time that a calendar has.";
}
