/**
 * What waits at a run: commands and questions until their turn, and answers until what they rest on is committed. Every asker is answered once, whatever
 * becomes of the run's actor.
 */
import { MaestroError } from "../../runtime/errors.ts";
import type { ReplyTo } from "../../runtime/kernel/reference.ts";
import { LIMITS } from "../../runtime/limits.ts";
import type { RunView } from "../runs.ts";
import type { RunCommand } from "./core/command.ts";

/** Answers an asker: with nothing but that it is committed, or with why it is not. */
type Reply = (failure: MaestroError | undefined) => void;

interface Waiting {
  /** Undefined: a question. */
  readonly command: RunCommand | undefined;
  readonly replyTo: ReplyTo<void> | undefined;
  readonly question: ReplyTo<RunView> | undefined;
}

/** The inbox of one run. */
export class Inbox {
  #waiting: Waiting[] = [];
  #owed: readonly Reply[] = [];

  /** Commands and questions that wait for a turn. */
  get length(): number {
    return this.#waiting.length;
  }

  /** True if nothing waits for a turn. */
  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  /** True if nobody waits for an answer either. */
  get isIdle(): boolean {
    return this.#waiting.length === 0 && this.#owed.length === 0;
  }

  /** A command. If too many wait it is refused; one that nobody awaits is brought again by who sent it. */
  add(command: RunCommand, replyTo: ReplyTo<void> | undefined): void {
    this.#push({ command, replyTo, question: undefined }, replyTo);
  }

  /** A command that comes before all that wait. */
  addFirst(command: RunCommand, replyTo: ReplyTo<void> | undefined): void {
    this.#waiting.unshift({ command, replyTo, question: undefined });
  }

  /** A question about the run as it is after the commands before it. */
  ask(question: ReplyTo<RunView>): void {
    this.#push({ command: undefined, replyTo: undefined, question }, question);
  }

  /** The commands of the next turn, at most `limit`. Questions in front of them are answered with `view`, those behind end the turn. */
  take(limit: number, view: () => RunView): RunCommand[] {
    let first = 0;
    for (; this.#waiting[first]?.question !== undefined; first += 1) this.#waiting[first]?.question?.reply(view());
    if (first > 0) this.#waiting.splice(0, first);
    const commands: RunCommand[] = [];
    for (const { command } of this.#waiting) {
      if (command === undefined || commands.length === limit) break;
      commands.push(command);
    }
    return commands;
  }

  /** The turn took the first commands, and these are its answers: they are kept until {@link payBack}. */
  taken(answers: readonly (MaestroError | undefined)[]): void {
    const replies: Reply[] = [];
    for (const [index, { replyTo }] of this.#waiting.splice(0, answers.length).entries()) {
      if (replyTo === undefined) continue;
      const refusal = answers[index];
      replies.push((failure) => {
        const error = failure ?? refusal;
        if (error === undefined) replyTo.reply();
        else replyTo.fail(error);
      });
    }
    this.#owed = replies;
  }

  /** Gives the answers that were kept: what they rest on is committed, or `failure` says why not. */
  payBack(failure: MaestroError | undefined): void {
    const owed = this.#owed;
    this.#owed = [];
    for (const reply of owed) reply(failure);
  }

  /** Answers everyone with an error. */
  failAll(error: MaestroError): void {
    this.payBack(error);
    this.failWaiting(error);
  }

  /** Answers those with an error who wait for a turn. */
  failWaiting(error: MaestroError): void {
    for (const { replyTo, question } of this.#waiting.splice(0)) (replyTo ?? question)?.fail(error);
  }

  #push(waiting: Waiting, asker: { fail(error: unknown): void } | undefined): void {
    if (this.#waiting.length < LIMITS.mailboxLength) this.#waiting.push(waiting);
    else asker?.fail(new MaestroError("MAILBOX_FULL", { facts: { actor: "The run", queued: this.#waiting.length }, retryAfterMs: 1_000 }));
  }
}
