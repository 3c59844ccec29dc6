/**
 * The life of one actor: its present instance, and its phases (`phase.ts` lists which may follow which).
 *
 *   running -> failed -> restarting -> running          a failure, the verdict after its backoff, a new instance
 *   running -> passivating -> passivated -> terminated  leaves memory; the parent takes over what waits
 *   failed -> quarantining -> quarantined -> restarting parked, and released by an operator
 *   any -> stopping -> terminated
 *
 * In the phases that end in -ing the children go first, then the instance gets its last signal. Whether a failure leads to a restart or to
 * anything else is not decided here but by the supervisor.
 */
import type { Actor, ActorFactory, TerminationReason } from "./actor.ts";
import type { Cell } from "./cell.ts";
import { announceEnd, forgetWatched } from "./death-watch.ts";
import { checkStep, isLeaving, Phase, type PhaseCode } from "./phase.ts";
import { supervise } from "./supervisor.ts";
import { bury, messagesOf } from "./undelivered.ts";

/** The instance and the phase of one cell. */
export class Life {
  readonly #cell: Cell;
  readonly #factory: ActorFactory<unknown>;
  #actor: Actor<unknown> | undefined = undefined;
  #phase: PhaseCode = Phase.running;
  #incarnation = 0;

  constructor(cell: Cell, factory: ActorFactory<unknown>) {
    this.#cell = cell;
    this.#factory = factory;
  }

  get phase(): PhaseCode {
    return this.#phase;
  }

  /** The instance; undefined between two, and after its last signal. */
  get actor(): Actor<unknown> | undefined {
    return this.#actor;
  }

  /** How many instances came before the present one. */
  get incarnation(): number {
    return this.#incarnation;
  }

  /** Why the actor ends or has ended. */
  get reason(): TerminationReason {
    return this.#cell.attachments?.reason ?? "stopped";
  }

  /** Makes the first instance. */
  start(): void {
    this.#cell.services.live++;
    this.#incarnate();
    this.#cell.options.passivation?.touch(this.#cell);
  }

  /** Something was thrown by the actor's code, or escalated by a child. The supervisor decides, unless the instance is on its way out already. */
  fail(error: unknown): void {
    if (this.#phase === Phase.running) {
      this.#fail(error);
      return;
    }
    const directive = this.#phase === Phase.failed || this.#phase === Phase.restarting ? "restart" : "stop";
    this.#cell.services.events.emit("actor.failed", { path: this.#cell.path, directive, error });
  }

