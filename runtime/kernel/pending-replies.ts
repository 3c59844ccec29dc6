/**
 * Asks in flight: each has a deadline, may be cancelled, and there are at most `LIMITS.pendingReplies`. An ask is one object: the reply address
 * that its message holds, the envelope that waits in the mailbox, and the link in the list of deadlines.
 */
import type { Clock } from "../clock.ts";
import { MaestroError } from "../errors.ts";
import { LimitEdge, type LimitWatch } from "../limit-watch.ts";
import { LIMITS } from "../limits.ts";
import type { Cell } from "./cell.ts";
import type { DeadLetters } from "./dead-letters.ts";
import { Deadline, Deadlines } from "./deadlines.ts";
import { noteAwaited } from "./deadlock-check.ts";
import type { AskOptions, ReplyTo } from "./reference.ts";
import { RETRY_AFTER_MS, refusalError } from "./refusal.ts";

/** One ask in flight. Only the kernel makes and reads it; to others it is a {@link ReplyTo}. */
export class PendingReply extends Deadline implements ReplyTo<unknown> {
  readonly asked: Cell;
  readonly asker: Cell | undefined;
  readonly timeoutMs: number;
  /** The message that carries this as its reply address. */
  message: unknown = undefined;
  /** What the asker holds: tells which ask is piped. */
  promise: Promise<unknown> | undefined = undefined;
  readonly #replies: PendingReplies;
  #resolve: ((value: unknown) => void) | undefined = undefined;
  #reject: ((error: unknown) => void) | undefined = undefined;
  #unsubscribe: (() => void) | undefined = undefined;

  constructor(replies: PendingReplies, asked: Cell, asker: Cell | undefined, timeoutMs: number) {
    super();
    this.#replies = replies;
    this.asked = asked;
    this.asker = asker;
    this.timeoutMs = timeoutMs;
  }

  /** True once the asker has its answer, or has given up. */
  get isSettled(): boolean {
    return this.#resolve === undefined;
  }

  /** Connects the promise that the asker holds. */
  connect(resolve: (value: unknown) => void, reject: (error: unknown) => void): void {
    this.#resolve = resolve;
    this.#reject = reject;
  }

  /** Fails the ask when `signal` is aborted. */
  cancelOn(signal: AbortSignal): void {
    const cancel = (): void => this.fail(new MaestroError("REQUEST_CANCELLED", { cause: signal.reason }));
    signal.addEventListener("abort", cancel, { once: true });
    this.#unsubscribe = () => signal.removeEventListener("abort", cancel);
  }

  reply(value: unknown): void {
    const resolve = this.#resolve;
    if (resolve === undefined) {
      this.#replies.late(this, value);
      return;
    }
    this.#settle();
    resolve(value);
  }

  fail(error: unknown): void {
    const reject = this.#reject;
    if (reject === undefined) {
      this.#replies.late(this, error);
      return;
    }
    this.#settle();
    reject(error);
  }

  /** Fails the ask if it is still in flight. */
  abandon(error: MaestroError): void {
    if (!this.isSettled) this.fail(error);
  }

  override onDue(): void {
    this.fail(new MaestroError("TIMED_OUT", { facts: { what: `The answer of ${this.asked.path}`, timeoutMs: this.timeoutMs } }));
  }

  #settle(): void {
    this.#resolve = undefined;
    this.#reject = undefined;
    this.#unsubscribe?.();
    this.#replies.ended(this);
    this.asked.attachments?.unanswered?.delete(this);
    this.asker?.attachments?.awaited?.delete(this);
  }
}

/** The asks in flight of one actor system. */
export class PendingReplies {
  readonly #deadlines: Deadlines;
  readonly #deadLetters: DeadLetters;
  readonly #edge: LimitEdge;
  #count = 0;

  constructor(clock: Clock, deadLetters: DeadLetters, limits: LimitWatch) {
    this.#edge = new LimitEdge(limits, "pendingReplies", "asks that await their answer");
    this.#deadlines = new Deadlines(clock);
    this.#deadLetters = deadLetters;
  }

  /** Number of asks in flight. */
  get count(): number {
    return this.#count;
  }

  /** Sends the message that `build` makes around a reply address to `asked`; resolves with the answer. See `ActorRef.ask` for errors. */
  ask(asked: Cell, asker: Cell | undefined, build: (replyTo: ReplyTo<never>) => unknown, options: AskOptions): Promise<unknown> {
    if (this.#count >= LIMITS.pendingReplies) {
      return Promise.reject(new MaestroError("ASKS_FULL", { facts: { pending: this.#count }, retryAfterMs: RETRY_AFTER_MS }));
    }
    if (options.signal?.aborted === true) return Promise.reject(new MaestroError("REQUEST_CANCELLED", { cause: options.signal.reason }));
    const pending = new PendingReply(this, asked, asker, options.timeoutMs);
    pending.promise = new Promise((resolve, reject) => {
      pending.message = build(pending);
      this.#deadlines.add(pending, options.timeoutMs);
      this.#count++;
      this.#edge.note(this.#count);
      pending.connect(resolve, reject);
    });
    if (pending.isSettled) return pending.promise;
    if (options.signal !== undefined) pending.cancelOn(options.signal);
    const delivery = asked.deliver(pending);
    if (delivery !== "accepted") pending.abandon(refusalError(asked, delivery));
    else if (asker !== undefined) noteAwaited(asker, pending);
    return pending.promise;
  }

  /** For {@link PendingReply}: it has ended. */
  ended(pending: PendingReply): void {
    this.#count--;
    this.#deadlines.remove(pending);
  }

  /** For {@link PendingReply}: an answer came to an ask that had ended. */
  late(pending: PendingReply, value: unknown): void {
    this.#deadLetters.record(pending.asked.path, "late-reply", value);
  }

  /**
   * Fails all that are in flight; for the end of the system. Without an actor left, what was not answered was not done: ACTOR_STOPPED. Otherwise
   * nobody can know: an actor that is still there may be waiting for its write, so these have TIMED_OUT. `goneAfterMs`: how long was waited for the
   * actors in vain.
   */
  stop(goneAfterMs?: number): void {
    this.#deadlines.stop((deadline) => {
      if (!(deadline instanceof PendingReply)) return;
      if (goneAfterMs === undefined) deadline.abandon(refusalError(deadline.asked, "stopped"));
      else deadline.abandon(new MaestroError("TIMED_OUT", { facts: { what: `The end of ${deadline.asked.path}`, timeoutMs: goneAfterMs } }));
    });
  }
}
