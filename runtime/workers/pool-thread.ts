/**
 * One thread as the pool sees it: what is on it, what it was sent, and whether it answers. Decides nothing about attempts.
 *
 *     starting -> ready -> condemned -> ended
 */
import type { CancelTimer, Clock } from "../clock.ts";
import type { Execution } from "./execution.ts";
import type { HandlerInfo } from "./pool.ts";
import type { Reply, ReplyBatch, Request, WireId } from "./protocol.ts";
import type { StartThread, ThreadEnd, ThreadLink } from "./thread-link.ts";
import type { ThreadLoss } from "./thread-loss.ts";
import { TurnBatch } from "./turn-batch.ts";

/** How long a thread that was told to end is waited for, in milliseconds; what holds it then is native code. */
const TERMINATION_MS = 5_000;

/** Hears of a thread. */
export interface PoolThreadListener {
  ready(thread: PoolThread, handlers: readonly HandlerInfo[]): void;
  refused(thread: PoolThread, file: string, reason: string): void;
  reply(thread: PoolThread, reply: Reply & { kind: "ended" | "heartbeat" | "log" }): void;
  ended(thread: PoolThread, loss: ThreadLoss): void;
}

/** Why the pool ends a thread. */
export interface Condemnation {
  readonly reason: string;
  readonly blocked: boolean;
  /** Attempt that is to blame; 0: whoever was executing. */
  readonly culprit: WireId;
}

/** One thread of a pool. */
export class PoolThread {
  readonly executions = new Map<WireId, Execution>();
  readonly #clock: Clock;
  readonly #listener: PoolThreadListener;
  readonly #link: ThreadLink;
  readonly #requests: TurnBatch<Request>;
  #ready = false;
  #sent = 0;
  #acknowledged = 0;
  #unansweredSinceMs = 0;
  #condemnation: Condemnation | undefined;
  #dying: ThreadEnd | undefined;
  #ended = false;
  #impatience: CancelTimer | undefined;
  /** True if it has not answered for a while: others are preferred. */
  sluggish = false;

  constructor(clock: Clock, startThread: StartThread, listener: PoolThreadListener) {
    this.#clock = clock;
    this.#listener = listener;
    this.#requests = new TurnBatch((requests) => this.#send(requests));
    this.#link = startThread({ replies: (batch) => this.#read(batch), ended: (end) => this.#end(end) });
  }

  /** True if it takes attempts. */
  get available(): boolean {
    return this.#ready && this.#condemnation === undefined && this.#dying === undefined && !this.#ended;
  }

  /** Milliseconds since it was sent the oldest batch that it has not acknowledged; 0 if there is none. */
  unansweredMs(nowMs: number): number {
    return this.#sent === this.#acknowledged ? 0 : nowMs - this.#unansweredSinceMs;
  }

  /** Sends a request with the batch of this turn; answers that batch's sequence. */
  request(request: Request): number {
    this.#requests.add(request);
    return this.#sent + 1;
  }

  /** True if it has read the batch of that sequence. */
  hasRead(sequence: number): boolean {
    return this.#acknowledged >= sequence;
  }

  /** Asks for a sign of life, unless it owes one already. */
  ping(): void {
    if (this.#sent === this.#acknowledged) this.#requests.schedule();
  }

  /** Begins anew to measure how long it has not answered: the node itself was not listening. */
  forgive(): void {
    this.#unansweredSinceMs = this.#clock.monotonic();
  }

  /** Ends the thread; its listener hears of it when it has ended. */
  condemn(condemnation: Condemnation): void {
    if (this.#condemnation !== undefined || this.#ended) return;
    this.#condemnation = condemnation;
    this.#impatience = this.#clock.schedule(TERMINATION_MS, () => this.#end({ reason: "the thread could not be ended", culprit: 0 }));
    this.#link.terminate();
  }

  #send(requests: readonly Request[]): void {
    if (this.#ended) return;
    if (this.#sent === this.#acknowledged) this.#unansweredSinceMs = this.#clock.monotonic();
    this.#sent += 1;
    this.#link.send({ sequence: this.#sent, requests });
  }

  #read(batch: ReplyBatch): void {
    if (this.#ended) return;
    if (batch.acknowledged > this.#acknowledged) {
      this.#acknowledged = batch.acknowledged;
      this.#unansweredSinceMs = this.#clock.monotonic();
      this.sluggish = false;
    }
    for (const reply of batch.replies) this.#take(reply);
  }

  #take(reply: Reply): void {
    switch (reply.kind) {
      case "ready":
        this.#ready = true;
        this.#listener.ready(this, reply.handlers);
        break;
      case "refused":
        this.#listener.refused(this, reply.file, reply.reason);
        break;
      case "dying":
        this.#dying = reply;
        break;
      default:
        this.#listener.reply(this, reply);
    }
  }

  #end(end: ThreadEnd): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#impatience?.();
    const reason = this.#condemnation?.reason ?? this.#dying?.reason ?? end.reason;
    const culprit = this.#condemnation?.culprit || this.#dying?.culprit || (this.#condemnation?.blocked === false ? 0 : end.culprit);
    const blocked = this.#condemnation?.blocked === true;
    this.#listener.ended(this, { reason, culprit, blocked, attempts: this.executions.size, withOthers: end.withOthers === true });
  }
}
