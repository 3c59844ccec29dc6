/**
 * The actor of one run: the shell around the pure core. It lets one turn at a time take the commands that wait, has the turn's facts committed, and carries
 * the effects out when, and only when, the commit is there; what arrives meanwhile waits for the next turn. So nothing is ever decided on facts
 * that might not be stored, and a run with many signals or results commits them together.
 *
 * Its state is a cache of the journal: it may crash, be passivated or be fenced at any moment and is read back by the next instance.
 */
import { MaestroError, toMaestroError } from "../../runtime/errors.ts";
import type { RunId } from "../../runtime/ids.ts";
import type { Actor, ActorSignal } from "../../runtime/kernel/actor.ts";
import type { ActorContext, Outcome } from "../../runtime/kernel/context.ts";
import type { ReplyTo } from "../../runtime/kernel/reference.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { type RunHead, type RunWrite, WAKE } from "../../runtime/storage/journal.ts";
import type { StartRun } from "../runs.ts";
import type { RunCommand } from "./core/command.ts";
import { type Effect, effectsOfLoading } from "./core/effects.ts";
import { headOf, isParked, isToBeFound, sameHead } from "./core/head.ts";
import { writeOf } from "./core/run-write.ts";
import { SnapshotPace } from "./core/snapshot-pace.ts";
import { emptyRun, type RunState } from "./core/state.ts";
import { type TurnResult, takeTurn } from "./core/turn.ts";
import { Evaluations, evaluate } from "./evaluations.ts";
import { type LoadedRun, OUT_OF_REACH, readRun } from "./loading.ts";
import { outcomeOf, performEffects, viewNow } from "./perform.ts";
import { headWrite } from "./quarantine.ts";
import { lossOf } from "./recovery.ts";
import { Inbox } from "./run-inbox.ts";
import { RunLimits } from "./run-limits.ts";
import type { RunMessage, StartMessage } from "./run-message.ts";
import type { RunServices } from "./run-services.ts";
import { elsewhere, stopped } from "./shard-gate.ts";

/** When to try again what the store could not do now. */
const RETRY_MS = 500;

const RESUME: RunCommand = { kind: "resume" };
const RETRY: RunMessage = { kind: "retry" };

type Context = ActorContext<RunMessage>;

/** See the file header. */
export class RunActor implements Actor<RunMessage> {
  readonly #services: RunServices;
  readonly #runId: RunId;
  readonly #inbox = new Inbox();
  readonly #evaluations = new Evaluations();
  readonly #limits: RunLimits;
  readonly #snapshots = new SnapshotPace();
  #state: RunState | undefined;
  /** What the store's row says, as far as this instance knows. */
  #head: RunHead | undefined;
  /** A start that came before it is known whether the run is there: what to begin if it is not. */
  #unsure: StartMessage | undefined;
  /** What the run is started with, until that is committed. */
  #starting: StartRun | undefined;
  /** Something of this instance is on its way: its reading, or a write. */
  #isBusy = false;
  /** The write that is on its way, and what follows from its commit. */
  #writing: { readonly promise: Promise<void>; readonly effects: readonly Effect[] } | undefined;
  /** When the write that is on its way began it, on the monotonic clock. */
  #writtenAtMs = 0;
  /** The last turn stopped at its bound, or an evaluation was answered. */
  #isToResume = false;
  /** A message met a defect: everyone was told so, and the next instance reads what this one has written. */
  #hasFailed = false;
  /** Why the run can't be had; then every message is answered with it. */
  #failure: MaestroError | undefined;

