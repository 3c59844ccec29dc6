/**
 * Workflow runs, as all skins of the gateway serve them. Checks requests, turns workflow names into versions and back, and asks the runs
 * of this node; it knows nothing of gRPC or HTTP. What it acknowledges is committed, because the port {@link Runs} says so.
 */
import type { HistoryEntry, Intake, RunOutcome, Runs, RunView, StartedRun, StartRun } from "../../actors/runs.ts";
import type { RunId } from "../../runtime/ids.ts";
import type { RunFilter, RunRecord } from "../../runtime/storage/journal.ts";
import type { Caller } from "./caller.ts";
import { DEFAULT_NAMESPACE, DEFAULT_PAGE_ROWS } from "./fields.ts";
import { fitting, type Page, pageOf } from "./page.ts";
import { type PageScope, pageTokenAfter, rowBefore } from "./page-token.ts";
import {
  checkEnd,
  checkHistory,
  checkList,
  checkRunId,
  checkSignal,
  checkStart,
  DEFAULT_HISTORY_ROWS,
  type EndRequest,
  type HistoryRequest,
  type ListRuns,
  type SignalRequest,
  type StartRequest,
} from "./run-requests.ts";
import type { WorkflowDirectory, WorkflowIdentity } from "./workflow-directory.ts";
import type { WorkflowFilter } from "./workflow-filter.ts";

/** Characters of what every row and entry has, roughly: ids, times, names. */
const ROW_CHARS = 500;

/** A run together with what its workflow is called; undefined if the store has no such version any more. */
export interface Named<R extends RunRecord> {
  readonly run: R;
  readonly workflow: WorkflowIdentity | undefined;
}

/** A page of history. */
export interface HistoryPage {
  readonly entries: readonly HistoryEntry[];
  /** Where to go on; 0 at the end. */
  readonly nextSeq: number;
}

/** What is said of a signal that a run has. */
export interface SignalAnswer {
  /** Its name was to be checked, and no task waits for signals of it. */
  readonly nameUnknown: boolean;
  /** The names that tasks wait for, if this one is unknown. */
  readonly knownNames: readonly string[];
}

const EXPECTED: SignalAnswer = { nameUnknown: false, knownNames: [] };

/** What the service needs. */
export interface RunServiceParts {
  readonly runs: Runs;
  readonly directory: WorkflowDirectory;
  readonly filter: WorkflowFilter;
  /** The names of the signals that tasks of a workflow version wait for; undefined if nobody can tell. @throws WORKFLOW_NOT_FOUND */
  signalsOf(workflowId: string): Promise<readonly string[] | undefined>;
}

/** The service. Every method throws MaestroError: FIELD_INVALID and RUN_NOT_FOUND where they fit, and what {@link Runs} throws. */
export class RunService {
  readonly #runs: Runs;
  readonly #directory: WorkflowDirectory;
  readonly #filter: WorkflowFilter;
  readonly #signalsOf: RunServiceParts["signalsOf"];

  constructor(parts: RunServiceParts) {
    this.#runs = parts.runs;
    this.#directory = parts.directory;
    this.#filter = parts.filter;
    this.#signalsOf = (workflowId) => parts.signalsOf(workflowId);
  }

  /** Whether starts are taken now, for skins that can hold them back. */
  get intake(): Intake {
    return this.#runs.intake;
  }

  /** Starts a run; resolves after it is committed. @throws MESSAGE_TOO_LARGE, WORKFLOW_NOT_FOUND */
  async start(request: StartRequest, caller: Caller): Promise<StartedRun> {
    this.#runs.intake.requireRoom();
    return this.#runs.start(await this.#prepare(request, caller));
  }

