/**
 * The actor of one run: the shell around the pure core. It hands each command to `takeTurn`, has the facts committed, and carries the effects out
 * when, and only when, the commit is there. Its state is a cache of the journal: it may crash, be passivated or be fenced at any moment and
 * is read back by the next instance.
 */
import { MaestroError, toMaestroError } from "../../runtime/errors.ts";
import type { RunId } from "../../runtime/ids.ts";
import type { Actor, ActorSignal } from "../../runtime/kernel/actor.ts";
import type { ActorContext, Outcome } from "../../runtime/kernel/context.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { type RunHead, WAKE } from "../../runtime/storage/journal.ts";
import type { ExternalRequest } from "../language/expression.ts";
import type { StartRun } from "../runs.ts";
import type { RunCommand } from "./command.ts";
import { effectsOfLoading } from "./effects.ts";
import { Evaluations } from "./evaluations.ts";
import { headOf, sameHead } from "./head.ts";
import { loadRun } from "./loading.ts";
import { performEffects } from "./perform.ts";
import { headWrite } from "./quarantine.ts";
import type { RunMessage } from "./run-message.ts";
import type { RunServices } from "./run-services.ts";
import { snapshotOf } from "./run-snapshot.ts";
import { writeOf } from "./run-write.ts";
import { SnapshotPace } from "./snapshot-pace.ts";
import { emptyRun, type RunState } from "./state.ts";
import { type TurnResult, takeTurn } from "./turn.ts";

/** When to read the run again if the store could not be reached. */
const RELOAD_MS = 500;

const RESUME: RunMessage = { kind: "command", command: { kind: "resume" }, replyTo: undefined };

type Context = ActorContext<RunMessage>;
type Question = Extract<RunMessage, { kind: "command" | "describe" }>;
type Reply = (failure: MaestroError | undefined) => void;

/** See the file header. */
export class RunActor implements Actor<RunMessage> {
  readonly #services: RunServices;
  readonly #runId: RunId;
  readonly #evaluations = new Evaluations();
  readonly #snapshots = new SnapshotPace();
  #state: RunState | undefined;
  /** What the store's row says, as far as this instance knows. */
  #head: RunHead | undefined;
  #loading = false;
  /** True once the store is known to have the run. */
  #stored = false;
  /** Messages that came before the state was there, LIMITS.stashLength at most. */
  #waiting: Question[] = [];
  /** Why the run can't be had; then every message is answered with it. */
  #failure: MaestroError | undefined;
  #lastAppend: Promise<void> = Promise.resolve();

  constructor(services: RunServices, context: Context) {
    this.#services = services;
    this.#runId = context.name as RunId;
    services.residents.add(this.#runId);
  }

  receive(message: RunMessage, context: Context): void {
    switch (message.kind) {
      case "start":
        return this.#start(message, context);
      case "loaded":
        return this.#loaded(message.outcome, context);
      case "committed":
        return this.#committed(message, context);
      case "evaluated":
        return this.#evaluated(message, context);
      default:
        return this.#handle(message, context);
    }
  }

  signal(signal: ActorSignal, context: Context): void {
    if (signal.kind === "restarted") this.#load(context, true);
    if (signal.kind === "idle") this.#leaveIfIdle(context);
    if (signal.kind === "stopping") this.#services.residents.remove(this.#runId);
  }

  #start(message: Extract<RunMessage, { kind: "start" }>, context: Context): void {
    const { workflow, request, replyTo } = message;
    this.#state = emptyRun(this.#runId, request.workflowId, workflow);
    const reply: Reply = (failure) => {
      if (failure === undefined) replyTo?.reply({ created: true });
      else if (failure.code === "IDEMPOTENCY_KEY_REUSED") replyTo?.reply({ created: false, runId: failure.facts.runId as RunId });
      else replyTo?.fail(failure);
    };
    this.#turn(this.#state, { kind: "start", request }, context, reply, request);
  }

