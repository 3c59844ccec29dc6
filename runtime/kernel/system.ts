/**
 * A system of actors: the root of one tree, and what its actors share. Several systems fit in one process and never touch each other.
 */
import { invariant } from "../assert.ts";
import type { Clock } from "../clock.ts";
import type { EventHub } from "../events.ts";
import { LimitWatch } from "../limit-watch.ts";
import type { Random } from "../random.ts";
import type { Actor, ActorFactory, SpawnOptions } from "./actor.ts";
import { Cell } from "./cell.ts";
import { type DeadLetter, DeadLetters, type DeadReason } from "./dead-letters.ts";
import { watch } from "./death-watch.ts";
import { findByPath, walk } from "./directory.ts";
import { Dispatcher } from "./dispatcher.ts";
import { LocalReference } from "./local-reference.ts";
import { MailboxPool } from "./mailbox.ts";
import { PendingReplies } from "./pending-replies.ts";
import { Quarantine, type QuarantineEntry } from "./quarantine.ts";
import type { ActorRef } from "./reference.ts";
import { platformScheduler, type Scheduler } from "./scheduler.ts";
import type { Services } from "./services.ts";
import type { SupervisionPolicy } from "./supervision.ts";

/** How long {@link ActorSystem.stop} waits for handlers that are under way, unless told otherwise. */
const STOP_TIMEOUT_MS = 10_000;

/** What a system is made of. */
export interface ActorSystemOptions {
  /** For people: appears in no path. */
  readonly name: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly events: EventHub;
  /** How turns get onto the thread; the default is `platformScheduler()`. */
  readonly scheduler?: Scheduler;
  /** How top-level actors are supervised; the default is `supervisionPolicy()`. */
  readonly supervision?: SupervisionPolicy;
  /** Called when the failure of a top-level actor was escalated; that actor is quarantined then. Must not throw. */
  readonly onEscalated?: (path: string, error: unknown) => void;
}

/** What can be asked about the dead letters of a system. */
export interface DeadLetterView {
  /** How many there were, of one reason or of all. */
  count(reason?: DeadReason): number;
  /** The latest, oldest first. */
  list(): readonly DeadLetter[];
}

/** The root has no behaviour: it only supervises. */
const ROOT: Actor<unknown> = { receive: () => undefined };

/** A running system of actors. */
export class ActorSystem {
  readonly name: string;
  readonly #services: Services;
  readonly #root: Cell;
  #stopping: Promise<readonly string[]> | undefined;

  constructor(options: ActorSystemOptions) {
    const { clock, random, events } = options;
    const deadLetters = new DeadLetters(clock, events);
    const limits = new LimitWatch(clock, events);
    this.name = options.name;
    this.#services = {
      system: this,
      clock,
      random,
      events,
      limits,
      dispatcher: new Dispatcher(clock, options.scheduler ?? platformScheduler()),
      mailboxes: new MailboxPool(),
      replies: new PendingReplies(clock, deadLetters, limits),
      deadLetters,
      quarantine: new Quarantine(),
      onEscalated: options.onEscalated ?? (() => undefined),
      current: undefined,
      live: -1,
    };
    this.#root = new Cell(this.#services, undefined, "", () => ROOT, options.supervision === undefined ? {} : { supervision: options.supervision });
    this.#root.life.start();
  }

  /** The messages that nobody handled. */
  get deadLetters(): DeadLetterView {
    return this.#services.deadLetters;
  }

  /** Number of live actors, quarantined ones included. */
  get size(): number {
    return Math.max(this.#services.live, 0);
  }

  /** Number of asks in flight. */
  get pendingReplies(): number {
    return this.#services.replies.count;
  }

  /** Starts a top-level actor. Throws InvariantBroken as `ActorContext.spawn` does. */
  spawn<M>(name: string, factory: ActorFactory<M>, options?: SpawnOptions): ActorRef<M> {
    return this.#root.context.spawn(name, factory, options);
  }

  /** The live or quarantined actor at `path`. The caller answers for `M`. */
  find<M>(path: string): ActorRef<M> | undefined {
    const cell = findByPath(this.#root, path);
    return cell === this.#root ? undefined : cell?.self;
  }

  /** Stops an actor of this system; resolves when it and its children are gone. */
  stopActor(ref: ActorRef<never>): Promise<void> {
    const cell = LocalReference.cellOf(ref);
    invariant(cell !== undefined && cell.services === this.#services, `${ref.path} is not an actor of system ${this.name}`);
    return new Promise((resolve) => {
      watchEnd(cell, resolve);
      cell.life.stop();
    });
  }

  /** The quarantined actors, the longest quarantined first. */
  quarantined(): readonly QuarantineEntry[] {
    return this.#services.quarantine.list();
  }

  /** Lets the quarantined actor at `path` go on with a new instance. Returns false if there is none. */
  release(path: string): boolean {
    return findByPath(this.#root, path)?.life.release() ?? false;
  }

  /**
   * Stops all actors, children before parents, and lets pending handlers end. After `timeoutMs` (default 10 s) it waits no longer: the paths of the
   * actors that are still there are returned, and asks in flight fail with TIMED_OUT: what they asked for may be done. Calling it again returns the
   * same promise.
   */
  stop(timeoutMs = STOP_TIMEOUT_MS): Promise<readonly string[]> {
    this.#stopping ??= new Promise((resolve) => {
      const end = (goneAfterMs?: number): void => {
        cancel();
        this.#services.replies.stop(goneAfterMs);
        resolve([...walk(this.#root)].map((cell) => cell.path));
      };
      const cancel = this.#services.clock.schedule(timeoutMs, () => end(timeoutMs));
      watchEnd(this.#root, () => end());
      this.#root.life.stop();
    });
    return this.#stopping;
  }
}

function watchEnd(cell: Cell, callback: () => void): void {
  watch(callback, cell);
}
