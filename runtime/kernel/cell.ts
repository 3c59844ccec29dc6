/**
 * One live actor: its mailbox and its turn. A cell handles one message at a time; while the promise of a handler is pending, it alone is
 * suspended. Its instance and its phases belong to its {@link Life}.
 *
 * A cell is queued (it has a turn coming or under way), suspended (a promise is pending), or at rest. Nothing but its own turn may call the
 * actor's code, with one exception: the factory runs inside `spawn`.
 */
import { InvariantBroken } from "../assert.ts";
import { MaestroError } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import type { ActorFactory, ActorSignal, Delivery, SpawnOptions } from "./actor.ts";
import { Attachments } from "./attachments.ts";
import { checkForDeadlock } from "./deadlock-check.ts";
import type { Runnable } from "./dispatcher.ts";
import { Envelope, PipedOutcome } from "./envelope.ts";
import { Life } from "./life.ts";
import { LocalContext } from "./local-context.ts";
import { LocalReference } from "./local-reference.ts";
import type { Mailbox } from "./mailbox.ts";
import { type Member, NEVER_ACTIVE } from "./passivation.ts";
import { PendingReply } from "./pending-replies.ts";
import { accepts, Phase } from "./phase.ts";
import { refusalOf } from "./refusal.ts";
import type { LaneItem, Services } from "./services.ts";

/** In the run queue, or having its turn. */
const QUEUED = 1;
/** A handler's promise is pending. */
const SUSPENDED = 2;

/** Stands for a message that is not to be handled. */
const VOID = Symbol("void");

/** One live actor. Internal to the kernel: others hold an ActorRef or an ActorContext. */
export class Cell implements Runnable, Member {
  readonly services: Services;
  readonly parent: Cell | undefined;
  readonly name: string;
  readonly options: SpawnOptions;
  readonly self: LocalReference;
  readonly context: LocalContext;
  readonly life: Life;
  activeMs = NEVER_ACTIVE;
  /** Live and quarantined children by name, in the order of their spawning. */
  children: Map<string, Cell> | undefined = undefined;
  attachments: Attachments | undefined = undefined;
  /** The ask that is being handled, unless it was stashed. */
  handling: PendingReply | undefined = undefined;
  #mailbox: Mailbox<LaneItem> | undefined = undefined;
  readonly #mailboxLength: number;
  #flags = 0;

  constructor(services: Services, parent: Cell | undefined, name: string, factory: ActorFactory<unknown>, options: SpawnOptions) {
    this.services = services;
    this.parent = parent;
    this.name = name;
    this.options = options;
    this.#mailboxLength = options.mailboxLength ?? LIMITS.mailboxLength;
    this.self = new LocalReference(this);
    this.context = new LocalContext(this);
    this.life = new Life(this, factory);
  }

  get path(): string {
    if (this.parent === undefined) return "/";
    return this.parent.parent === undefined ? `/${this.name}` : `${this.parent.path}/${this.name}`;
  }

  /** Messages that may wait. */
  get mailboxLength(): number {
    return this.#mailboxLength;
  }

  /** Messages that wait. */
  get waiting(): number {
    return this.#mailbox === undefined ? 0 : this.#mailbox.messages;
  }