  constructor(services: RunServices, context: Context) {
    this.#services = services;
    this.#runId = context.name as RunId;
    this.#limits = new RunLimits(services.limits, this.#runId);
    services.residents.add(this.#runId);
  }

  receive(message: RunMessage, context: Context): void {
    try {
      this.#receive(message, context);
      this.#limits.noteInbox(this.#inbox.length, this.#state);
      this.#workOn(context);
    } catch (error) {
      this.#hasFailed = true;
      this.#inbox.failAll(toMaestroError(error));
      throw error;
    }
  }

  signal(signal: ActorSignal, context: Context): void | Promise<void> {
    if (signal.kind === "restarted") this.#load(context, true);
    if (signal.kind === "idle" && this.#isAtRest()) this.#leave(context);
    if (signal.kind === "stopping") return this.#stop(context);
  }

  /** The instance goes. Nobody is told that nothing was done before that is known: a write that is on its way is awaited, and its effects told. */
  #stop(context: Context): void | Promise<void> {
    const { gate, residents } = this.#services;
    const writing = this.#hasFailed ? undefined : this.#writing;
    // An error is made only for somebody: its stack costs a hundredth of a run or more, and nearly every run goes with an empty inbox.
    if (!this.#inbox.isEmpty) this.#inbox.failWaiting(stopped(gate, this.#runId));
    if (writing === undefined) return residents.remove(this.#runId);
    const committed: RunMessage = { kind: "committed", outcome: { ok: true, value: undefined }, effects: writing.effects };
    return writing.promise
      .then(() => this.#committed(committed, context))
      .catch((error: unknown) => this.#inbox.payBack(elsewhere(this.#runId, error) ?? toMaestroError(error)))
      .finally(() => residents.remove(this.#runId));
  }

  #receive(message: RunMessage, context: Context): void {
    switch (message.kind) {
      case "start":
        return this.#start(message);
      case "command":
        return this.#inbox.add(message.command, message.replyTo);
      case "describe":
        return this.#inbox.ask(message.replyTo);
      case "loaded":
        return this.#loaded(message.outcome, message.afterFailure, context);
      case "committed":
        return this.#committed(message, context);
      case "evaluated":
        return this.#evaluated(message, context);
      case "retry":
        this.#isToResume = true;
        return;
    }
  }

  /** A start that is brought again is answered once the run that it began is committed, or was read. */
  #start(message: StartMessage): void {
    const isUnknown = this.#state === undefined && this.#failure === undefined;
    if (isUnknown && !message.isRepeat && !this.#isBusy) return this.#begin(message, message.replyTo);
    if (isUnknown) this.#unsure ??= message;
    this.#inbox.add(RESUME, message.replyTo);
  }

  #begin({ request, workflow }: StartMessage, replyTo: ReplyTo<void> | undefined): void {
    this.#unsure = undefined;
    this.#starting = request;
    this.#state = emptyRun(this.#runId, request.workflowId, workflow);
    this.#inbox.addFirst({ kind: "start", request }, replyTo);
  }

  /** Takes turns until something is on its way, or nothing waits. */
  #workOn(context: Context): void {
    while (!this.#isBusy && !this.#inbox.isEmpty) {
      if (this.#failure !== undefined) this.#inbox.failAll(this.#failure);
      else if (this.#state === undefined) this.#load(context, false);
      else this.#turn(this.#state, context);
    }
    if (!this.#isBusy && this.#isToResume && this.#state !== undefined) {
      this.#isToResume = false;
      this.#inbox.add(RESUME, undefined);
      return this.#workOn(context);
    }
    if (this.#isBusy) return;
    if (this.#isOver()) context.passivate();
    else if (this.#isAtRest() && isParked(this.#state, this.#head, this.#services.clock.now())) this.#leave(context);
  }

  #turn(state: RunState, context: Context): void {
    const commands = this.#inbox.take(LIMITS.commandsPerTurn, () => viewNow(this.#services, state, this.#head));
    if (commands.length === 0) return;
    const { clock, random, retryOf, outlet } = this.#services;
    const result = takeTurn(state, commands, {
      nowMs: clock.now(),
      ...{ random, retryOf, eventLevel: outlet?.level },
      isBlocked: (frame) => this.#evaluations.isBlocked(frame),
      answer: (request) => this.#evaluations.answer(request),
    });
    this.#inbox.taken(result.answers);
    this.#isToResume ||= result.unfinished;
    this.#evaluations.await(result.pending);
    for (const request of this.#evaluations.begin())
      context.pipe(evaluate(this.#services, request), (outcome) => ({ kind: "evaluated", request, outcome }));
    if (result.entries.length > 0) this.#commit(state, result, context);
    else this.#inbox.payBack(undefined);
  }

  #commit(state: RunState, result: TurnResult, context: Context): void {
    const head = this.#headIfChanged(state, result.events);
    const write = writeOf(state, result, { head, request: this.#starting, snapshot: this.#snapshots.take(state) });
    this.#limits.noteTurn(state, write.payloads ?? []);
    this.#append(write, result, context);
  }

  #append(write: RunWrite, { effects, events }: Pick<TurnResult, "effects" | "events">, context: Context): void {
    this.#isBusy = true;
    this.#writtenAtMs = this.#services.clock.monotonic();
    const promise = this.#services.journal.append(write);
    if (events.length > 0) this.#services.outlet?.publish(events, promise);
    this.#writing = { promise, effects };
    context.pipe(promise, (outcome) => ({ kind: "committed", outcome, effects }));
  }

  #headIfChanged(state: RunState, events: TurnResult["events"]): RunHead | undefined {
    const head = headOf(state, this.#services.clock.now());
    this.#services.residents.note(this.#runId, (head.wake & WAKE.ready) !== 0 ? "active" : "waiting");
    if (sameHead(this.#head, head) && !isToBeFound(head, events, this.#services.outlet?.level)) return undefined;
    this.#head = head;
    return head;
  }

  #committed({ outcome, effects }: Extract<RunMessage, { kind: "committed" }>, context: Context): void {
    this.#writing = undefined;
    if (!outcome.ok) return this.#notCommitted(toMaestroError(outcome.error), context);
    this.#isBusy = false;
    this.#starting = undefined;
    if (this.#state !== undefined && this.#head !== undefined) performEffects(this.#services, this.#state, this.#head, effects);
    this.#inbox.payBack(undefined);
    if (effects.length > 0) this.#services.hub.grew(this.#runId);
    this.#services.admission.committed(this.#services.clock.monotonic() - this.#writtenAtMs);
  }

  /** What was decided is void. A run that never began is gone, and so is this node's right to run it when it was fenced; else the run is read back. */
  #notCommitted(cause: MaestroError, context: Context): void {
    const movedOn = elsewhere(this.#runId, cause);
    const error = movedOn ?? cause;
    this.#inbox.payBack(error);
    if (cause.code === "JOURNAL_FENCED") this.#services.onFenced();
    if (movedOn === undefined && (this.#starting === undefined || cause.code === "RUN_EXISTS")) throw error;
    this.#failure = error;
    this.#state = undefined;
    this.#isBusy = false;
    this.#services.hub.failed(this.#runId, error);
    context.stop();
  }

  #load(context: Context, afterFailure: boolean): void {
    this.#isBusy = true;
    // An instance that failed may have left a write behind: it must be there, or have failed, before the journal is read.
    const settled = afterFailure ? this.#services.journal.flush() : Promise.resolve();
    context.pipe(
      settled.then(() => readRun(this.#services, this.#runId)),
      (outcome) => ({ kind: "loaded", outcome, afterFailure }),
    );
  }

  #loaded(outcome: Outcome<LoadedRun>, afterFailure: boolean, context: Context): void {
    this.#isBusy = false;
    if (!outcome.ok) return this.#notLoaded(outcome.error, afterFailure, context);
    this.#unsure = undefined;
    const { state, head, durationMs } = outcome.value;
    this.#services.events.emit("run.loaded", { runId: this.#runId, entries: state.lastSeq, durationMs });
    this.#state = state;
    this.#head = head;
    this.#snapshots.begin(state);
    this.#limits.noteLoaded(state);
    const loss = lossOf(this.#services, state);
    if (loss !== undefined) this.#inbox.addFirst(loss.command, loss.replyTo);
    performEffects(this.#services, state, head, effectsOfLoading(state, loss?.command.waiting));
    // The instance before may have failed between a commit and its effects.
    if (afterFailure) this.#services.hub.grew(this.#runId);
    if (state.status !== "running") {
      this.#services.residents.note(this.#runId, "ended");
      return this.#services.hub.ended(outcomeOf(state));
    }
    this.#isToResume = true;
    // The row of a run that was released from quarantine, or that the auditor woke, may say something else than its history.
    const mended = this.#headIfChanged(state, []);
    if (mended !== undefined) this.#append(headWrite(this.#runId, mended), { effects: [], events: [] }, context);
  }

  /** The store is away: the run waits with it. The run can't be had here, or is another node's: that is the answer to everyone. Anything else is a failure. */
  #notLoaded(error: unknown, afterFailure: boolean, context: Context): void {
    const cause = toMaestroError(error);
    const failure = elsewhere(this.#runId, error) ?? cause;
    if (cause.code === "JOURNAL_FENCED") this.#services.onFenced();
    if (error instanceof MaestroError && failure.retryable && !OUT_OF_REACH.has(failure.code)) {
      this.#isBusy = true;
      return context.pipe(
        this.#services.pause(RETRY_MS).then(() => readRun(this.#services, this.#runId)),
        (outcome) => ({ kind: "loaded", outcome, afterFailure }),
      );
    }
    if (failure.code === "RUN_NOT_FOUND" && this.#unsure !== undefined) return this.#begin(this.#unsure, undefined);
    if (!OUT_OF_REACH.has(failure.code)) throw error;
    this.#failure = failure;
    this.#services.hub.failed(this.#runId, failure);
  }

  #evaluated({ request, outcome }: Extract<RunMessage, { kind: "evaluated" }>, context: Context): void {
    const againMs = this.#evaluations.settle(request, outcome);
    if (againMs !== undefined) return context.setTimer("retry", againMs, RETRY);
    this.#isToResume = true;
  }

  /** A run that has ended, or that can't be had, leaves memory as soon as nobody waits for an answer. */
  #isOver(): boolean {
    return this.#failure !== undefined || (this.#state !== undefined && this.#state.status !== "running");
  }

  #leave(context: Context): void {
    if (context.passivate()) this.#services.events.emit("run.passivated", { runId: this.#runId });
  }

  #isAtRest(): boolean {
    return !this.#isBusy && this.#inbox.isEmpty && (this.#head === undefined || (this.#head.wake & WAKE.ready) === 0);
  }
}
