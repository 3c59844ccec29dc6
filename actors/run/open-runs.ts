/**
 * Puts the runs of a node together: actors, timers, dispatcher, auditor, recovery. The composition root opens it when journal and worker pool are
 * there, and closes it first.
 */
import type { Clock } from "../../runtime/clock.ts";
import { MaestroError, toMaestroError } from "../../runtime/errors.ts";
import type { EventHub } from "../../runtime/events.ts";
import type { BootId, RunId, Shard } from "../../runtime/ids.ts";
import { PassivationGroup } from "../../runtime/kernel/passivation.ts";
import type { ReplyTo } from "../../runtime/kernel/reference.ts";
import { platformScheduler, type Scheduler } from "../../runtime/kernel/scheduler.ts";
import { ActorSystem } from "../../runtime/kernel/system.ts";
import { LimitWatch } from "../../runtime/limit-watch.ts";
import { LIMITS } from "../../runtime/limits.ts";
import type { Random } from "../../runtime/random.ts";
import type { HeldShards } from "../../runtime/storage/held-shards.ts";
import type { Journal } from "../../runtime/storage/journal.ts";
import { pause } from "../../runtime/storage/pause.ts";
import type { ShardSet } from "../../runtime/storage/shard-set.ts";
import type { TaskLedger } from "../../runtime/storage/task-ledger.ts";
import type { TaskSlots } from "../../runtime/storage/task-slots.ts";
import type { WorkerPool } from "../../runtime/workers/pool.ts";
import type { EventOutlet } from "../events/event-publisher.ts";
import type { ExternalEvaluator } from "../language/expression.ts";
import type { Workflow } from "../language/model.ts";
import { TimerService } from "../timers/timer-service.ts";
import type { NodeLoad } from "./active-limit.ts";
import { Admission, type AdmissionBounds } from "./admission.ts";
import { BereftRuns } from "./bereft-runs.ts";
import { ConcurrencySlots } from "./concurrency-slots.ts";
import type { RunCommand } from "./core/command.ts";
import { Dispatcher } from "./dispatcher.ts";
import { LocalRuns } from "./local-runs.ts";
import { NewerRuns } from "./newer-runs.ts";
import { markQuarantinedRuns } from "./quarantine.ts";
import { RecentRuns } from "./recent-runs.ts";
import { Region } from "./region.ts";
import { Residents } from "./residents.ts";
import { RunHub } from "./run-hub.ts";
import type { RunServices } from "./run-services.ts";
import { ShardGate } from "./shard-gate.ts";
import { ShardKeeper } from "./shard-keeper.ts";
import { SlotReclaimer } from "./slot-reclaimer.ts";
import { WakeAuditor } from "./wake-auditor.ts";

const DEFAULT_IDLE_MS = 10_000;

/** What the runs of a node are made from. */
export interface OpenRunsOptions {
  readonly nodeName: string;
  readonly clock: Clock;
  readonly random: Random;
  /** How turns get onto the thread. Default: the platform's. */
  readonly scheduler?: Scheduler;
  readonly events: EventHub;
  readonly journal: Journal;
  readonly ledger: TaskLedger;
  readonly pool: WorkerPool;
  readonly bootId: BootId;
  /** The store of slots of concurrency keys. Closed by who opened it. */
  readonly taskSlots: TaskSlots;
  readonly evaluator: ExternalEvaluator;
  /** A run that did nothing for this many milliseconds leaves memory, if it only waits. Default 10,000. */
  readonly idleMs?: number;
  /** How many starts may wait, and runs be under way. Default: those of {@link LIMITS}. Only tests pass others. */
  readonly admissionBounds?: AdmissionBounds | undefined;
  /** The shards that the journal writes; those that it holds now are opened at once. */
  readonly held: Pick<HeldShards, "open" | "close" | "epochOf" | "epochsOf">;
  /** Those of them whose owner before ended without giving them up: it may have been ended by one of their attempts. */
  readonly bereft: ShardSet;
  /** Where events go. Default: nowhere. */
  readonly outlet?: EventOutlet | undefined;
  /** The compiled workflow of a version. @throws WORKFLOW_NOT_FOUND */
  workflow(workflowId: string): Promise<Workflow>;
  /** This boot may not write any more: the node has to stop. */
  onFenced(): void;
  /** Something failed that is tried again; for the log. */
  onTrouble(what: string, error: unknown): void;
}

