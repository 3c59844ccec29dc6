/**
 * What the node and a worker thread say to each other: plain data, in batches, one message a turn of the event loop each way. A batch of
 * requests is acknowledged by the next batch of replies, an empty one if need be; so an empty batch is a ping, and a thread that does not
 * acknowledge is blocked.
 */
import type { AttemptError, AttemptOutcome, HandlerInfo } from "./pool.ts";

/** Start data of a thread. */
export interface ThreadSetup {
  /** Absolute path; empty: built-in handlers only. */
  readonly handlersFolder: string;
  /** One Int32: the attempt whose synchronous beginning the thread is executing, or 0. Read when the thread has died. */
  readonly current: SharedArrayBuffer;
}

/** Number of an attempt on the wire, unique within a pool; from 1, wraps at 2^31. */
export type WireId = number;

/** From the node to a thread. */
export type Request =
  | {
      readonly kind: "execute";
      readonly id: WireId;
      readonly handler: string;
      /** JSON text. */
      readonly input: string;
      readonly attempt: number;
      readonly idempotencyKey: string;
      readonly runId: string;
      readonly task: string;
      readonly traceParent: string;
    }
  /** Aborts the attempt's signal with `reason`. */
  | { readonly kind: "cancel"; readonly id: WireId; readonly reason: string };

/** Level of a log line. */
export type LogLevel = "debug" | "info" | "warn" | "error";

/** From a thread to the node. */
export type Reply =
  /** First reply of a thread: it has loaded its handlers and takes attempts. */
  | { readonly kind: "ready"; readonly handlers: readonly HandlerInfo[] }
  /** Instead of `ready`: a module could not be loaded. The thread ends. */
  | { readonly kind: "refused"; readonly file: string; readonly reason: string }
  | { readonly kind: "ended"; readonly id: WireId; readonly outcome: AttemptOutcome }
  | { readonly kind: "heartbeat"; readonly id: WireId }
  /** `id` 0: outside any attempt. `data` is JSON text, empty without any. */
  | { readonly kind: "log"; readonly id: WireId; readonly level: LogLevel; readonly message: string; readonly data: string }
  /** Last reply of a thread that ends because of what an attempt did (0: nobody knows which). */
  | { readonly kind: "dying"; readonly culprit: WireId; readonly reason: string };

/** Requests of one turn. `sequence` counts the batches of a thread. */
export interface RequestBatch {
  readonly sequence: number;
  readonly requests: readonly Request[];
}

/** Replies of one turn. `acknowledged` is the sequence of the last batch of requests that the thread has read. */
export interface ReplyBatch {
  readonly acknowledged: number;
  readonly replies: readonly Reply[];
}

/** A failed outcome. */
export function failed(kind: AttemptError["kind"], message: string, more: Partial<AttemptError> = {}): AttemptOutcome {
  return { kind: "failed", error: { ...more, kind, message } };
}