  /** True while a handler's promise is pending. */
  get isSuspended(): boolean {
    return (this.#flags & SUSPENDED) !== 0;
  }

  /** The attachments, made if there are none. */
  attach(): Attachments {
    this.attachments ??= new Attachments();
    return this.attachments;
  }

  /** Starts a child. Name and options are checked already. Throws as `ActorContext.spawn` does. */
  spawn(name: string, factory: ActorFactory<unknown>, options: SpawnOptions): Cell {
    if (!accepts(this.life.phase)) throw new MaestroError("ACTOR_STOPPED", { facts: { actor: this.path } });
    this.children ??= new Map();
    if (this.children.has(name)) throw new InvariantBroken(`${this.path} has a child "${name}" already`);
    const child = new Cell(this.services, this, name, factory, options);
    this.children.set(name, child);
    child.life.start();
    return child;
  }

  /** Puts a message or an ask into the mailbox. */
  deliver(message: unknown): Delivery {
    if (accepts(this.life.phase) && this.#mail().offer(message, this.#mailboxLength)) {
      if (this.#mailbox?.startsToFill(this.#mailboxLength) === true) this.#tellFilling();
      this.schedule();
      return "accepted";
    }
    const reason = refusalOf(this.life.phase);
    this.services.deadLetters.record(this.path, reason, message instanceof PendingReply ? message.message : message);
    return reason;
  }

  /** Puts an outcome or a timer's message into the mailbox. That of an earlier instance is dropped when its turn comes. */
  deliverReserved(envelope: Envelope): void {
    if (!accepts(this.life.phase)) return;
    this.#mail().pushReserved(envelope);
    this.schedule();
  }

  /** Puts a signal, or a passivated child, into the system lane. */
  deliverSignal(item: LaneItem): void {
    if (!accepts(this.life.phase)) return;
    this.#mail().pushSignal(item);
    this.schedule();
  }

  /** Puts messages in front of all others. */
  putBack(messages: readonly unknown[]): void {
    if (messages.length === 0) return;
    this.#mail().putBack(messages);
    this.schedule();
  }

  /** Takes everything out of the mailbox: the messages and asks that waited. */
  takeMail(): readonly unknown[] {
    const mail: unknown[] = [];
    const mailbox = this.#mailbox;
    if (mailbox === undefined) return mail;
    while (mailbox.messages > 0) mail.push(mailbox.takeMessage());
    while (mailbox.signals > 0) mailbox.takeSignal();
    return mail;
  }

  suggestPassivation(): void {
    const attachments = this.attach();
    if (attachments.idleSuggested || this.life.phase !== Phase.running) return;
    attachments.idleSuggested = true;
    this.deliverSignal({ kind: "idle" });
  }

  /** Wants a turn, unless one is coming or the cell is suspended. */
  schedule(): void {
    if (this.#flags !== 0) return;
    this.#flags = QUEUED;
    this.services.dispatcher.schedule(this);
  }

  turn(): void {
    this.services.current = this;
    let left: number = LIMITS.mailboxTurnMessages;
    while (left > 0 && this.#step()) left--;
    this.services.current = undefined;
    this.#flags &= ~QUEUED;
    if (this.life.phase === Phase.running) this.options.passivation?.touch(this);
    if (left === 0) this.schedule();
    else if (this.#mailbox?.isEmpty === true) {
      this.services.mailboxes.giveBack(this.#mailbox);
      this.#mailbox = undefined;
    }
  }

  /** Calls the instance's signal handler. Returns false if there is none, or if it threw. */
  signal(signal: ActorSignal): boolean {
    const actor = this.life.actor;
    if (actor?.signal === undefined) return false;
    try {
      const result = actor.signal(signal, this.context);
      if (isPromise(result)) this.#suspend(result);
      return true;
    } catch (error) {
      this.#thrown(error);
      return false;
    }
  }

  #tellFilling(): void {
    this.services.limits.near("mailboxLength", this.waiting, { subject: this.path }, this.#mailboxLength);
  }

  #mail(): Mailbox<LaneItem> {
    this.#mailbox ??= this.services.mailboxes.take();
    return this.#mailbox;
  }

  /** Does one thing; returns false if there is nothing more to do now. */
  #step(): boolean {
    if ((this.#flags & SUSPENDED) !== 0) return false;
    if (this.life.phase !== Phase.running) return this.life.advance();
    const mailbox = this.#mailbox;
    if (mailbox === undefined) return false;
    if (mailbox.signals > 0) this.#takeSignal(mailbox.takeSignal() as LaneItem);
    else if (mailbox.messages > 0) this.#takeMessage(mailbox.takeMessage());
    else return false;
    return true;
  }

  #takeMessage(item: unknown): void {
    const actor = this.life.actor;
    if (actor === undefined) return;
    try {
      const message = item instanceof PendingReply || item instanceof Envelope ? this.#open(item) : item;
      if (message === VOID) return;
      const result = actor.receive(message, this.context);
      if (result !== undefined && isPromise(result)) this.#suspend(result);
      else this.#handled();
    } catch (error) {
      this.#thrown(error);
    }
  }

  /** The message inside, or {@link VOID} if nobody wants it handled any more. */
  #open(item: PendingReply | Envelope): unknown {
    if (item instanceof PendingReply) {
      if (item.isSettled) {
        this.services.deadLetters.record(this.path, "expired", item.message);
        return VOID;
      }
      this.handling = item;
      return item.message;
    }
    if (item.incarnation !== this.life.incarnation || item.isVoid) return VOID;
    if (item instanceof PipedOutcome) this.attach().pipes--;
    return item.open();
  }

  #takeSignal(item: LaneItem): void {
    if (item instanceof Cell) {
      this.#takeOver(item);
      return;
    }
    if (item.kind === "idle") this.attach().idleSuggested = false;
    this.signal(item);
  }

  /** What waits for a passivated child becomes this actor's to deal with. */
  #takeOver(child: Cell): void {
    if (child.life.phase !== Phase.passivated) return;
    const messages = child.life.handOver();
    if (this.signal({ kind: "passivated", ref: child.self, name: child.name, messages })) return;
    for (const message of messages) this.services.deadLetters.record(child.path, "passivated", message);
  }

  /** The handler's promise decides when the next message comes. */
  #suspend(result: Promise<unknown>): void {
    this.#flags |= SUSPENDED;
    if (this.attachments?.awaited !== undefined) checkForDeadlock(this, this.attachments.awaited);
    result.then(
      () => {
        this.#handled();
        this.#wake();
      },
      (error: unknown) => {
        this.#thrown(error);
        this.#wake();
      },
    );
  }

  #wake(): void {
    this.#flags &= ~SUSPENDED;
    this.schedule();
  }

  /** The present message is done. An ask that was not answered yet is remembered: it fails if the instance ends before it answers. */
  #handled(): void {
    const pending = this.handling;
    this.attachments?.awaited?.clear();
    if (pending === undefined) return;
    this.handling = undefined;
    if (pending.isSettled) return;
    const attachments = this.attach();
    attachments.unanswered ??= new Set();
    attachments.unanswered.add(pending);
  }

  /** The present message, or signal, ended with an error. */
  #thrown(error: unknown): void {
    const pending = this.handling;
    this.handling = undefined;
    this.attachments?.awaited?.clear();
    if (pending !== undefined && !pending.isSettled) pending.fail(error);
    this.life.fail(error);
  }
}

function isPromise(value: unknown): value is Promise<unknown> {
  return typeof value === "object" && value !== null && typeof (value as { then?: unknown }).then === "function";
}
