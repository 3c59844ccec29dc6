/**
 * What the node and the child process of the `process` tier say to each other: the batches of many threads through one channel. Arrays of
 * frames, one message a turn each way. What one side sent in an order arrives in it.
 */
import type { LocalThreadOptions } from "./local-thread.ts";
import type { ReplyBatch, RequestBatch } from "./protocol.ts";
import type { ThreadEnd } from "./thread-link.ts";

/** Start data of the child: its first argument, as JSON. */
export type ChildSetup = LocalThreadOptions;

/** From the node to the child. `thread` is a number that the node gives out, never twice to one child. */
export type ChildRequest =
  | { readonly kind: "start"; readonly thread: number }
  | { readonly kind: "batch"; readonly thread: number; readonly batch: RequestBatch }
  | { readonly kind: "terminate"; readonly thread: number };

/** From the child to the node. `ended` is the last of a thread. */
export type ChildReply =
  | { readonly kind: "batch"; readonly thread: number; readonly batch: ReplyBatch }
  | { readonly kind: "ended"; readonly thread: number; readonly end: ThreadEnd };
