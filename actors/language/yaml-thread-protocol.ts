/**
 * What is asked of a thread that reads one large document, and what it answers. Values travel as JSON text: cheaper than copies of what they say.
 */
import type { Violation } from "../../runtime/errors.ts";
import type { Position } from "./violations.ts";

/** To the thread, as its data. `pointers`: whose places are asked for; without them the value is. */
export interface ReadRequest {
  readonly text: string;
  readonly pointers?: readonly string[];
}

/** From the thread, once. */
export type ReadReply =
  | { readonly kind: "value"; readonly json: string }
  | { readonly kind: "positions"; readonly positions: readonly Position[] }
  | { readonly kind: "faulty"; readonly facts: Readonly<Record<string, string | number>>; readonly violations: readonly Violation[] };
