/**
 * The worker pool of a node: routes each attempt to the tier that its handler asks for.
 */
import { availableParallelism } from "node:os";
import { invariant } from "../assert.ts";
import type { Clock } from "../clock.ts";
import { MaestroError, messageOf } from "../errors.ts";
import type { EventHub } from "../events.ts";
import { LIMITS } from "../limits.ts";
import { SHELL } from "./builtin/shell.ts";
import { ERROR_TYPES } from "./builtin/task-input.ts";
import { ChildThreads, SolitaryChildren } from "./child-threads.ts";
import { localThreads } from "./local-thread.ts";
import type { Attempt, AttemptOutcome, HandlerInfo, PoolState } from "./pool.ts";
import { type OpenChild, ProcessTier } from "./process-tier.ts";
import { type QueuedPool, type QueueLoad, sumOfQueues } from "./queue-load.ts";
import type { StartThread } from "./thread-link.ts";
import { ThreadPool } from "./thread-pool.ts";
import { PATIENCE, type Patience } from "./thread-pool-options.ts";

/** Options of a node's pool. All but the ports have defaults. */
export interface WorkerPoolOptions extends Partial<Patience> {
  readonly clock: Clock;
  readonly events: EventHub;
  /** Lets attempts run shell commands. Default false: those of the handler `shell` fail. */
  readonly allowShell?: boolean;
  /** Absolute path of the folder with the handler modules. Default: none, only built-in handlers. */
  readonly handlersFolder?: string;
  /** Threads of each tier. Default: one less than the machine's cores, at least 1. */
  readonly threads?: number;
  /** Bound of the heap of each thread of the `process` tier, in MiB. Default: the platform's own. */
  readonly processThreadMemoryMb?: number;
  /** Starts the child process of the tier `process` at once and not when it is needed: after a node was lost it is. Default false. */
  readonly isChildNeeded?: boolean;
  /** Attempts that may wait for a thread, for each tier. Default: LIMITS.taskQueueLength. */
  readonly queueLength?: number;
}

/** The pool of a node. */
export interface NodePool extends QueuedPool {
  /**
   * Another node may be about to be lost: what was under way there is executed in the child process (see {@link Attempt.isolation}), which starts now, so that
   * nobody has to wait for it later. It ends by itself if nobody comes. May be called often.
   */
  prepareForLoss(): void;
}

/**
 * Starts a node's pool: resolves when its threads have loaded the handlers.
 *
 * @throws HANDLER_INVALID a handler module could not be loaded, names its file and the reason.
 */
export async function startWorkerPool(options: WorkerPoolOptions): Promise<NodePool> {
  const { clock, events, handlersFolder = "", threads = Math.max(1, availableParallelism() - 1) } = options;
  const { cancelGraceMs = PATIENCE.cancelGraceMs, blockedMs = PATIENCE.blockedMs, unresponsiveMs = PATIENCE.unresponsiveMs } = options;
  invariant(Number.isInteger(threads) && threads >= 1, `a pool has at least one thread, not ${threads}`);
  const queueLength = options.queueLength ?? LIMITS.taskQueueLength;
  const shared = { clock, events, threads, queueLength, cancelGraceMs, blockedMs, unresponsiveMs };
  const startLocal = localThreads({ handlersFolder, memoryMb: 0 });
  const inNode = new ThreadPool({ ...shared, tier: "thread", handlers: new Map(), startThread: startLocal, startSolitary: startLocal });
  await inNode.started();
  const setup = { handlersFolder, memoryMb: options.processThreadMemoryMb ?? 0 };
  const openChild = (): OpenChild => {
    const [child, children] = [new ChildThreads(clock, setup), new SolitaryChildren(clock, setup)];
    const startThread: StartThread = (listener) => child.start(listener);
    const startSolitary: StartThread = (listener) => children.start(listener);
    const pool = new ThreadPool({ ...shared, tier: "process", handlers: inNode.handlers, startThread, startSolitary });
    const stop = async (graceMs: number): Promise<void> => {
      await pool.stop(graceMs);
      await Promise.all([child.stop(), children.stop()]);
    };
    return { pool, stop };
  };
  const inChild = new ProcessTier(clock, openChild, (error) => {
    events.emit("pool.threadLost", { tier: "process", reason: `the child process could not be started: ${messageOf(error)}`, tasks: 0 });
  });
  if (options.isChildNeeded === true) inChild.prepare();
  return new TieredPool({ inNode, inChild, allowShell: options.allowShell ?? false });
}

