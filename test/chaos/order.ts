/**
 * What a client of the crash tests wants of the node, and what it was told: the record against which the store is judged afterwards.
 */
import type { RunResult } from "../../proto/gen/maestro/v1/run_service.ts";
import type { Kind } from "./workflows.ts";

/** How a run ended, as the client was told. */
export type Told = Pick<RunResult, "status" | "output" | "error">;

/** One run that a client wants. */
export interface Order {
  /** Also the label `order` of its run. */
  readonly id: string;
  readonly kind: Kind;
  readonly n: number;
  /** Without one, a start whose answer got lost is not repeated. */
  readonly key: string | undefined;
  /** False: gives up when a start was not acknowledged, so that its fate stays open. */
  readonly isPersistent: boolean;
  /** Starts over the stream that answers when the run has ended. */
  readonly isExecuted: boolean;
  /** Run ids that the node acknowledged. More than one is a defect. */
  readonly acknowledged: Set<string>;
  /** What the node acknowledged beside the start. */
  isDriven: boolean;
  /** The client does not know whether the run exists, and has stopped asking. */
  isOpen: boolean;
  told: Told | undefined;
  /** Why the client gave up although it should not have had to. */
  trouble: string | undefined;
}
