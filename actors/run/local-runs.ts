/**
 * The runs of this node behind the port `Runs`: checks, asks the run, answers.
 */
import { type ErrorCode, MaestroError } from "../../runtime/errors.ts";
import { newRunId, type RunId, type Shard } from "../../runtime/ids.ts";
import type { ReplyTo } from "../../runtime/kernel/reference.ts";
import { LimitEdge } from "../../runtime/limit-watch.ts";
import { ENDED, type RunFilter, type RunRecord, WAKE } from "../../runtime/storage/journal.ts";
import type { Workflow } from "../language/model.ts";
import type { HistoryEntry, Intake, RunOutcome, RunSignal, Runs, RunView, StartedRun, StartRun } from "../runs.ts";
import type { RunCommand } from "./core/command.ts";
import { describe } from "./core/history.ts";
import { viewOfRun } from "./core/run-view.ts";
import { entriesAfter, fold, loadRun, quarantined, stateBefore } from "./loading.ts";
import { outcomeOf } from "./perform.ts";
import { headWrite } from "./quarantine.ts";
import type { Region } from "./region.ts";
import type { GrowthListener } from "./run-hub.ts";
import type { RunMessage } from "./run-message.ts";
import type { RunServices } from "./run-services.ts";
import { moved, stopped } from "./shard-gate.ts";
import { type GrowthSource, growthBeyond, watchRun } from "./watch.ts";

/** Longest wait for a commit before the caller is told that its fate is open. */
const COMMIT_TIMEOUT_MS = 60_000;
/** When an overloaded node may be asked again. */
const OVERLOAD_RETRY_MS = 1_000;

/** See the file header. */
export class LocalRuns implements Runs {
  readonly #services: RunServices;
  readonly #region: Region;
  readonly #activeEdge: LimitEdge;

  constructor(services: RunServices, region: Region) {
    this.#services = services;
    this.#region = region;
    this.#activeEdge = new LimitEdge(services.limits, "activeRuns", "runs with work under way");
  }

  /** Takes no new runs from now on. */
  stopStarting(): void {
    this.#services.admission.close(new MaestroError("NODE_STOPPING"));
  }

  get intake(): Intake {
    return this.#services.admission;
  }

  start(request: StartRun): Promise<StartedRun> {
    return this.#start(request, undefined, false);
  }

  /**
   * Starts a run under an id that somebody else has chosen. Asked again for the same id it answers the run that there is: `isRepeat` says that this may
   * be so. @throws SHARD_MOVED, and as {@link start}
   */
  async startAs(runId: RunId, request: StartRun, isRepeat: boolean): Promise<StartedRun> {
    const { gate, residents, journal } = this.#services;
    if (!gate.serves(runId)) throw moved(runId);
    if (isRepeat && residents.has(runId)) return this.#begin(runId, request, true);
    if (isRepeat && (await journal.find(runId)) !== undefined) return { runId, created: true };
    try {
      return await this.#start(request, runId, isRepeat);
    } catch (error) {
      // It was not said to be a repeat, but the store knows better.
      if (isCode(error, "RUN_EXISTS")) return { runId, created: true };
      throw error;
    }
  }

