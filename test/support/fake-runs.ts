/**
 * Runs in memory, for tests of what stands in front of them. A run ends at once with its input as output, unless its input has
 * `"hold": true`: then it runs until the test, a signal, a cancellation or a termination ends it. Each change is a history entry.
 */
import type { HistoryEntry, Intake, RunOutcome, RunSignal, Runs, RunView, StartedRun, StartRun } from "../../actors/runs.ts";
import { MaestroError } from "../../runtime/errors.ts";
import { newRunId, type RunId } from "../../runtime/ids.ts";
import { seededRandom } from "../../runtime/random.ts";
import { ENDED, type RunFilter, type RunRecord, type RunStatus } from "../../runtime/storage/journal.ts";

interface FakeRun {
  view: RunView;
  readonly request: StartRun;
  readonly entries: HistoryEntry[];
  readonly signals: RunSignal[];
  readonly listeners: Set<() => void>;
}

/** An intake that a test opens and closes. */
class FakeIntake implements Intake {
  readonly #callbacks = new Set<() => void>();
  #isCrowded = false;
  /** Thrown by {@link requireRoom}, if set. */
  refusal: unknown;

  get isCrowded(): boolean {
    return this.#isCrowded;
  }

  set isCrowded(isCrowded: boolean) {
    this.#isCrowded = isCrowded;
    if (isCrowded) return;
    const callbacks = [...this.#callbacks];
    this.#callbacks.clear();
    for (const callback of callbacks) callback();
  }

  /** Those who wait for room. */
  get awaited(): number {
    return this.#callbacks.size;
  }

  onceRoomy(callback: () => void): () => void {
    this.#callbacks.add(callback);
    return () => void this.#callbacks.delete(callback);
  }

  requireRoom(): void {
    if (this.refusal !== undefined) throw this.refusal;
  }
}

/** The runs of one fake node. */
export class FakeRuns implements Runs {
  readonly intake = new FakeIntake();
  readonly #runs = new Map<RunId, FakeRun>();
  readonly #keys = new Map<string, RunId>();
  readonly #random = seededRandom(1);
  #nowMs = Date.UTC(2026, 0, 1);
  /** Runs started so far. */
  started = 0;
  /** Executions and waits for an end that are under way. */
  waiting = 0;
  /** Watches that are under way. */
  watching = 0;
  /** History entries handed to watchers. */
  delivered = 0;
  /** Thrown by every method, if set. */
  failure: unknown;

