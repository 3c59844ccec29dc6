/**
 * Brings the attempts of a cluster and its executors together: carries calls between this node's pool and the bus, says what waits here, hears what waits
 * elsewhere, and notices who has ended. Every second it looks at everything again, so a message that was lost costs a second.
 */
import { TaskAnswer, TaskCall, TaskSummary } from "../../proto/gen/maestro/cluster/v1/task_call.ts";
import type { Bus, BusReply, Subscription } from "../bus/bus.ts";
import { PartialCalls } from "../bus/message-parts.ts";
import type { CancelTimer, Clock } from "../clock.ts";
import { type ClusterView, isMember } from "../cluster/cluster-view.ts";
import type { EventHub } from "../events.ts";
import type { BootId } from "../ids.ts";
import { platformScheduler, type Scheduler } from "../kernel/scheduler.ts";
import { LIMITS } from "../limits.ts";
import type { Random } from "../random.ts";
import type { WorkerPool } from "../workers/pool.ts";
import type { ClusterQueue } from "../workers/queue-load.ts";
import { TurnBatch } from "../workers/turn-batch.ts";
import { ClusterPool } from "./cluster-pool.ts";
import { type Answer, offersSubject, TaskCalls, tasksSubject } from "./task-calls.ts";
import { lentMessage, outcomeOf } from "./task-messages.ts";
import { clusterQueues, serves, TaskPeers } from "./task-peers.ts";
import { UnservedQueues } from "./unserved-queues.ts";

const TICK_MS = 1_000;
/** Attempts that one answer calls unwanted; the next one names others. */
const UNWANTED_AT_A_TIME = 1_000;

/** What an exchange needs. */
export interface ExchangeOptions {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly random: Random;
  /** How turns get onto the thread. Default: the platform's. */
  readonly scheduler?: Scheduler;
  readonly events: EventHub;
  readonly clusterName: string;
  readonly self: BootId;
  /** The node's own worker pool. */
  readonly local: WorkerPool;
  /** Attempts that the node executes at a time in each tier; 0: it is no executor. */
  readonly slots: number;
  /** Queues that it serves; none: all. */
  readonly serves: readonly string[];
  /** True if this node has the handler and the right to execute it. */
  knows(handler: string): boolean;
}

/** The exchange of one node. */
export class Exchange {
  /** Where attempts of the node's own runs go. */
  readonly pool: ClusterPool;
  readonly #options: ExchangeOptions;
  readonly #calls: TaskCalls;
  readonly #peers: TaskPeers;
  readonly #unserved: UnservedQueues;
  readonly #partial: PartialCalls;
  /** The newest call of each executor, by its number. */
  readonly #sequences = new Map<BootId, number>();
  readonly #offers: TurnBatch<void>;
  #subscriptions: readonly Subscription[] = [];
  #cancelTick: CancelTimer | undefined;
  #view: ClusterView | undefined;
  #members: ReadonlySet<BootId> = new Set();
  /** How often this node has said what waits with it. */
  #saidCount = 0;

  constructor(options: ExchangeOptions) {
    const { clock, random, scheduler = platformScheduler(), events, local, slots, knows } = options;
    this.#options = options;
    this.#calls = new TaskCalls(options);
    this.#peers = new TaskPeers(clock);
    this.#unserved = new UnservedQueues(clock, events);
    this.#partial = new PartialCalls(clock);
    this.#offers = new TurnBatch(() => this.#offer(), scheduler);
    this.pool = new ClusterPool({
      ...{ clock, random, scheduler, events, local, slots, serves: options.serves, queueLength: LIMITS.taskQueueLength, knows },
      cluster: {
        calls: this.#calls,
        executorsOf: (queue) => this.#executorsOf(queue),
        takers: () => this.#peers.takers,
        mayTake: () => this.#view?.nodes.some(({ bootId, state }) => bootId === options.self && state === "live") ?? false,
        onOffer: () => this.#offers.schedule(),
      },
    });
  }

