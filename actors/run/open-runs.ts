/**
 * Puts the runs of a node together: actors, timers, dispatcher, auditor, recovery. The composition root opens it when journal and worker pool are
 * there, and closes it first.
 */
import type { Clock } from "../../runtime/clock.ts";
import { MaestroError, toMaestroError } from "../../runtime/errors.ts";
import type { EventHub } from "../../runtime/events.ts";
import type { RunId } from "../../runtime/ids.ts";
import { PassivationGroup } from "../../runtime/kernel/passivation.ts";
import type { ReplyTo } from "../../runtime/kernel/reference.ts";
import { ActorSystem } from "../../runtime/kernel/system.ts";
import { LimitWatch } from "../../runtime/limit-watch.ts";
import { LIMITS } from "../../runtime/limits.ts";
import type { Random } from "../../runtime/random.ts";
import type { Journal } from "../../runtime/storage/journal.ts";
import { pause } from "../../runtime/storage/pause.ts";
import { ShardSet } from "../../runtime/storage/shard-set.ts";
import type { TaskLedger } from "../../runtime/storage/task-ledger.ts";
import type { WorkerPool } from "../../runtime/workers/pool.ts";
import type { ExternalEvaluator } from "../language/expression.ts";
import type { Workflow } from "../language/model.ts";
import type { Runs } from "../runs.ts";
import { TimerService } from "../timers/timer-service.ts";
import { Admission, type AdmissionBounds } from "./admission.ts";
import type { RunCommand } from "./core/command.ts";
import { Dispatcher } from "./dispatcher.ts";
import { LocalRuns } from "./local-runs.ts";
import { markQuarantinedRuns } from "./quarantine.ts";
import { RecentRuns } from "./recent-runs.ts";
import { recoverRuns } from "./recovery.ts";
import { Region } from "./region.ts";
import { Residents } from "./residents.ts";
import { RunHub } from "./run-hub.ts";
import type { RunMessage } from "./run-message.ts";
import type { RunServices } from "./run-services.ts";
import { WakeAuditor } from "./wake-auditor.ts";

const DEFAULT_IDLE_MS = 10_000;
/** All shards: one node owns them as long as there is no cluster. */
const ALL_SHARDS = ShardSet.all;
const RESUME: RunMessage = { kind: "command", command: { kind: "resume" }, replyTo: undefined };

/** What the runs of a node are made from. */
export interface OpenRunsOptions {
  readonly nodeName: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly events: EventHub;
  readonly journal: Journal;
  readonly ledger: TaskLedger;
  readonly pool: WorkerPool;
  readonly evaluator: ExternalEvaluator;
  /** A run that did nothing for this many milliseconds leaves memory, if it only waits. Default 10,000. */
  readonly idleMs?: number;
  /** How many starts may wait, and runs be under way. Default: those of {@link LIMITS}. Only tests pass others. */
  readonly admissionBounds?: AdmissionBounds | undefined;
  /** The previous owner of these runs ended without giving them up: it may have been ended by one of their attempts. */
  readonly isAfterLoss: boolean;
  /** The compiled workflow of a version. @throws WORKFLOW_NOT_FOUND */
  workflow(workflowId: string): Promise<Workflow>;
  /** This boot may not write any more: the node has to stop. */
  onFenced(): void;
  /** Something failed that is tried again; for the log. */
  onTrouble(what: string, error: unknown): void;
}

/** The runs of a node, open. */
export interface OpenRuns {
  readonly runs: Runs;
  readonly system: ActorSystem;
  readonly auditor: WakeAuditor;
  /** Runs with work under way; at most `LIMITS.activeRuns`. */
  readonly activeCount: number;
  /** True if, at the close, there were runs that had not stored yet that their attempts went down with the previous owner. */
  readonly isAdopting: boolean;
  /** Takes no new runs from now on; those that exist go on. */
  stopStarting(): void;
  /** Stops the actors after their commits. What was under way goes on at the next start. */
  close(): Promise<void>;
}