  async start(request: StartRun): Promise<StartedRun> {
    this.#failIfAsked();
    const known = request.idempotencyKey === undefined ? undefined : this.#keys.get(request.idempotencyKey);
    if (known !== undefined) return { runId: known, created: false };
    this.started += 1;
    const runId = newRunId(7, this.#tick(), this.#random);
    if (request.idempotencyKey !== undefined) this.#keys.set(request.idempotencyKey, runId);
    this.#create(runId, request);
    const input: unknown = JSON.parse(request.input);
    const isHeld = typeof input === "object" && input !== null && "hold" in input && input.hold === true;
    if (!isHeld) this.end(runId, "completed", request.input);
    return { runId, created: true };
  }

  async execute(request: StartRun, signal: AbortSignal): Promise<RunOutcome> {
    const { runId } = await this.start(request);
    return this.outcome(runId, signal);
  }

  async outcome(runId: RunId, signal: AbortSignal): Promise<RunOutcome> {
    const run = this.#run(runId);
    this.waiting += 1;
    try {
      while (!ENDED.has(run.view.status)) await this.#change(run, signal, true);
    } finally {
      this.waiting -= 1;
    }
    const { status, output, error } = run.view;
    return { runId, status, output, error };
  }

  async get(runId: RunId): Promise<RunView> {
    return this.#run(runId).view;
  }

  async list(filter: RunFilter, limit: number, after?: RunId): Promise<readonly RunRecord[]> {
    this.#failIfAsked();
    const newestFirst = [...this.#runs.values()].map(({ view }) => view).sort((a, b) => (a.runId < b.runId ? 1 : -1));
    return newestFirst.filter((run) => matches(run, filter) && (after === undefined || run.runId < after)).slice(0, limit);
  }

  async history(runId: RunId, fromSeq: number, limit: number): Promise<readonly HistoryEntry[]> {
    return this.#run(runId).entries.slice(fromSeq - 1, fromSeq - 1 + limit);
  }

  async *watch(runId: RunId, fromSeq: number, signal: AbortSignal): AsyncIterable<HistoryEntry> {
    const run = this.#run(runId);
    this.watching += 1;
    try {
      for (let at = fromSeq - 1; !signal.aborted; ) {
        const entry = run.entries[at];
        if (entry !== undefined) {
          at += 1;
          this.delivered += 1;
          yield entry;
        } else if (ENDED.has(run.view.status)) return;
        else await this.#change(run, signal, false);
      }
    } finally {
      this.watching -= 1;
    }
  }

  async signal(runId: RunId, signal: RunSignal): Promise<void> {
    const run = this.#open(runId);
    if (signal.signalId !== "" && run.signals.some(({ signalId }) => signalId === signal.signalId)) return;
    run.signals.push(signal);
    this.#append(run, "signal.received", { details: JSON.stringify({ name: signal.name }) });
    if (signal.name === "finish") this.end(runId, "completed", signal.payload);
  }

  async cancel(runId: RunId, reason: string): Promise<void> {
    if (this.#run(runId).view.status === "cancelled") return;
    this.#open(runId);
    this.end(runId, "cancelled", undefined, reason);
  }

  async terminate(runId: RunId, reason: string): Promise<void> {
    if (this.#run(runId).view.status === "terminated") return;
    this.#open(runId);
    this.end(runId, "terminated", undefined, reason);
  }

  async release(runId: RunId): Promise<void> {
    const run = this.#run(runId);
    if (run.view.status !== "quarantined") throw new MaestroError("RUN_NOT_QUARANTINED", { facts: { runId, status: run.view.status } });
    run.view = { ...run.view, status: "running" };
  }

  /** Ends a run that is held. */
  end(runId: RunId, status: RunStatus, output?: string, reason?: string): void {
    const run = this.#run(runId);
    const error = reason === undefined ? undefined : { type: "https://example.test/ended", status: 500, title: "Ended", detail: reason };
    run.view = { ...run.view, status, output, error, endedAtMs: this.#tick() };
    this.#append(run, "run.ended", { status, error });
  }

  /** Adds an entry to a run's history. */
  note(runId: RunId, type: string): void {
    this.#append(this.#run(runId), type, {});
  }

  /** Sets a run aside, as its supervisor would. */
  quarantine(runId: RunId): void {
    const run = this.#run(runId);
    run.view = { ...run.view, status: "quarantined" };
  }

  /** What a run was started with. */
  requestOf(runId: string): StartRun {
    return this.#run(runId as RunId).request;
  }

  /** Signals that a run was given. */
  signalsOf(runId: string): readonly RunSignal[] {
    return this.#run(runId as RunId).signals;
  }

  /** Ids of all runs that have not ended. */
  held(): RunId[] {
    return [...this.#runs.values()].filter(({ view }) => !ENDED.has(view.status)).map(({ view }) => view.runId);
  }

  #create(runId: RunId, request: StartRun): void {
    const { workflowId, userId, labels, input } = request;
    const head = { status: "running" as const, wake: 1, createdAtMs: this.#nowMs };
    const view = { runId, workflowId, userId, labels, input, ...head, output: undefined, error: undefined, activeTasks: [], lastSeq: 0 };
    const run: FakeRun = { view, request, entries: [], signals: [], listeners: new Set() };
    this.#runs.set(runId, run);
    this.#append(run, "run.started", {});
  }

  #append(run: FakeRun, type: string, more: Partial<HistoryEntry>): void {
    const seq = run.entries.length + 1;
    const blank = { path: "", task: "", kind: "", attempt: 0, details: "{}", error: undefined, status: undefined };
    run.entries.push({ ...blank, seq, atMs: this.#nowMs, type, ...more });
    run.view = { ...run.view, lastSeq: seq };
    for (const listener of run.listeners) listener();
  }

  #change(run: FakeRun, signal: AbortSignal, throws: boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        run.listeners.delete(settle);
        signal.removeEventListener("abort", settle);
        if (signal.aborted && throws) reject(new MaestroError("REQUEST_CANCELLED"));
        else resolve();
      };
      run.listeners.add(settle);
      signal.addEventListener("abort", settle);
      if (signal.aborted) settle();
    });
  }

  #open(runId: RunId): FakeRun {
    const run = this.#run(runId);
    if (ENDED.has(run.view.status)) throw new MaestroError("RUN_ENDED", { facts: { runId, status: run.view.status } });
    return run;
  }

  #run(runId: RunId): FakeRun {
    this.#failIfAsked();
    const run = this.#runs.get(runId);
    if (run === undefined) throw new MaestroError("RUN_NOT_FOUND", { facts: { runId } });
    return run;
  }

  #failIfAsked(): void {
    if (this.failure !== undefined) throw this.failure;
  }

  #tick(): number {
    this.#nowMs += 1;
    return this.#nowMs;
  }
}

function matches(run: RunRecord, filter: RunFilter): boolean {
  return (
    (filter.workflowIds?.includes(run.workflowId) ?? true) &&
    (filter.statuses?.includes(run.status) ?? true) &&
    run.createdAtMs >= (filter.createdAfterMs ?? 0) &&
    run.createdAtMs < (filter.createdBeforeMs ?? Number.POSITIVE_INFINITY)
  );
}
