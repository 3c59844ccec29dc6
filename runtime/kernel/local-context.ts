/**
 * The context of an actor in this process: turns what a handler asks for into operations on its cell.
 */
import { InvariantBroken, invariant } from "../assert.ts";
import { LIMITS } from "../limits.ts";
import type { ActorFactory, Delivery, SpawnOptions } from "./actor.ts";
import { ActorTimers } from "./actor-timers.ts";
import type { Cell } from "./cell.ts";
import type { ActorContext, Outcome } from "./context.ts";
import { notePiped } from "./deadlock-check.ts";
import { unwatch, watch } from "./death-watch.ts";
import { PipedOutcome } from "./envelope.ts";
import { LocalReference } from "./local-reference.ts";
import type { ActorRef, AskOptions, ReplyTo } from "./reference.ts";
import { refusalError } from "./refusal.ts";
import type { ActorSystem } from "./system.ts";

const DEFAULT_OPTIONS: SpawnOptions = Object.freeze({});

/** Incarnation of outcomes that nobody awaits. */
const NO_INCARNATION = -1;

/** An {@link ActorContext} of a cell. */
export class LocalContext implements ActorContext<unknown> {
  readonly #cell: Cell;

  constructor(cell: Cell) {
    this.#cell = cell;
  }

  get self(): ActorRef<unknown> {
    return this.#cell.self;
  }

  get name(): string {
    return this.#cell.name;
  }

  get path(): string {
    return this.#cell.path;
  }

  get parent(): ActorRef<never> | undefined {
    const parent = this.#cell.parent;
    return parent?.parent === undefined ? undefined : parent.self;
  }

  get system(): ActorSystem {
    return this.#cell.services.system;
  }

  spawn<C>(name: string, factory: ActorFactory<C>, options: SpawnOptions = DEFAULT_OPTIONS): ActorRef<C> {
    checkName(name);
    checkOptions(options);
    return this.#cell.spawn(name, factory as ActorFactory<never> as ActorFactory<unknown>, options).self;
  }

  child<C>(name: string): ActorRef<C> | undefined {
    return this.#cell.children?.get(name)?.self;
  }

  children(): readonly ActorRef<never>[] {
    return [...(this.#cell.children?.values() ?? [])].map((child) => child.self);
  }

  stop(child?: ActorRef<never>): void {
    const cell = child === undefined ? this.#cell : localCell(child);
    if (child !== undefined && cell.parent !== this.#cell) throw new InvariantBroken(`${cell.path} is not a child of ${this.#cell.path}`);
    cell.life.stop();
  }

  watch(ref: ActorRef<never>): void {
    watch(this.#cell, localCell(ref));
  }

  unwatch(ref: ActorRef<never>): void {
    unwatch(this.#cell, localCell(ref));
  }

  ask<N, R>(ref: ActorRef<N>, message: (replyTo: ReplyTo<R>) => N, options: AskOptions): Promise<R> {
    const asked = LocalReference.cellOf(ref);
    if (asked === undefined || asked.services !== this.#cell.services) return ref.ask(message, options);
    return asked.services.replies.ask(asked, this.#cell, message, options) as Promise<R>;
  }

  stash(message: unknown): Delivery {
    const cell = this.#cell;
    const attachments = cell.attach();
    const ask = cell.handling?.message === message ? cell.handling : undefined;
    attachments.stash ??= [];
    if (attachments.stash.length >= LIMITS.stashLength) {
      cell.services.deadLetters.record(cell.path, "stash-full", message);
      ask?.abandon(refusalError(cell, "full"));
      return "full";
    }
    attachments.stash.push(ask ?? message);
    if (ask !== undefined) cell.handling = undefined;
    return "accepted";
  }

  unstashAll(): void {
    const attachments = this.#cell.attachments;
    if (attachments?.stash === undefined) return;
    this.#cell.putBack(attachments.stash);
    attachments.stash = undefined;
  }

  setTimer(key: string, delayMs: number, message: unknown): void {
    const cell = this.#cell;
    const attachments = cell.attach();
    attachments.timers ??= new ActorTimers();
    attachments.timers.set(cell.services.clock, cell.life.incarnation, key, delayMs, message, (envelope) => cell.deliverReserved(envelope));
  }

  clearTimer(key: string): void {
    this.#cell.attachments?.timers?.clear(key);
  }

  pipe<T>(promise: Promise<T>, toMessage: (outcome: Outcome<T>) => unknown): void {
    const cell = this.#cell;
    const attachments = cell.attach();
    const hasRoom = attachments.pipes < LIMITS.actorPipes;
    const incarnation = hasRoom ? cell.life.incarnation : NO_INCARNATION;
    const deliver = (outcome: Outcome<T>): void => cell.deliverReserved(new PipedOutcome(incarnation, outcome, toMessage));
    promise.then(
      (value) => deliver({ ok: true, value }),
      (error: unknown) => deliver({ ok: false, error }),
    );
    invariant(hasRoom, `an actor may await at most ${LIMITS.actorPipes} outcomes`);
    attachments.pipes++;
    notePiped(cell, promise);
  }

  passivate(): boolean {
    return this.#cell.life.passivate();
  }
}

/** The cell behind `ref`. Throws InvariantBroken if it is not in this process. */
function localCell(ref: ActorRef<never>): Cell {
  const cell = LocalReference.cellOf(ref);
  invariant(cell !== undefined, `${ref.path} is not an actor of this process`);
  return cell;
}

function checkName(name: string): void {
  if (name.length === 0 || name.includes("/"))
    throw new InvariantBroken(`"${name}" can't be an actor's name: it must not be empty and must not hold "/"`);
}

function checkOptions(options: SpawnOptions): void {
  const length = options.mailboxLength;
  if (length === undefined) return;
  const isValid = Number.isInteger(length) && length >= 1 && length <= LIMITS.mailboxLength;
  if (!isValid) throw new InvariantBroken(`mailboxLength must be 1 to ${LIMITS.mailboxLength}, not ${length}`);
}
