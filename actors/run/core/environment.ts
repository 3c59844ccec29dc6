/**
 * What the pure core may ask of the world while it decides: the time, chance, and answers that were computed before. Handed in for each turn.
 */
import type { Random } from "../../../runtime/random.ts";
import type { RetryOptions } from "../../../runtime/workers/pool.ts";
import type { EventLevel } from "../../events/cloud-event.ts";
import type { ExternalAnswer, ExternalRequest } from "../../language/expression.ts";
import type { Frame } from "./state.ts";

/** The world of one turn. */
export interface Environment {
  /** Milliseconds since the epoch. */
  readonly nowMs: number;
  readonly random: Random;
  /** Which events are told; undefined: none. */
  readonly eventLevel?: EventLevel | undefined;
  /** The retry policy that a handler declares for itself. */
  retryOf(handler: string): RetryOptions | undefined;
  /** True if the frame's step (undefined: the run's own) waits for an evaluation that is still being computed. */
  isBlocked(frame: Frame | undefined): boolean;
  /** The answer to an evaluation outside the compiled subset, if it was computed. */
  answer(request: ExternalRequest): ExternalAnswer | undefined;
}

/** Version that expressions see as `$runtime.version`. */
export const RUNTIME_DESCRIPTOR = Object.freeze({ name: "maestro", version: "0.1.0", metadata: Object.freeze({}) });