  /** Starts a run, or finds the one that its key has started, and resolves when it has ended. Aborting ends the waiting, not the run. */
  async startAndWait(request: StartRequest, caller: Caller, signal: AbortSignal): Promise<StartedRun & { readonly outcome: RunOutcome }> {
    this.#runs.intake.requireRoom();
    const start = await this.#prepare(request, caller);
    if (start.idempotencyKey === undefined) {
      const outcome = await this.#runs.execute(start, signal);
      return { runId: outcome.runId, created: true, outcome };
    }
    const started = await this.#runs.start(start);
    return { ...started, outcome: await this.#runs.outcome(started.runId, signal) };
  }

  /** Starts a run and resolves when it has ended. Aborting ends the waiting, not the run. @throws MESSAGE_TOO_LARGE, WORKFLOW_NOT_FOUND */
  async execute(request: StartRequest, caller: Caller, signal: AbortSignal): Promise<RunOutcome> {
    return this.#runs.execute(await this.#prepare(request, caller), signal);
  }

  /** A run as it is now. */
  async get(runId: string): Promise<Named<RunView>> {
    checkRunId(runId);
    return this.#named(await this.#runs.get(canonical(runId)));
  }

  /** A run once it has ended. Aborting ends the waiting, not the run. */
  async getEnded(runId: string, signal: AbortSignal): Promise<Named<RunView>> {
    checkRunId(runId);
    await this.#runs.outcome(canonical(runId), signal);
    return this.get(runId);
  }

  /** Newest first. @throws PAGE_TOKEN_INVALID */
  async list(request: ListRuns): Promise<Page<Named<RunRecord>>> {
    checkList(request);
    const scope = scopeOf(request);
    const after = rowBefore(scope, request.pageToken) as RunId | undefined;
    const workflowIds = await this.#filter.versionsOf(request.namespace, request.workflow);
    if (workflowIds?.length === 0) return { rows: [], nextPageToken: "" };
    const limit = request.pageSize || DEFAULT_PAGE_ROWS;
    const rows = await this.#runs.list(filterOf(request, workflowIds), limit + 1, after);
    const page = pageOf(rows, limit, (last) => pageTokenAfter(scope, last.runId), charsOfRun);
    return { rows: await Promise.all(page.rows.map((run) => this.#named(run))), nextPageToken: page.nextPageToken };
  }

  /** A page of a run's history. */
  async history(request: HistoryRequest): Promise<HistoryPage> {
    checkHistory(request);
    const limit = request.pageSize || DEFAULT_HISTORY_ROWS;
    const found = await this.#runs.history(canonical(request.runId), Math.max(request.fromSeq, 1), limit);
    const entries = fitting(found, charsOfEntry);
    const last = entries.at(-1);
    const isLast = found.length < limit && entries.length === found.length;
    return { entries, nextSeq: isLast || last === undefined ? 0 : last.seq + 1 };
  }

  /** A run's history from a sequence number, then live until the run ends or `signal` is aborted. Throws at once for a bad request. */
  watch(request: { readonly runId: string; readonly fromSeq: number }, signal: AbortSignal): AsyncIterable<HistoryEntry> {
    checkHistory({ ...request, pageSize: 0 });
    return this.#runs.watch(canonical(request.runId), Math.max(request.fromSeq, 1), signal);
  }

  /** Hands a signal to a run; resolves after it is committed. @throws RUN_ENDED, MESSAGE_TOO_LARGE */
  async signal(request: SignalRequest): Promise<SignalAnswer> {
    checkSignal(request);
    const [runId, { name, signalId, checkName }] = [canonical(request.runId), request];
    // Before the signal is sent: a failure then means that nothing was done.
    const known = checkName ? await this.#signalsOf((await this.#runs.get(runId)).workflowId) : undefined;
    await this.#runs.signal(runId, { name, payload: request.payload || "null", signalId });
    return known === undefined || known.includes(name) ? EXPECTED : { nameUnknown: true, knownNames: known };
  }

  /** Asks a run to stop and to undo what it did; resolves after the request is committed. @throws RUN_ENDED */
  async cancel(request: EndRequest): Promise<void> {
    checkEnd(request);
    await this.#runs.cancel(canonical(request.runId), request.reason);
  }

  /** Ends a run at once. @throws RUN_ENDED */
  async terminate(request: EndRequest): Promise<void> {
    checkEnd(request);
    await this.#runs.terminate(canonical(request.runId), request.reason);
  }

  /** Lets a quarantined run go on. @throws RUN_NOT_QUARANTINED */
  async release(runId: string): Promise<void> {
    checkRunId(runId);
    await this.#runs.release(canonical(runId));
  }

  async #prepare(request: StartRequest, caller: Caller): Promise<StartRun> {
    checkStart(request);
    const namespace = request.namespace || DEFAULT_NAMESPACE;
    const { id } = await this.#directory.resolve(namespace, request.workflow, request.version);
    const run = { workflowId: id, input: request.input || "{}", userId: caller.userId, labels: request.labels, traceParent: caller.traceParent };
    // A namespace has no slash, so the first one ends it and keys of two namespaces never meet.
    return request.idempotencyKey === "" ? run : { ...run, idempotencyKey: `${namespace}/${request.idempotencyKey}` };
  }

  async #named<R extends RunRecord>(run: R): Promise<Named<R>> {
    return { run, workflow: await this.#directory.identify(run.workflowId) };
  }
}

/** The id in lower case. It was checked. */
function canonical(runId: string): RunId {
  return runId.toLowerCase() as RunId;
}

function scopeOf(request: ListRuns): PageScope {
  const statuses = [...request.statuses].sort().join();
  return ["runs", request.namespace, request.workflow, statuses, request.createdAfterMs, request.createdBeforeMs];
}

function filterOf(request: ListRuns, workflowIds: readonly string[] | undefined): RunFilter {
  return {
    ...(workflowIds !== undefined && { workflowIds }),
    ...(request.statuses.length > 0 && { statuses: request.statuses }),
    ...(request.createdAfterMs !== undefined && { createdAfterMs: request.createdAfterMs }),
    ...(request.createdBeforeMs !== undefined && { createdBeforeMs: request.createdBeforeMs }),
  };
}

/** Characters of a run in a list, roughly. */
function charsOfRun({ labels, errorMessage = "" }: RunRecord): number {
  return Object.entries(labels).reduce((sum, [name, value]) => sum + name.length + value.length, ROW_CHARS + errorMessage.length);
}

/** Characters of an entry of a history, roughly. */
function charsOfEntry({ path, details, error }: HistoryEntry): number {
  const { type = "", title = "", detail = "", instance = "", data = "" } = error ?? {};
  return path.length + details.length + type.length + title.length + detail.length + instance.length + data.length + ROW_CHARS;
}
