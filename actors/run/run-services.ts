/**
 * What run actors share on a node: the ports and services that carry their effects out.
 */
import type { Clock } from "../../runtime/clock.ts";
import type { LimitWatch } from "../../runtime/limit-watch.ts";
import type { Random } from "../../runtime/random.ts";
import type { RetryOptions } from "../../runtime/workers/pool.ts";
import type { EventOutlet } from "../events/event-publisher.ts";
import type { ExternalEvaluator } from "../language/expression.ts";
import type { TimerService } from "../timers/timer-service.ts";
import type { Admission } from "./admission.ts";
import type { BereftRuns } from "./bereft-runs.ts";
import type { Dispatcher } from "./dispatcher.ts";
import type { RunSource } from "./loading.ts";
import type { NewerRuns } from "./newer-runs.ts";
import type { RecentRuns } from "./recent-runs.ts";
import type { Residents } from "./residents.ts";
import type { RunHub } from "./run-hub.ts";
import type { ShardGate } from "./shard-gate.ts";

/** See the file header. */
export interface RunServices extends RunSource {
  readonly clock: Clock;
  readonly random: Random;
  readonly limits: LimitWatch;
  readonly evaluator: ExternalEvaluator;
  readonly dispatcher: Dispatcher;
  readonly timers: Pick<TimerService, "set" | "clear">;
  readonly hub: RunHub;
  readonly gate: ShardGate;
  readonly residents: Residents;
  readonly admission: Admission;
  readonly recent: RecentRuns;
  /** Where events go; undefined: nowhere. */
  readonly outlet: EventOutlet | undefined;
  /** Runs of a node that was lost, which have not stored yet that their attempts went down with it. */
  readonly bereft: BereftRuns;
  /** Runs of this node that only a newer version of the program can read. */
  readonly newer: NewerRuns;
  /** The retry policy that a handler declares for itself. */
  retryOf(handler: string): RetryOptions | undefined;
  /** This boot may not write any more: the node has to stop. Called at least once. */
  onFenced(): void;
  /** Resolves after a time, in milliseconds. */
  pause(durationMs: number): Promise<void>;
}
