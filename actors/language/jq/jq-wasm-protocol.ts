/**
 * What the evaluator and its thread say to each other. Values travel as JSON text; each request is answered once, in order.
 */

/** To the thread. `variables`: names without `$`, bound in this order to the values of `values`, a JSON array. */
export type ThreadRequest =
  | {
      readonly kind: "evaluate";
      readonly id: number;
      readonly source: string;
      readonly data: string;
      readonly variables: readonly string[];
      readonly values: string;
    }
  | { readonly kind: "check"; readonly id: number; readonly source: string; readonly variables: readonly string[] };

/** From the thread: `ready` once, then a reply for each request. */
export type ThreadReply =
  | { readonly kind: "ready" }
  /** `value` is JSON text. */
  | { readonly kind: "value"; readonly id: number; readonly value: string }
  | { readonly kind: "fault"; readonly id: number; readonly fault: string }
  /** The check found nothing wrong. */
  | { readonly kind: "sound"; readonly id: number };