/** The runs of a node, open. */
export interface OpenRuns {
  readonly runs: LocalRuns;
  readonly gate: ShardGate;
  readonly system: ActorSystem;
  readonly auditor: WakeAuditor;
  /** Slots of concurrency keys, and what waits for them. */
  readonly slots: ConcurrencySlots;
  /** Runs that wait for a node of a newer version to own them, which alone can read them. */
  readonly leftToNewer: number;
  /** Runs with work under way; at most `LIMITS.activeRuns`. */
  readonly activeCount: number;
  /** The share of what the node can carry now that is under way: 0 idle, 1 full. */
  readonly fullness: number;
  /** True if, at the close, there were runs that had not stored yet that their attempts went down with the previous owner. */
  readonly isAdopting: boolean;
  /**
   * The node owns more shards from now on: calls for their runs are served at once. Resolves when those with work ready are in memory. `bereft`: those
   * of them whose last owner ended without handing them over.
   */
  openShards(shards: ShardSet, bereft: ShardSet): Promise<void>;
  /**
   * Hands shards over; see {@link ShardKeeper.close}. Resolves when nothing of them is in memory or on its way. Answers those whose next owner must be told
   * that they were lost before.
   */
  closeShards(shards: Iterable<Shard>): Promise<ShardSet>;
  /** Takes no new runs from now on; those that exist go on. */
  stopStarting(): void;
  /** Stops the actors after their commits. What was under way goes on at the next start. */
  close(): Promise<void>;
}

/** Opens the runs: recovers what has work ready, reads the timers, and starts the auditor. */
export async function openRuns(options: OpenRunsOptions): Promise<OpenRuns> {
  const { clock, random, events, journal, onTrouble, scheduler = platformScheduler() } = options;
  const system = new ActorSystem({
    ...{ name: options.nodeName, clock, random, events, scheduler },
    onEscalated: (path, error) => onTrouble(`actor ${path} failed`, error),
  });
  const parts = assemble(options, system, scheduler);
  const { timers, auditor, runs, dispatcher, slots, reclaimer, keeper, services } = parts;
  const { hub, residents, bereft, gate } = services;
  const onFailed = (runId: RunId, error: unknown): void => onTrouble(`run ${runId} could not be marked as quarantined`, error);
  const unmark = markQuarantinedRuns({ events, journal, hub, clock, onFailed });

  await keeper.open(options.held.open, options.bereft);
  let isAdopting = bereft.hasMoreThan(new Set());
  await timers.start();
  auditor.start();
  reclaimer.start();

  return {
    ...{ runs, system, auditor, gate, slots },
    get activeCount() {
      return residents.activeCount;
    },
    get leftToNewer() {
      return services.newer.size;
    },
    get fullness() {
      return services.admission.fullness;
    },
    get isAdopting() {
      return isAdopting;
    },
    openShards: (shards, lost) => keeper.open(shards, lost),
    closeShards: (shards) => keeper.close(shards),
    stopStarting: () => runs.stopStarting(),
    async close() {
      runs.stopStarting();
      keeper.stop();
      auditor.stop();
      timers.stop();
      dispatcher.close();
      unmark();
      await reclaimer.stop();
      await journal.flush();
      const quarantined = quarantinedIn(system);
      isAdopting = bereft.hasMoreThan(quarantined) || keeper.isOwing;
      await system.stop();
      await slots.close();
    },
  };
}

interface Parts {
  readonly dispatcher: Dispatcher;
  readonly slots: ConcurrencySlots;
  readonly reclaimer: SlotReclaimer;
  readonly timers: TimerService;
  readonly auditor: WakeAuditor;
  readonly runs: LocalRuns;
  readonly keeper: ShardKeeper;
  readonly services: RunServices;
}