  async execute(request: StartRun, signal: AbortSignal): Promise<RunOutcome> {
    if (signal.aborted) throw new MaestroError("REQUEST_CANCELLED");
    if (request.idempotencyKey !== undefined) return this.outcome((await this.start(request)).runId, signal);
    const workflow = await this.#services.workflow(request.workflowId);
    const runId = await this.#services.admission.enter(signal);
    if (signal.aborted) {
      this.#services.residents.withdraw(runId);
      throw new MaestroError("REQUEST_CANCELLED");
    }
    return this.#awaitOutcome(runId, signal, (fail) => {
      const refused = (error: unknown): void => {
        this.#services.residents.withdraw(runId);
        fail(error);
      };
      const replyTo: ReplyTo<void> = { reply: () => undefined, fail: refused };
      if (!this.#services.gate.serves(runId)) return refused(moved(runId));
      if (this.#region.tell(runId, { kind: "start", workflow, request, isRepeat: false, replyTo }) !== "accepted")
        refused(this.#services.admission.overloaded());
    });
  }

  outcome(runId: RunId, signal: AbortSignal): Promise<RunOutcome> {
    if (!this.#services.gate.serves(runId)) return Promise.reject(moved(runId));
    return this.#awaitOutcome(runId, signal, (fail, settle) => {
      // Registered first: an end that is told from now on is not missed.
      if (this.#services.residents.willTell(runId)) return;
      this.endedOutcome(runId).then((outcome) => outcome !== undefined && settle(outcome), fail);
    });
  }

  async get(runId: RunId): Promise<RunView> {
    const recent = this.#services.recent.get(runId);
    if (recent !== undefined) return recent;
    try {
      return await this.#ask<RunView>("The view of the run", runId, (replyTo) => ({ kind: "describe", replyTo }));
    } catch (error) {
      // A quarantined run answers nothing; its history still tells what it is.
      if (!isCode(error, "RUN_QUARANTINED")) throw error;
      return this.stored(runId);
    }
  }

  /** A run as the store has it, wherever it lives: everything that was acknowledged, and nothing else. @throws RUN_NOT_FOUND */
  async stored(runId: RunId): Promise<RunView> {
    const [state, record] = [await loadRun(this.#services, runId), await this.#record(runId)];
    return viewOfRun(state, record);
  }

  list(filter: RunFilter, limit: number, after?: RunId): Promise<readonly RunRecord[]> {
    return this.#services.journal.list(filter, limit, after);
  }

  async history(runId: RunId, fromSeq: number, limit: number): Promise<readonly HistoryEntry[]> {
    const page: HistoryEntry[] = [];
    const state = await stateBefore(this.#services, runId, fromSeq);
    for await (const entries of entriesAfter(this.#services, state)) {
      for (const entry of entries) {
        const described = fold(state, entry, describe);
        if (described.seq >= fromSeq) page.push(described);
        if (page.length === limit) return page;
      }
    }
    return page;
  }

  watch(runId: RunId, fromSeq: number, signal: AbortSignal): AsyncIterable<HistoryEntry> {
    return this.watchWith((listener) => this.onGrowth(runId, listener), runId, fromSeq, signal);
  }

  /** As {@link watch}, with another source of the news that the history has grown. */
  watchWith(onGrowth: GrowthSource, runId: RunId, fromSeq: number, signal: AbortSignal): AsyncIterable<HistoryEntry> {
    return watchRun(this.#services, onGrowth, runId, fromSeq, signal);
  }

  /** See `RunHub.onGrowth`. */
  onGrowth(runId: RunId, listener: GrowthListener): () => void {
    return this.#services.hub.onGrowth(runId, listener);
  }

  /** Resolves when the run's history has grown beyond `lastSeq`, or will not grow here. Aborting ends the wait. @throws SHARD_MOVED */
  growth(runId: RunId, lastSeq: number, signal: AbortSignal): Promise<void> {
    return growthBeyond(this.#services, runId, lastSeq, signal);
  }

  async signal(runId: RunId, signal: RunSignal): Promise<void> {
    this.#refuseUnderPressure();
    return this.#command(runId, { kind: "signal", signal });
  }

  cancel(runId: RunId, reason: string): Promise<void> {
    return this.#command(runId, { kind: "cancel", reason });
  }

  terminate(runId: RunId, reason: string): Promise<void> {
    return this.#command(runId, { kind: "terminate", reason });
  }

  async release(runId: RunId): Promise<void> {
    const { status } = await this.#record(runId);
    if (status !== "quarantined") throw new MaestroError("RUN_NOT_QUARANTINED", { facts: { runId, status } });
    await this.#services.journal.append(headWrite(runId, { status: "running", wake: WAKE.ready }));
    this.#region.release(runId);
    await this.#command(runId, { kind: "resume" });
  }

  async #start(request: StartRun, chosen: RunId | undefined, isRepeat: boolean): Promise<StartedRun> {
    const { admission, residents } = this.#services;
    const workflow = await this.#services.workflow(request.workflowId);
    const runId = await admission.enter(undefined, chosen);
    try {
      return await this.#begin(runId, request, isRepeat, workflow);
    } catch (error) {
      residents.withdraw(runId);
      throw error;
    }
  }

  /** Tells a run to begin; one that has begun answers once that is committed. */
  async #begin(runId: RunId, request: StartRun, isRepeat: boolean, known?: Workflow): Promise<StartedRun> {
    const workflow = known ?? (await this.#services.workflow(request.workflowId));
    try {
      await this.#ask<void>("The commit of the run", runId, (replyTo) => ({ kind: "start", workflow, request, isRepeat, replyTo }));
      return { runId, created: true };
    } catch (error) {
      if (isCode(error, "IDEMPOTENCY_KEY_REUSED")) return this.#existing(error.facts.runId as RunId, request);
      throw error;
    }
  }

  /** A key that was used before answers its run, if that is one of the same workflow. */
  async #existing(runId: RunId, request: StartRun): Promise<StartedRun> {
    const record = await this.#record(runId);
    const [earlier, asked] = await Promise.all([this.#services.workflow(record.workflowId), this.#services.workflow(request.workflowId)]);
    if (earlier.namespace !== asked.namespace || earlier.name !== asked.name) throw new MaestroError("IDEMPOTENCY_KEY_REUSED", { facts: { runId } });
    return { runId, created: false };
  }

  /**
   * Makes a new run one of those under way, for {@link Admission}. `chosen`: its id, if it must have that.
   * @throws NODE_STOPPING, JOURNAL_OVERLOADED, SHARD_MOVED
   */
  admit(chosen: RunId | undefined): RunId {
    const { clock, random, residents, gate } = this.#services;
    if (chosen !== undefined && !gate.serves(chosen)) throw moved(chosen);
    if (gate.size === 0) throw new MaestroError("NODE_STOPPING");
    this.#refuseUnderPressure();
    const runId = chosen ?? newRunId(gate.at(random.uint32() % gate.size) as Shard, clock.now(), random);
    residents.note(runId, "admitted");
    this.#activeEdge.note(residents.activeCount);
    return runId;
  }

  /** What comes from outside is refused before any work is done for it; the runs that exist go on. */
  #refuseUnderPressure(): void {
    const { isFull, queuedWrites } = this.#services.journal.pressure();
    if (isFull) throw new MaestroError("JOURNAL_OVERLOADED", { facts: { queued: queuedWrites }, retryAfterMs: OVERLOAD_RETRY_MS });
  }

  #command(runId: RunId, command: RunCommand): Promise<void> {
    return this.#ask<void>("The commit of the request", runId, (replyTo) => ({ kind: "command", command, replyTo }));
  }

  /** Asks a run; `what` it is asked for names what is missing when the time is over. */
  async #ask<R>(what: string, runId: RunId, message: (replyTo: ReplyTo<R>) => RunMessage): Promise<R> {
    try {
      return await this.#region.ask(runId, message, { timeoutMs: COMMIT_TIMEOUT_MS });
    } catch (error) {
      if (error instanceof MaestroError && error.code === "ACTOR_QUARANTINED") throw quarantined(runId, error.message);
      if (isCode(error, "ACTOR_STOPPED") || isCode(error, "NODE_STOPPING")) throw stopped(this.#services.gate, runId);
      if (error instanceof MaestroError && error.code === "TIMED_OUT")
        throw new MaestroError("TIMED_OUT", { facts: { what, timeoutMs: COMMIT_TIMEOUT_MS }, cause: error });
      throw error;
    }
  }

  async #record(runId: RunId): Promise<RunRecord> {
    const record = await this.#services.journal.find(runId);
    if (record === undefined) throw new MaestroError("RUN_NOT_FOUND", { facts: { runId } });
    return record;
  }

  /** The outcome of a run that has ended, wherever it lived, or undefined if it has not. @throws RUN_NOT_FOUND, RUN_QUARANTINED */
  async endedOutcome(runId: RunId): Promise<RunOutcome | undefined> {
    const recent = this.#services.recent.get(runId);
    if (recent !== undefined) return recent;
    const record = await this.#record(runId);
    if (record.status === "quarantined") throw quarantined(runId, record.errorMessage);
    return ENDED.has(record.status) ? outcomeOf(await loadRun(this.#services, runId)) : undefined;
  }

  #awaitOutcome(
    runId: RunId,
    signal: AbortSignal,
    begin: (fail: (error: unknown) => void, settle: (outcome: RunOutcome) => void) => void,
  ): Promise<RunOutcome> {
    return new Promise((resolve, reject) => {
      const finish = (): void => {
        unregister();
        signal.removeEventListener("abort", abort);
      };
      const settle = (outcome: RunOutcome): void => {
        finish();
        resolve(outcome);
      };
      const fail = (error: unknown): void => {
        finish();
        reject(error);
      };
      const abort = (): void => fail(new MaestroError("REQUEST_CANCELLED"));
      const failed = (error: MaestroError): void => {
        this.#services.residents.withdraw(runId);
        fail(error);
      };
      const unregister = this.#services.hub.onOutcome(runId, { ended: settle, failed });
      if (signal.aborted) return abort();
      signal.addEventListener("abort", abort, { once: true });
      begin(fail, settle);
    });
  }
}

function isCode(error: unknown, code: ErrorCode): error is MaestroError {
  return error instanceof MaestroError && error.code === code;
}
