/**
 * The worker pool of a node in a cluster: an attempt goes to the node's own pool if that has a slot for it, and waits otherwise until this node or another one
 * has. It knows no bus: whoever carries calls between nodes brings them to its lender and its borrower.
 */
import type { Clock } from "../clock.ts";
import { MaestroError } from "../errors.ts";
import type { EventHub } from "../events.ts";
import type { BootId } from "../ids.ts";
import type { Scheduler } from "../kernel/scheduler.ts";
import type { Random } from "../random.ts";
import { type Attempt, type AttemptOutcome, type HandlerInfo, type PoolState, type Tier, tierOf, type WorkerPool } from "../workers/pool.ts";
import { failed } from "../workers/protocol.ts";
import type { QueuedPool, QueueLoad } from "../workers/queue-load.ts";
import { turnOf } from "../workers/scheduling.ts";
import { Borrower } from "./borrower.ts";
import { Lender } from "./lender.ts";
import { Slots, TIERS } from "./slots.ts";
import type { TaskCalls } from "./task-calls.ts";
import { serves } from "./task-peers.ts";

/** What the pool asks of its cluster. */
export interface PoolSurroundings {
  readonly calls: Pick<TaskCalls, "ask" | "hint">;
  /** Other nodes that execute attempts of a queue, as far as is known; undefined: nobody knows yet. */
  executorsOf(queue: string): readonly BootId[] | undefined;
  /** How many other nodes execute attempts. */
  takers(): number;
  /** True while this node may take attempts of others. */
  mayTake(): boolean;
  /** Attempts begin to wait that executors may not know of. */
  onOffer(): void;
}

/** What the pool needs. */
export interface ClusterPoolOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly scheduler: Scheduler;
  readonly events: EventHub;
  /** The node's own. */
  readonly local: WorkerPool;
  /** Attempts that the node executes at a time in each tier; 0: it is no executor. */
  readonly slots: number;
  /** Queues that it serves; none: all. */
  readonly serves: readonly string[];
  /** Attempts that may wait. */
  readonly queueLength: number;
  /** True if this node has the handler and the right to execute it. */
  knows(handler: string): boolean;
  readonly cluster: PoolSurroundings;
}

/** See the file header. */
export class ClusterPool implements QueuedPool {
  readonly lender: Lender;
  readonly borrower: Borrower;
  readonly #options: ClusterPoolOptions;
  readonly #slots: Slots;
  /** Attempts of the node's own runs in its own pool, by queue. */
  readonly #here = new Map<string, number>();
  readonly #canExecute: (queue: string, handler: string) => boolean;
  #isStopping = false;

