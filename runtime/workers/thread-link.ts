/**
 * The port to one worker thread, wherever it lives: in the node's process or in a child process. The pool is written against it alone.
 */
import type { ReplyBatch, RequestBatch, WireId } from "./protocol.ts";

/** How a thread ended. */
export interface ThreadEnd {
  readonly reason: string;
  /** The attempt that was executing when the thread ended; 0 if that is not known. */
  readonly culprit: WireId;
  /** True if other threads ended with it, for a reason that may lie on any of them. Default false. */
  readonly withOthers?: boolean;
}

/** Hears what a thread says. */
export interface ThreadListener {
  replies(batch: ReplyBatch): void;
  /** Called once, as the last thing. */
  ended(end: ThreadEnd): void;
}

/** One worker thread. */
export interface ThreadLink {
  /** Sends a batch. Does nothing once the thread has ended. */
  send(batch: RequestBatch): void;
  /** Ends the thread at once, whatever it is doing; `ended` follows. */
  terminate(): void;
}

/** Starts a thread. Never throws: what goes wrong is told by `ended`. */
export type StartThread = (listener: ThreadListener) => ThreadLink;