  /** Commands and questions need the state: they wait until it is there. */
  #handle(message: Question, context: Context): void {
    if (this.#failure !== undefined) {
      message.replyTo?.fail(this.#failure);
      return this.#leaveIfOver(context);
    }
    if (this.#state !== undefined) return this.#answer(this.#state, message, context);
    if (this.#waiting.length < LIMITS.stashLength) this.#waiting.push(message);
    else
      message.replyTo?.fail(new MaestroError("MAILBOX_FULL", { facts: { actor: context.path, queued: this.#waiting.length }, retryAfterMs: 1_000 }));
    if (!this.#loading) this.#load(context, false);
  }

  #answer(state: RunState, message: Question, context: Context): void {
    if (message.kind === "describe") {
      const snapshot = snapshotOf(state);
      const { replyTo } = message;
      return this.#afterAppends(context, (failure) => (failure === undefined ? replyTo.reply(snapshot) : replyTo.fail(failure)));
    }
    const { replyTo } = message;
    this.#turn(state, message.command, context, replyTo && ((failure) => (failure === undefined ? replyTo.reply() : replyTo.fail(failure))));
  }

  #turn(state: RunState, command: RunCommand, context: Context, reply: Reply | undefined, request?: StartRun): void {
    const result = this.#decide(state, command, reply);
    if (result === undefined) return this.#leaveIfOver(context);
    for (const pending of result.pending) this.#evaluate(pending, context);
    if (result.pending.length === 0) this.#evaluations.settle();
    if (result.entries.length > 0) this.#commit(state, result, context, reply, request);
    else if (reply !== undefined) this.#afterAppends(context, reply);
    if (result.unfinished && context.self.tell(RESUME) !== "accepted") context.setTimer("resume", 1, RESUME);
  }

  /** The turn's result; undefined if the command was refused. */
  #decide(state: RunState, command: RunCommand, reply: Reply | undefined): TurnResult | undefined {
    const { clock, random, retryOf } = this.#services;
    try {
      return takeTurn(state, command, { nowMs: clock.now(), random, retryOf, answer: (request) => this.#evaluations.answer(request) });
    } catch (error) {
      reply?.(toMaestroError(error));
      if (!(error instanceof MaestroError)) throw error;
      return undefined;
    }
  }

  #commit(state: RunState, result: TurnResult, context: Context, reply: Reply | undefined, request: StartRun | undefined): void {
    const head = headOf(state, this.#services.clock.now());
    const write = writeOf(state, result, { ...(!sameHead(this.#head, head) && { head }), request, snapshot: this.#snapshots.take(state) });
    this.#head = head;
    this.#lastAppend = this.#services.journal.append(write);
    const { effects } = result;
    context.pipe(this.#lastAppend, (outcome) => ({ kind: "committed", outcome, effects, reply }));
  }

  #committed(message: Extract<RunMessage, { kind: "committed" }>, context: Context): void {
    const { outcome, effects, reply } = message;
    if (!outcome.ok) return this.#notCommitted(outcome.error, reply, context);
    this.#stored = true;
    if (this.#state !== undefined) performEffects(this.#services, this.#state, effects);
    reply?.(undefined);
    this.#services.hub.grew(this.#runId);
    this.#leaveIfOver(context);
  }

  #notCommitted(error: unknown, reply: Reply | undefined, context: Context): void {
    if (!(error instanceof MaestroError)) throw error;
    reply?.(error);
    if (error.code === "JOURNAL_FENCED") this.#services.onFenced(this.#runId);
    // What was decided on top of a write that is not there is void. A run that never began is gone; any other one is read back.
    if (error.code === "JOURNAL_FENCED" || error.code === "IDEMPOTENCY_KEY_REUSED" || !this.#stored) return context.stop();
    throw error;
  }

  #load(context: Context, afterFailure: boolean): void {
    this.#loading = true;
    const { journal } = this.#services;
    // An instance that failed may have left writes behind: they must be there, or have failed, before the journal is read.
    const settled = afterFailure ? journal.flush() : Promise.resolve();
    context.pipe(
      settled.then(() => this.#read()),
      (outcome) => ({ kind: "loaded", outcome }),
    );
  }

  async #read(): Promise<RunState> {
    const record = await this.#services.journal.find(this.#runId);
    if (record === undefined) throw new MaestroError("RUN_NOT_FOUND", { facts: { runId: this.#runId } });
    if (record.status === "quarantined") {
      throw new MaestroError("RUN_QUARANTINED", { facts: { runId: this.#runId, reason: record.errorMessage ?? "its actor kept failing" } });
    }
    this.#head = record;
    this.#stored = true;
    const startedMs = this.#services.clock.monotonic();
    const state = await loadRun(this.#services, this.#runId);
    this.#services.events.emit("run.loaded", {
      runId: this.#runId,
      entries: state.lastSeq,
      durationMs: this.#services.clock.monotonic() - startedMs,
    });
    return state;
  }

  #loaded(outcome: Outcome<RunState>, context: Context): void {
    this.#loading = false;
    if (!outcome.ok) return this.#notLoaded(outcome.error, context);
    this.#state = outcome.value;
    this.#snapshots.begin(this.#state);
    performEffects(this.#services, this.#state, effectsOfLoading(this.#state));
    this.#turn(this.#state, { kind: "resume" }, context, undefined);
    this.#mendHead(this.#state, context);
    for (const message of this.#takeWaiting()) this.#answer(this.#state, message, context);
    this.#leaveIfOver(context);
  }

  /** The row of a run that was released from quarantine, or that the auditor woke, may say something else than its history. */
  #mendHead(state: RunState, context: Context): void {
    const head = headOf(state, this.#services.clock.now());
    if (sameHead(this.#head, head)) return;
    this.#head = head;
    this.#lastAppend = this.#services.journal.append(headWrite(this.#runId, head));
    this.#afterAppends(context, undefined);
  }

  /** The store is away: the run waits with it. The run is not there, or parked: that is the answer to everyone. Anything else is a failure. */
  #notLoaded(error: unknown, context: Context): void {
    const failure = toMaestroError(error);
    if (failure.retryable && error instanceof MaestroError) return context.setTimer("reload", RELOAD_MS, RESUME);
    for (const message of this.#takeWaiting()) message.replyTo?.fail(failure);
    if (failure.code !== "RUN_NOT_FOUND" && failure.code !== "RUN_QUARANTINED") throw error;
    this.#failure = failure;
    this.#leaveIfOver(context);
  }

  #takeWaiting(): readonly Question[] {
    const waiting = this.#waiting;
    this.#waiting = [];
    return waiting;
  }

  #evaluate(request: ExternalRequest, context: Context): void {
    if (!this.#evaluations.begin(request)) return;
    const { clock, evaluator, events } = this.#services;
    const startedMs = clock.monotonic();
    context.pipe(evaluator.evaluate(request), (outcome) => {
      events.emit("expression.external", { durationMs: clock.monotonic() - startedMs });
      return { kind: "evaluated", request, outcome };
    });
  }

  #evaluated(message: Extract<RunMessage, { kind: "evaluated" }>, context: Context): void {
    if (!message.outcome.ok) throw message.outcome.error;
    this.#evaluations.end(message.request, message.outcome.value);
    if (this.#state !== undefined) this.#turn(this.#state, { kind: "resume" }, context, undefined);
  }

  /** Answers when everything that this answer rests on is committed. */
  #afterAppends(context: Context, reply: Reply | undefined): void {
    context.pipe(this.#lastAppend, (outcome) => ({ kind: "committed", outcome, effects: [], reply }));
  }

  /** A run that has ended, or that can't be had, leaves memory as soon as nobody waits for an answer. */
  #leaveIfOver(context: Context): void {
    if (this.#failure !== undefined || (this.#state !== undefined && this.#state.status !== "running")) context.passivate();
  }

  #leaveIfIdle(context: Context): void {
    if (this.#head !== undefined && (this.#head.wake & WAKE.ready) !== 0) return;
    if (context.passivate()) this.#services.events.emit("run.passivated", { runId: this.#runId });
  }
}
