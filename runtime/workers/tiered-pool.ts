/**
 * The worker pool of a node: routes each attempt to the tier that its handler asks for.
 */
import { availableParallelism } from "node:os";
import type { Clock } from "../clock.ts";
import type { EventHub } from "../events.ts";
import { LIMITS } from "../limits.ts";
import { localThreads } from "./local-thread.ts";
import type { WorkerPool } from "./pool.ts";
import { ThreadPool } from "./thread-pool.ts";
import { PATIENCE, type Patience } from "./thread-pool-options.ts";

/** Options of a node's pool. All but the ports have defaults. */
export interface WorkerPoolOptions extends Partial<Patience> {
  readonly clock: Clock;
  readonly events: EventHub;
  /** Absolute path of the folder with the handler modules. Default: none, only built-in handlers. */
  readonly handlersFolder?: string;
  /** Threads of each tier. Default: one less than the machine's cores, at least 1. */
  readonly threads?: number;
  /** Bound of the heap of each thread of the `process` tier, in MiB. Default: the platform's own. */
  readonly processThreadMemoryMb?: number;
  /** Attempts that may wait for a thread, for each tier. Default: LIMITS.taskQueueLength. */
  readonly queueLength?: number;
}

/**
 * Starts a node's pool: resolves when its threads have loaded the handlers.
 *
 * @throws HANDLER_INVALID a handler module could not be loaded, names its file and the reason.
 */
export async function startWorkerPool(options: WorkerPoolOptions): Promise<WorkerPool> {
  const { clock, events, handlersFolder = "", threads = Math.max(1, availableParallelism() - 1) } = options;
  const { cancelGraceMs = PATIENCE.cancelGraceMs, blockedMs = PATIENCE.blockedMs, unresponsiveMs = PATIENCE.unresponsiveMs } = options;
  const queueLength = options.queueLength ?? LIMITS.taskQueueLength;
  const shared = { clock, events, threads, queueLength, cancelGraceMs, blockedMs, unresponsiveMs };
  const pool = new ThreadPool({ ...shared, tier: "thread", handlers: new Map(), startThread: localThreads({ handlersFolder, memoryMb: 0 }) });
  await pool.started();
  return pool;
}