/** Opens the runs: recovers what has work ready, reads the timers, and starts the auditor. */
export async function openRuns(options: OpenRunsOptions): Promise<OpenRuns> {
  const { clock, random, events, journal, onTrouble } = options;
  const system = new ActorSystem({
    name: options.nodeName,
    clock,
    random,
    events,
    onEscalated: (path, error) => onTrouble(`actor ${path} failed`, error),
  });
  const parts = assemble(options, system);
  const { region, timers, auditor, runs, dispatcher, hub, residents, bereft } = parts;
  const onFailed = (runId: RunId, error: unknown): void => onTrouble(`run ${runId} could not be marked as quarantined`, error);
  const unmark = markQuarantinedRuns({ events, journal, hub, clock, onFailed });

  const startedMs = clock.monotonic();
  const count = await recoverRuns(journal, ALL_SHARDS, (runId) => {
    if (options.isAfterLoss) bereft.add(runId);
    region.tell(runId, RESUME);
  });
  events.emit("run.recovered", { count, durationMs: clock.monotonic() - startedMs });
  let isAdopting = bereft.size > 0;
  await timers.start();
  auditor.start();

  return {
    ...{ runs, system, auditor },
    get activeCount() {
      return residents.activeCount;
    },
    get isAdopting() {
      return isAdopting;
    },
    stopStarting: () => runs.stopStarting(),
    async close() {
      runs.stopStarting();
      auditor.stop();
      timers.stop();
      dispatcher.close();
      unmark();
      await journal.flush();
      const quarantined = new Set(system.quarantined().map(({ path }) => path.slice(path.lastIndexOf("/") + 1)));
      isAdopting = [...bereft].some((runId) => !quarantined.has(runId));
      await system.stop();
    },
  };
}

interface Parts {
  readonly region: Region;
  readonly dispatcher: Dispatcher;
  readonly hub: RunHub;
  readonly timers: TimerService;
  readonly auditor: WakeAuditor;
  readonly runs: LocalRuns;
  readonly residents: Residents;
  readonly bereft: Set<RunId>;
}

/** The parts refer to each other through messages to runs only. */
function assemble(options: OpenRunsOptions, system: ActorSystem): Parts {
  const { clock, random, events, journal, ledger, pool, evaluator, onTrouble, idleMs = DEFAULT_IDLE_MS } = options;
  const command = (runId: RunId, message: RunCommand): boolean =>
    region.tell(runId, { kind: "command", command: message, replyTo: undefined }) === "accepted";
  const hub = new RunHub();
  const dispatcher = new Dispatcher({
    ...{ pool, ledger, clock },
    settle: (runId, frame, attempt, outcome) => {
      admission.taskEnded();
      command(runId, { kind: "attemptEnded", frame, attempt, outcome });
    },
    isolate: (runId, frame, attempt, answer) => {
      const replyTo: ReplyTo<void> = { reply: () => answer(undefined), fail: (error) => answer(toMaestroError(error)) };
      const delivery = region.tell(runId, { kind: "command", command: { kind: "isolate", frame, attempt }, replyTo });
      if (delivery !== "accepted")
        answer(new MaestroError("MAILBOX_FULL", { facts: { actor: `The shard of run ${runId}`, queued: LIMITS.mailboxLength } }));
    },
  });
  const timers = new TimerService({
    ...{ clock, journal },
    shards: ALL_SHARDS,
    fire: (runId, timer) => command(runId, { kind: "timerFired", timer }),
    onReadFailed: (error) => onTrouble("the timers could not be read", error),
  });
  const residents = new Residents();
  const admission = new Admission({
    clock,
    bounds: options.admissionBounds,
    activeCount: () => residents.activeCount,
    load: () => {
      const { active, queued } = pool.state;
      return { runs: residents.activeCount, writesWait: journal.pressure().queuedWrites > 0, tasksActive: active, tasksQueued: queued };
    },
    admit: () => runs.admit(),
  });
  const services: RunServices = {
    ...{ clock, random, events, journal, evaluator, dispatcher, timers },
    hub,
    limits: new LimitWatch(clock, events),
    residents,
    admission,
    recent: new RecentRuns(),
    bereft: new Set(),
    workflow: options.workflow,
    retryOf: (handler) => pool.handlers.get(handler)?.options.retry,
    onFenced: options.onFenced,
    pause: (durationMs) => pause(durationMs, clock),
  };
  const region = new Region({ system, services, passivation: new PassivationGroup({ clock, idleMs, maxResident: LIMITS.residentRuns }) });
  const auditor = new WakeAuditor({
    ...{ clock, events, journal },
    shards: ALL_SHARDS,
    isResident: (runId) => residents.has(runId),
    wake: (runId) => void command(runId, { kind: "resume" }),
    onAuditFailed: (error) => onTrouble("the wake-up audit failed", error),
  });
  const runs = new LocalRuns(services, region);
  return { region, dispatcher, hub, timers, auditor, runs, residents, bereft: services.bereft };
}
