/**
 * What the command line asks of a node, whoever answers. Messages are those of the wire contract; lists come whole, page by page behind
 * the scenes; history comes as the entries that the rest of the product knows.
 */
import type { HistoryEntry } from "../../actors/runs.ts";
import type { SignalAnswer } from "../../gateway/service/run-service.ts";
import type { Activity, ClusterNode, Queue, Run, RunStatus, ShardGroup, Workflow } from "./wire.ts";

/** A workflow by name. */
export interface WorkflowRef {
  readonly namespace: string;
  readonly name: string;
  /** Empty: the latest; for a deletion, all. */
  readonly version: string;
}

/** A run to start. */
export interface RunRequest extends WorkflowRef {
  /** JSON text; empty means {}. */
  readonly input: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Empty: none. */
  readonly idempotencyKey: string;
}

/** Which runs to list; empty fields mean all. */
export interface RunQuery {
  readonly namespace: string;
  readonly workflow: string;
  readonly statuses: readonly RunStatus[];
  readonly limit: number;
}

/** Which events; empty fields mean all. */
export interface EventRequest {
  /** A number in the stream, a time in milliseconds since the epoch, or what comes from now on. */
  readonly from: { readonly sequence: number } | { readonly timeMs: number } | "new";
  readonly namespace: string;
  readonly workflow: string;
  readonly types: readonly string[];
  readonly runId: string;
  /** Ends with what is there now. */
  readonly stopsAtEnd: boolean;
}

/** A connection to a node. Every method throws MaestroError: what the node refused with, or NODE_UNREACHABLE. */
export interface Gateway {
  readonly address: string;
  deploy(document: string, isDryRun: boolean): Promise<{ readonly workflow: Workflow; readonly created: boolean }>;
  /** With its document. */
  workflow(ref: WorkflowRef): Promise<Workflow>;
  workflows(filter: { readonly namespace: string; readonly name: string; readonly limit: number }): Promise<readonly Workflow[]>;
  /** Answers how many versions were taken out of use. */
  deleteWorkflow(ref: WorkflowRef): Promise<number>;
  start(request: RunRequest): Promise<{ readonly runId: string; readonly created: boolean }>;
  run(runId: string): Promise<Run>;
  /** Once it has ended; REQUEST_CANCELLED if `signal` is aborted before. */
  endedRun(runId: string, signal: AbortSignal): Promise<Run>;
  /** Newest first. */
  runs(query: RunQuery): Promise<readonly Run[]>;
  /** The entries from a sequence number on to another; a run may grow as fast as it is read, so that without a last one there would be no end. */
  history(runId: string, fromSeq: number, lastSeq: number): AsyncIterable<HistoryEntry>;
  /** The entries from a sequence number on, and then live until the run has ended or `signal` is aborted. */
  watch(runId: string, fromSeq: number, signal: AbortSignal): AsyncIterable<HistoryEntry>;
  /** Events, until `signal` is aborted. Each is a CloudEvent as JSON text. */
  events(request: EventRequest, signal: AbortSignal): AsyncIterable<{ readonly sequence: number; readonly json: string }>;
  /** Says also if no task waits for signals of that name. */
  signal(runId: string, signal: { readonly name: string; readonly payload: string; readonly signalId: string }): Promise<SignalAnswer>;
  cancel(runId: string, reason: string): Promise<void>;
  terminate(runId: string, reason: string): Promise<void>;
  release(runId: string): Promise<void>;
  /** By name; nodes that ended for an hour. */
  nodes(): Promise<readonly ClusterNode[]>;
  /** By node and epoch; free ones last. */
  shards(): Promise<readonly ShardGroup[]>;
  /** By name. */
  queues(): Promise<readonly Queue[]>;
  /** What the node at this address does itself. */
  activity(): Promise<Activity>;
  /** By name or boot id. */
  drain(node: string): Promise<ClusterNode>;
  undrain(node: string): Promise<ClusterNode>;
  close(): void;
}