  /** Serves other nodes from now on, and is served by them. */
  start(): void {
    const { bus, clusterName, self } = this.#options;
    this.#subscriptions = [
      bus.respond(tasksSubject(clusterName, self), ({ payload }) => this.#serve(payload)),
      bus.subscribe(offersSubject(clusterName), ({ payload }) => this.#hear(TaskSummary.decode(payload))),
    ];
    this.#tick();
  }

  /** The cluster is like this now. Who is no member of it any more is forgotten, and neither served nor asked. */
  show(view: ClusterView): void {
    const before = this.#members;
    this.#view = view;
    this.#members = new Set(view.nodes.filter(({ state }) => isMember(state)).map(({ bootId }) => bootId));
    for (const bootId of before) if (!this.#members.has(bootId)) this.#forget(bootId, view);
    // What was offered before, newcomers have not heard, or it was not heard of them.
    for (const bootId of this.#members) if (!before.has(bootId)) this.#offers.schedule();
    this.pool.lender.refuseHopeless();
  }

  /** The queues of the whole cluster, as far as this node has heard. */
  queues(): readonly ClusterQueue[] {
    return clusterQueues([this.#summary(), ...this.#peers.recent()]);
  }

  /** Takes no more attempts of others; resolves when what it has has ended within `graceMs`, or was given back. */
  drain(graceMs: number, hurried: AbortSignal): Promise<void> {
    return this.pool.borrower.drain(graceMs, hurried);
  }

  /** Ends. The pool goes on with what it has, and lends nothing. */
  stop(): void {
    this.#cancelTick?.();
    for (const subscription of this.#subscriptions) subscription.close();
  }

  #tick(): void {
    const { clock } = this.#options;
    this.pool.lender.expire();
    this.pool.lender.refuseHopeless();
    this.pool.borrower.tick();
    this.#unserved.look(this.queues(), this.pool.lender.backlog.queues());
    this.#offer();
    this.#cancelTick = clock.schedule(TICK_MS, () => this.#tick());
  }

  #offer(): void {
    this.#saidCount += 1;
    this.#calls.offer(TaskSummary.encode(this.#summary()).finish());
  }

  #summary(): TaskSummary {
    const { self, slots } = this.#options;
    const waits = this.pool.lender.backlog.queues();
    const queues = [...this.pool.queues()].map(([queue, { waiting, active, oldestWaitMs }]) => ({
      ...{ queue, waiting, active, oldestWaitMs: Math.ceil(oldestWaitMs), processWaiting: waits.get(queue)?.processWaiting ?? 0 },
    }));
    queues.sort((a, b) => b.waiting - a.waiting);
    const told = queues.slice(0, LIMITS.queuesTold);
    return { sender: self, queues: told, isExecutor: slots > 0, serves: [...this.#options.serves], asOf: this.#saidCount };
  }

  #hear(summary: TaskSummary): void {
    const { self, slots } = this.#options;
    // One that has joined a moment ago says it again within a second.
    if (summary.sender === self || !this.#members.has(summary.sender as BootId)) return;
    this.#peers.hear(summary);
    if (slots === 0) return;
    const waiting = { thread: 0, process: 0 };
    let oldestWaitMs = 0;
    for (const load of summary.queues) {
      if (!serves(this.#options.serves, load.queue)) continue;
      waiting.thread += load.waiting - load.processWaiting;
      waiting.process += load.processWaiting;
      oldestWaitMs = Math.max(oldestWaitMs, load.oldestWaitMs);
    }
    this.pool.borrower.hear(summary.sender as BootId, waiting, summary.asOf, oldestWaitMs);
  }

  #serve(payload: Uint8Array): BusReply {
    return { payload: TaskAnswer.encode({ answer: this.#answer(payload) }).finish() };
  }

  #answer(payload: Uint8Array): Answer | undefined {
    const message = TaskCall.decode(payload);
    if (!this.#members.has(message.sender as BootId)) return undefined;
    if (message.call?.$case !== "part") return this.#answerWhole(message);
    const whole = this.#partial.add(message.call.value);
    return whole === undefined ? NOTED : this.#answer(whole);
  }

  #answerWhole({ sender: text, sequence, call }: TaskCall): Answer | undefined {
    const sender = text as BootId;
    const { lender, borrower } = this.pool;
    if (sequence > 0 && !this.#isNews(sender, sequence)) return { $case: "stale", value: {} };
    switch (call?.$case) {
      case "take": {
        const { queues, count: thread, processCount: process } = call.value;
        const { attempts, left } = lender.lend(sender, sequence, (queue) => serves(queues, queue), { thread, process });
        this.#saidCount += 1;
        const asOf = this.#saidCount;
        return { $case: "taken", value: { attempts: attempts.map(lentMessage), left: left.thread, processLeft: left.process, asOf } };
      }
      case "renew":
        return {
          $case: "renewed",
          value: { unwanted: lender.renew(sender, call.value.held).slice(0, UNWANTED_AT_A_TIME) as { id: string; grant: number }[] },
        };
      case "giveBack":
        lender.giveBack(sender, call.value.loans, call.value.unknown);
        return NOTED;
      case "results":
        for (const result of call.value.results) lender.end(sender, result.id, outcomeOf(result));
        return NOTED;
      case "fetch":
        return { $case: "fetched", value: { bytes: pieceOf(lender.inputOf(sender, call.value.id), call.value.offset) } };
      case "cancel":
        borrower.cancelled(sender, call.value.loans);
        return NOTED;
      default:
        return undefined;
    }
  }

  #isNews(sender: BootId, sequence: number): boolean {
    if (sequence <= (this.#sequences.get(sender) ?? 0)) return false;
    this.#sequences.set(sender, sequence);
    return true;
  }

  #executorsOf(queue: string): readonly BootId[] | undefined {
    const { self } = this.#options;
    return this.#view && this.#peers.executorsAmong(this.#view.nodes, queue).filter((bootId) => bootId !== self);
  }

  #forget(bootId: BootId, view: ClusterView): void {
    const hasLeft = view.nodes.some((node) => node.bootId === bootId && node.state === "released");
    this.#peers.forget(bootId);
    this.#sequences.delete(bootId);
    this.pool.lender.forgetExecutor(bootId, { isLoss: !hasLeft });
    this.pool.borrower.forget(bootId);
  }
}

const NOTED: Answer = { $case: "noted", value: {} };

function pieceOf(input: string | undefined, offset: number): Buffer {
  return input === undefined ? Buffer.alloc(0) : Buffer.from(input).subarray(offset, offset + LIMITS.callPartBytes);
}