  constructor(options: ClusterPoolOptions) {
    const { clock, random, scheduler, events, local, queueLength, cluster } = options;
    this.#options = options;
    this.#slots = new Slots(options.slots);
    this.#canExecute = (queue, handler) => options.slots > 0 && serves(options.serves, queue) && options.knows(handler);
    this.lender = new Lender({
      ...{ clock, scheduler, events, queueLength, handlers: local.handlers },
      isExecutable: (queue, lacks, handler) => this.#isExecutable(queue, lacks, handler),
      takers: () => cluster.takers(),
      hintCancelled: (executor, loan) => cluster.calls.hint(executor, { $case: "cancel", value: { loans: [{ ...loan }] } }),
      onWaiting: (isFirst) => this.#noteWaiting(isFirst),
      refuse: (attempt, settle) => this.#refuse(attempt, settle),
    });
    this.borrower = new Borrower({
      ...{ clock, random, scheduler, events, pool: local, slots: this.#slots, calls: cluster.calls, serves: options.serves },
      knows: (handler) => options.knows(handler),
      mayTake: () => options.slots > 0 && cluster.mayTake(),
      onFreed: () => this.#startWaiting(),
    });
  }

  get handlers(): ReadonlyMap<string, HandlerInfo> {
    return this.#options.local.handlers;
  }

  get state(): PoolState {
    const { threads, active, queued } = this.#options.local.state;
    return { threads, active: active + this.lender.lentCount, queued: queued + this.lender.backlog.size };
  }

  /** The attempts of the node's own runs, by queue. */
  queues(): ReadonlyMap<string, QueueLoad> {
    const nowMs = this.#options.clock.monotonic();
    const [waiting, lent] = [this.lender.backlog.queues(), this.lender.lentByQueue];
    const names = new Set([...waiting.keys(), ...lent.keys(), ...this.#here.keys()]);
    const loadOf = (queue: string): QueueLoad => {
      const { waiting: count = 0, oldestSinceMs = nowMs } = waiting.get(queue) ?? {};
      return { waiting: count, active: (this.#here.get(queue) ?? 0) + (lent.get(queue) ?? 0), oldestWaitMs: nowMs - oldestSinceMs };
    };
    return new Map([...names].map((queue) => [queue, loadOf(queue)]));
  }

  submit(attempt: Attempt, settle: (outcome: AttemptOutcome) => void): void {
    if (this.#isStopping) throw new MaestroError("NODE_STOPPING");
    // While there is room, nothing waits here that could have it.
    const tier = tierOf(attempt, this.handlers);
    if (this.#canExecute(attempt.queue, attempt.handler) && this.#hasRoomFor(attempt, tier)) this.#execute(attempt, tier, settle);
    else this.lender.add(attempt, settle);
  }

  waitingSinceMs(attemptId: string): number | undefined {
    return this.lender.waitingSinceMs(attemptId) ?? this.#options.local.waitingSinceMs(attemptId);
  }

  cancel(attemptId: string): void {
    if (!this.lender.cancel(attemptId)) this.#options.local.cancel(attemptId);
  }

  async stop(graceMs: number): Promise<void> {
    this.#isStopping = true;
    this.lender.close();
    this.borrower.close();
    await this.#options.local.stop(graceMs);
  }

  /** False also if what there is is kept for what waits on other nodes, and goes first. */
  #hasRoomFor({ priority }: Attempt, tier: Tier): boolean {
    while (this.#slots.hasRoom(tier)) if (!this.borrower.askOlder(tier, turnOf(priority, this.#options.clock.monotonic()))) return true;
    return false;
  }

  #execute(attempt: Attempt, tier: Tier, settle: (outcome: AttemptOutcome) => void): void {
    const { queue } = attempt;
    this.#options.local.submit(attempt, (outcome) => {
      this.#slots.release(tier);
      this.#count(queue, -1);
      // Before anybody knows who might submit the next: what waits comes first.
      this.#startWaiting();
      this.borrower.askSoon();
      settle(outcome);
    });
    this.#slots.take(tier);
    this.#count(queue, 1);
  }

  #count(queue: string, change: number): void {
    const count = (this.#here.get(queue) ?? 0) + change;
    if (count === 0) this.#here.delete(queue);
    else this.#here.set(queue, count);
  }

  /** Executes what waits while there are slots. */
  #startWaiting(): void {
    while (!this.#isStopping && this.lender.backlog.size > 0) {
      const next = this.lender.takeHere(
        ({ queue, handler, tier }) => this.#slots.hasRoom(tier) && this.#canExecute(queue, handler),
        (tier, turnMs) => this.borrower.askOlder(tier, turnMs),
      );
      if (next === undefined) return;
      try {
        this.#execute(next.attempt, next.tier, next.settle);
      } catch (error) {
        // The pool is stopping, so nothing of it is wanted any more.
        if (!(error instanceof MaestroError)) throw error;
        next.settle({ kind: "cancelled" });
      }
    }
  }

  #noteWaiting(isFirst: boolean): void {
    if (isFirst) this.#options.cluster.onOffer();
    // One that came back, or that came while slots were being given back, may find one here.
    if (TIERS.some((tier) => this.#slots.hasRoom(tier))) this.#options.scheduler.afterIo(() => this.#startWaiting());
  }

  #isExecutable(queue: string, lacks: (executor: BootId) => boolean, handler: string): boolean | undefined {
    const others = this.#options.cluster.executorsOf(queue);
    if (others === undefined) return undefined;
    if (this.#canExecute(queue, handler) || others.some((executor) => !lacks(executor))) return true;
    const isServedHere = this.#options.slots > 0 && serves(this.#options.serves, queue);
    return isServedHere || others.length > 0 ? false : undefined;
  }

  /** What this node has no right to execute its own pool refuses best. What it could execute must not get there: it has no slot, and is not of its queues. */
  #refuse(attempt: Attempt, settle: (outcome: AttemptOutcome) => void): void {
    const { local, knows } = this.#options;
    const { queue, handler } = attempt;
    if (local.handlers.has(handler) && !knows(handler)) local.submit(attempt, settle);
    else settle(failed("unknown", `No executor of the queue ${queue} has a task handler called ${handler}.`));
  }
}