  /** Verdict: go on with the same instance, or a new one if there is none. Children whose failure was escalated go on too. */
  resume(): void {
    if (this.#phase !== Phase.failed) return;
    if (this.#actor === undefined) {
      this.#restart();
      return;
    }
    this.#enter(Phase.running);
    for (const child of this.#cell.children?.values() ?? []) if (child.attachments?.cancelBackoff === undefined) child.life.resume();
  }

  /** Verdict: go on with a new instance, `delayMs` from now. Does nothing to an actor that is on its way out, or about to restart anyway. */
  restartAfter(delayMs: number, error: unknown): void {
    const attachments = this.#cell.attach();
    if (this.#phase === Phase.running) this.#enter(Phase.failed);
    if (this.#phase !== Phase.failed || attachments.cancelBackoff !== undefined) return;
    attachments.failure = error;
    if (delayMs <= 0) this.#restart();
    else attachments.cancelBackoff = this.#cell.services.clock.schedule(delayMs, () => this.#restart());
  }

  /** Ends the actor: its children, then itself. */
  stop(reason: TerminationReason = "stopped"): void {
    if (this.#phase === Phase.stopping || this.#phase === Phase.terminated) return;
    if (reason !== "stopped") this.#cell.attach().reason = reason;
    this.#enter(Phase.stopping);
  }

  /** Verdict: parks the actor. */
  quarantine(failures: number, error: unknown): void {
    const { services, path } = this.#cell;
    this.#cell.attach().failure = error;
    services.quarantine.add({ path, failures, error, sinceMs: services.clock.now() });
    services.events.emit("actor.quarantined", { path, failures, error });
    this.#enter(Phase.quarantining);
  }

  /** Ends the quarantine with a new instance and a clean record. Returns false if the actor is not parked. */
  release(): boolean {
    if (this.#phase !== Phase.quarantined) return false;
    this.#cell.services.quarantine.remove(this.#cell.path);
    this.#cell.attach().restartTimes = [];
    this.#enter(Phase.restarting);
    return true;
  }

  /** Begins to leave memory; false if work waits. */
  passivate(): boolean {
    const { attachments, handling, waiting } = this.#cell;
    const isBusy = waiting > 0 || attachments?.hasWork === true || (handling !== undefined && !handling.isSettled);
    if (this.#phase !== Phase.running || isBusy) return false;
    this.#enter(Phase.passivating);
    return true;
  }

  /** The parent takes over the messages of a passivated actor, which ends with that. */
  handOver(): readonly unknown[] {
    const messages = messagesOf(this.#cell, this.#cell.takeMail());
    this.#cell.attach().reason = "passivated";
    this.#terminate();
    return messages;
  }

  /** Takes one step out of a phase that ends by itself. Returns false if there is nothing to do now. */
  advance(): boolean {
    if (!isLeaving(this.#phase) || (this.#cell.children?.size ?? 0) > 0) return false;
    if (this.#actor !== undefined) this.#retire();
    else if (this.#phase === Phase.restarting) this.#renew();
    else if (this.#phase === Phase.passivating) this.#passivated();
    else if (this.#phase === Phase.quarantining) this.#park();
    else this.#terminate();
    return true;
  }

  /** A child is gone. */
  childGone(name: string): void {
    this.#cell.children?.delete(name);
    if (isLeaving(this.#phase)) this.#cell.schedule();
  }

  #enter(phase: PhaseCode): void {
    checkStep(this.#phase, phase);
    this.#phase = phase;
    if (isLeaving(phase)) for (const child of this.#cell.children?.values() ?? []) child.life.stop();
    this.#cell.schedule();
  }

  #incarnate(): void {
    try {
      this.#actor = this.#factory(this.#cell.context);
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    this.#enter(Phase.failed);
    this.#cell.attach().failure = error;
    supervise(this.#cell, error);
  }

  #restart(): void {
    this.#cell.attach().cancelBackoff = undefined;
    if (this.#phase === Phase.failed) this.#enter(Phase.restarting);
  }

  /** The last signal. It may suspend the cell, so that the next step comes later. */
  #retire(): void {
    this.#cell.signal({ kind: "stopping" });
    this.#actor = undefined;
  }

  #renew(): void {
    const attachments = this.#cell.attach();
    this.#incarnation++;
    this.#cell.putBack(attachments.endInstance(this.#cell.path, "ACTOR_RESTARTED"));
    this.#incarnate();
    if (this.#actor === undefined) return;
    this.#enter(Phase.running);
    this.#cell.options.passivation?.touch(this.#cell);
    this.#cell.signal({ kind: "restarted", error: attachments.failure });
  }

  #passivated(): void {
    this.#cell.putBack(this.#endInstance("ACTOR_STOPPED"));
    this.#enter(Phase.passivated);
    this.#cell.parent?.deliverSignal(this.#cell);
  }

  #park(): void {
    this.#enter(Phase.quarantined);
    bury(this.#cell, [...this.#cell.takeMail(), ...this.#endInstance("ACTOR_QUARANTINED")], "quarantined");
    announceEnd(this.#cell, "quarantined");
  }

  #terminate(): void {
    this.#phase = Phase.terminated;
    bury(this.#cell, [...this.#cell.takeMail(), ...this.#endInstance("ACTOR_STOPPED")], "stopped");
    const { parent, services, name, attachments } = this.#cell;
    services.live--;
    if (attachments?.failure !== undefined) services.quarantine.remove(this.#cell.path);
    forgetWatched(this.#cell);
    parent?.life.childGone(name);
    announceEnd(this.#cell, this.reason);
  }

  #endInstance(code: "ACTOR_STOPPED" | "ACTOR_QUARANTINED"): readonly unknown[] {
    this.#cell.options.passivation?.remove(this.#cell);
    return this.#cell.attachments?.endInstance(this.#cell.path, code) ?? [];
  }
}