/** What a pool of two tiers is made of. */
interface Tiers {
  readonly inNode: QueuedPool;
  readonly inChild: ProcessTier;
  readonly allowShell: boolean;
}

/** Two pools as one. The handlers are those that the threads of the node have loaded. */
class TieredPool implements NodePool {
  readonly #tiers: Tiers;
  /** Handlers of the tier `thread` that crashed outside of the node: they are not let into it again as long as it lives. */
  readonly #crashed = new Set<string>();
  #stopping = false;

  constructor(tiers: Tiers) {
    this.#tiers = tiers;
  }

  get handlers(): ReadonlyMap<string, HandlerInfo> {
    return this.#tiers.inNode.handlers;
  }

  get state(): PoolState {
    const { threads, active, queued } = this.#tiers.inNode.state;
    const child = this.#tiers.inChild.pool?.state ?? { threads: 0, active: 0, queued: 0 };
    return { threads: threads + child.threads, active: active + child.active, queued: queued + child.queued };
  }

  queues(): ReadonlyMap<string, QueueLoad> {
    return sumOfQueues([this.#tiers.inNode.queues(), this.#tiers.inChild.pool?.queues() ?? []]);
  }

  submit(attempt: Attempt, settle: (outcome: AttemptOutcome) => void): void {
    if (this.#stopping) throw new MaestroError("NODE_STOPPING");
    if (attempt.handler === SHELL && !this.#tiers.allowShell) {
      queueMicrotask(() => settle(shellRefused(attempt)));
      return;
    }
    const { handler, isolation = "tier" } = attempt;
    const { inNode, inChild } = this.#tiers;
    if (this.handlers.get(handler)?.options.tier === "process") {
      inChild.stayOpen();
      inChild.submit(attempt, settle);
    } else if (isolation === "tier" && !this.#crashed.has(handler)) inNode.submit(attempt, settle);
    else {
      inChild.submit(attempt, (outcome) => {
        if (outcome.kind === "failed" && outcome.error.kind === "crashed") {
          this.#crashed.add(handler);
          inChild.stayOpen();
        }
        settle(outcome);
      });
    }
  }

  waitingSinceMs(attemptId: string): number | undefined {
    return this.#tiers.inNode.waitingSinceMs(attemptId) ?? this.#tiers.inChild.pool?.waitingSinceMs(attemptId);
  }

  cancel(attemptId: string): void {
    this.#tiers.inNode.cancel(attemptId);
    this.#tiers.inChild.pool?.cancel(attemptId);
  }

  prepareForLoss(): void {
    if (!this.#stopping) this.#tiers.inChild.prepare();
  }

  async stop(graceMs: number): Promise<void> {
    this.#stopping = true;
    await Promise.all([this.#tiers.inNode.stop(graceMs), this.#tiers.inChild.stop(graceMs)]);
  }
}

/** A workflow that was deployed where shell commands were allowed must not run them where they are not. */
function shellRefused({ task }: Attempt): AttemptOutcome {
  const { message, advice } = new MaestroError("SHELL_DISABLED", { facts: { path: task } });
  const problem = { type: ERROR_TYPES.authorization, status: 403, title: "Shell commands are not allowed" };
  return { kind: "failed", error: { kind: "refused", message: `${message} ${advice}`, ...problem } };
}