/** The parts refer to each other through messages to runs only. */
function assemble(options: OpenRunsOptions, system: ActorSystem, scheduler: Scheduler): Parts {
  const { clock, random, events, held, journal, ledger, pool, evaluator, onTrouble, idleMs = DEFAULT_IDLE_MS } = options;
  const command = (runId: RunId, message: RunCommand): boolean =>
    region.tell(runId, { kind: "command", command: message, replyTo: undefined }) === "accepted";
  const hub = new RunHub();
  const gate = new ShardGate();
  const slots = new ConcurrencySlots({ ...{ clock, random, events, held, onTrouble }, store: options.taskSlots, bootId: options.bootId });
  const dispatcher = new Dispatcher({
    ...{ pool, ledger, clock, slots, onTrouble },
    shards: gate.served,
    settle: (runId, frame, attempt, outcome) => {
      admission.taskEnded();
      command(runId, { kind: "attemptEnded", frame, attempt, outcome });
    },
    isolate: (runId, frame, attempt, answer) => isolate(region, runId, { kind: "isolate", frame, attempt }, answer),
  });
  const timers = new TimerService({
    ...{ clock, journal },
    shards: gate.served,
    fire: (runId, timer) => command(runId, { kind: "timerFired", timer }),
    onReadFailed: (error) => onTrouble("the timers could not be read", error),
  });
  const residents = new Residents();
  const admission = new Admission({
    ...{ clock, scheduler },
    bounds: options.admissionBounds,
    activeCount: () => residents.activeCount,
    load: () => loadOf(residents, options),
    admit: (chosen) => runs.admit(chosen),
  });
  const services: RunServices = {
    ...{ clock, random, events, journal, evaluator, dispatcher, timers },
    ...{ hub, gate },
    limits: new LimitWatch(clock, events),
    residents,
    admission,
    recent: new RecentRuns(),
    outlet: options.outlet,
    ...{ bereft: new BereftRuns(), newer: new NewerRuns(events) },
    workflow: options.workflow,
    retryOf: (handler) => pool.handlers.get(handler)?.options.retry,
    onFenced: options.onFenced,
    pause: (durationMs) => pause(durationMs, clock),
  };
  const region = new Region({ system, services, passivation: new PassivationGroup({ clock, idleMs, maxResident: LIMITS.residentRuns }) });
  const keeper = new ShardKeeper({
    ...{ ...options, gate, region, timers, dispatcher, hub, bereft: services.bereft, newer: services.newer },
    quarantined: () => quarantinedIn(system),
  });
  const auditor = new WakeAuditor({
    ...{ clock, events, journal },
    shards: keeper.recovered,
    ...{ isResident: (runId) => residents.has(runId), isLeftToNewer: (runId) => services.newer.has(runId) },
    wake: (runId) => void command(runId, { kind: "resume" }),
    onAuditFailed: (error) => onTrouble("the wake-up audit failed", error),
  });
  const reclaimer = reclaimerOf(options, keeper, dispatcher, slots);
  const runs = new LocalRuns(services, region);
  return { dispatcher, slots, reclaimer, timers, auditor, runs, keeper, services };
}

function reclaimerOf(options: OpenRunsOptions, keeper: ShardKeeper, dispatcher: Dispatcher, slots: ConcurrencySlots): SlotReclaimer {
  const { clock, random, taskSlots, onTrouble } = options;
  return new SlotReclaimer({
    ...{ clock, random, onTrouble },
    store: taskSlots,
    shards: keeper.recovered,
    isNeeded: (id) => dispatcher.needsSlot(id) || slots.willFree(id),
    reclaim: (left) => slots.reclaim(left),
  });
}

/** Tells a run that it is the turn of one of its attempts. */
function isolate(region: Region, runId: RunId, command: RunCommand, answer: (failure: MaestroError | undefined) => void): void {
  const replyTo: ReplyTo<void> = { reply: () => answer(undefined), fail: (error) => answer(toMaestroError(error)) };
  const delivery = region.tell(runId, { kind: "command", command, replyTo });
  if (delivery !== "accepted")
    answer(new MaestroError("MAILBOX_FULL", { facts: { actor: `The shard of run ${runId}`, queued: LIMITS.mailboxLength } }));
}

function loadOf(residents: Residents, { pool, journal }: OpenRunsOptions): NodeLoad {
  const { active, queued } = pool.state;
  return { runs: residents.activeCount, writesWait: journal.pressure().queuedWrites > 0, tasksActive: active, tasksQueued: queued };
}

/** Ids of the quarantined runs. */
function quarantinedIn(system: ActorSystem): ReadonlySet<string> {
  return new Set(system.quarantined().map(({ path }) => path.slice(path.lastIndexOf("/") + 1)));
}
