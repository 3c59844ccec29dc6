/**
 * The composition root: builds one node out of its configuration, as named stages that start forward and stop backward. The only place that
 * knows all parts. Everything of a node hangs on what this returns, so two nodes fit in one process. It never ends the process.
 */
import type { Runs } from "../actors/runs.ts";
import { GrpcServer } from "../gateway/grpc-server.ts";
import { ClusterService } from "../gateway/service/cluster-service.ts";
import { EventService } from "../gateway/service/event-service.ts";
import { RunService } from "../gateway/service/run-service.ts";
import { WorkflowDirectory } from "../gateway/service/workflow-directory.ts";
import { WorkflowFilter } from "../gateway/service/workflow-filter.ts";
import { WorkflowService } from "../gateway/service/workflow-service.ts";
import { type Clock, systemClock } from "../runtime/clock.ts";
import { messageOf } from "../runtime/errors.ts";
import { EventHub } from "../runtime/events.ts";
import { type BootId, newBootId } from "../runtime/ids.ts";
import { LimitWatch } from "../runtime/limit-watch.ts";
import { type Random, systemRandom } from "../runtime/random.ts";
import { boundOf, type WatchedLimit } from "../runtime/watched-limits.ts";
import { CommitWatch } from "./commit-watch.ts";
import { type Config, printableConfig } from "./config.ts";
import { Lifecycle, type Stage } from "./lifecycle.ts";
import { MemoryTrimmer, processMemory } from "./memory-trimmer.ts";
import { countActivity } from "./node-activity.ts";
import { NodeCluster, type NodeClusterOptions } from "./node-cluster.ts";
import { NodeRuns } from "./node-runs.ts";
import { NodeStorage } from "./node-storage.ts";
import { type OpsServer, openOpsServer } from "./ops-server.ts";
import { logEvents, type NodeLog, openLog } from "./pino-logging.ts";
import { type NodeMetrics, openMetrics } from "./prom-metrics.ts";
import { Readiness } from "./readiness.ts";

/** Time that calls under way get when the node stops. */
const CALL_GRACE_MS = 3_000;

/** Name of the check that commits get through. */
const JOURNAL = "journal";

/** Why a node stopped: somebody asked, or another boot took its place. */
export type StopReason = "asked" | "fenced";

/** What a node is made from. */
export interface NodeOptions {
  readonly config: Config;
  /** Coloured text on the standard output instead of JSON. */
  readonly prettyLog: boolean;
  /** Aborting stops the node, also while it starts. */
  readonly signal?: AbortSignal;
  /** Aborting has a stop wait for nothing that others can do instead: hand-over, calls, tasks. What was acknowledged is kept all the same. */
  readonly hurried?: AbortSignal;
  /** Default: the machine's. */
  readonly clock?: Clock;
  /** Default: the operating system's. */
  readonly random?: Random;
}

/** A node that is ready. */
export interface RunningNode {
  readonly bootId: BootId;
  /** `host:port` of the gRPC gateway. */
  readonly grpcAddress: string;
  readonly opsPort: number;
  readonly runs: Runs;
  /** Shards whose runs are served here now. */
  readonly ownedShards: number;
  readonly events: EventHub;
  /** Resolves once the node has stopped, whoever asked. */
  readonly stopped: Promise<StopReason>;
  /** Stops: takes no new work, lets calls and tasks under way end, commits, releases its runs. A second call waits for the first. */
  stop(): Promise<void>;
}

/** Starts a node; resolves when it is ready. @throws what a stage throws, or NODE_STOPPING, after everything was stopped again. */
export async function startNode(options: NodeOptions): Promise<RunningNode> {
  const node = new Node(options);
  options.signal?.addEventListener("abort", () => node.stopSoon(), { once: true });
  await node.start();
  return node;
}

class Node implements RunningNode {
  readonly bootId: BootId;
  readonly events = new EventHub();
  readonly stopped: Promise<StopReason>;
  readonly #config: Config;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #hurried: AbortSignal;
  readonly #log: NodeLog;
  readonly #readiness: Readiness;
  readonly #storage: NodeStorage;
  readonly #runs: NodeRuns;
  readonly #cluster: NodeCluster | undefined;
  readonly #lifecycle: Lifecycle;
  #metrics: NodeMetrics | undefined;
  #opsServer: OpsServer | undefined;
  #gateway: GrpcServer | undefined;
  #stopReason: StopReason = "asked";
  #stopping: Promise<void> | undefined;
  #resolveStopped: (reason: StopReason) => void = () => undefined;

  constructor({ config, prettyLog, hurried = new AbortController().signal, clock = systemClock(), random = systemRandom() }: NodeOptions) {
    this.#config = config;
    this.#clock = clock;
    this.#random = random;
    this.bootId = newBootId(random);
    this.stopped = new Promise((resolve) => {
      this.#resolveStopped = resolve;
    });
    const base = { node: config.nodeName, boot: this.bootId };
    this.#log = openLog({ level: config.logLevel, pretty: prettyLog, file: config.logFile, base, now: () => clock.now() });
    this.#hurried = hurried;
    hurried.addEventListener("abort", () => this.#log.warn({}, "the node stops without waiting for calls, tasks and other nodes"), { once: true });
    const shared = { config, clock, random, hurried, events: this.events, onLost: () => this.#fence() };
    this.#storage = new NodeStorage({ ...shared, bootId: this.bootId });
    const onTrouble = (what: string, error: unknown): void => this.#log.warn({ problem: messageOf(error) }, what);
    this.#runs = new NodeRuns({ ...shared, bootId: this.bootId, storage: this.#storage, onTrouble });
    this.#cluster = this.#clusterOf({ ...shared, storage: this.#storage, runs: this.#runs, bootId: this.bootId, onTrouble });
    const stages = this.#stages();
    const names = [...stages.map((stage) => stage.name), JOURNAL];
    // The ops server asks for it, the gateway's health service is told: both say the same.
    this.#readiness = new Readiness(names, (isReady) => this.#gateway?.setServing(isReady));
    this.#lifecycle = new Lifecycle([this.#telemetryStage(), this.#opsStage(), ...stages], clock, {
      stageStarted: (stage, durationMs) => this.#stageStarted(stage, durationMs),
      stageStopped: (stage, durationMs) => this.#log.debug({ stage, durationMs: Math.round(durationMs) }, "a stage stopped"),
      stageFailedToStop: (stage, error) => this.#log.error({ stage, problem: messageOf(error) }, "a stage could not be stopped in order"),
    });
  }

  get grpcAddress(): string {
    return this.#gateway?.address ?? "";
  }

  get opsPort(): number {
    return this.#opsServer?.port ?? 0;
  }

  get runs(): Runs {
    return this.#cluster?.runs ?? this.#runs.open.runs;
  }

  get ownedShards(): number {
    return this.#runs.open.gate.size;
  }

  async start(): Promise<void> {
    this.#log.info({ config: printableConfig(this.#config) }, "the node starts");
    const startedAtMs = this.#clock.monotonic();
    await this.#lifecycle.start();
    const durationMs = Math.round(this.#clock.monotonic() - startedAtMs);
    this.#log.info({ grpc: this.grpcAddress, opsPort: this.opsPort, durationMs }, "the node is ready");
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  #clusterOf(options: Omit<NodeClusterOptions, "config">): NodeCluster | undefined {
    const { natsUrl } = this.#config;
    return natsUrl === undefined ? undefined : new NodeCluster({ ...options, config: { ...this.#config, natsUrl } });
  }

  /** In order of their start. */
  #stages(): readonly Stage[] {
    const [storage, runs, gateway, cluster] = [this.#storage.stages(), this.#runs.stages(), this.#gatewayStage(), this.#cluster];
    if (cluster === undefined) return [...storage, ...runs, gateway];
    return [...storage, cluster.busStage(), ...runs, cluster.clusterStage(), gateway, cluster.drainStage()];
  }

  /** Stops without anyone to wait for it. */
  stopSoon(): void {
    this.stop().catch((error: unknown) => this.#log.error({ problem: messageOf(error) }, "the node could not be stopped in order"));
  }

  /** Another boot writes now. Nothing is lost, and there is nothing left to do here. */
  #fence(): void {
    if (this.#stopReason === "fenced") return;
    this.#stopReason = "fenced";
    this.#log.error({}, "another boot took over the runs of this node: it stops");
    this.stopSoon();
  }

  #addGauges(gateway: GrpcServer): void {
    const { system } = this.#runs.open;
    this.#metrics?.addGauge("maestro_actors", "Actors in memory.", () => system.size);
    this.#metrics?.addGauge("maestro_actors_quarantined", "Actors that are set aside now.", () => system.quarantined().length);
    this.#metrics?.addGauge("maestro_actor_pending_replies", "Asks that await their answer.", () => system.pendingReplies);
    this.#metrics?.addGauge("maestro_grpc_waiting_calls", "Calls that wait for something: watches, executions.", () => gateway.waitingCalls);
    this.#metrics?.addGauge("maestro_events_waiting", "Events in memory, not acknowledged.", () => this.#runs.events.publisher?.backlog ?? 0);
    this.#addUsages();
  }

  #addUsages(): void {
    const { journal } = this.#storage;
    const { open, pool } = this.#runs;
    const { lanes } = this.#config;
    const add = (limit: WatchedLimit, read: () => number, places = 1): void =>
      this.#metrics?.addUsage(limit, () => read() / (boundOf(limit) * places));
    add("activeRuns", () => open.activeCount);
    add("pendingReplies", () => open.system.pendingReplies);
    add("taskQueueLength", () => pool.state.queued);
    add("laneQueueWrites", () => journal.pressure().queuedWrites, lanes);
    add("laneQueueBytes", () => journal.pressure().queuedBytes, lanes);
  }

  async #stop(): Promise<void> {
    for (const { name } of this.#readiness.checks()) this.#readiness.notReady(name, "the node is stopping");
    this.#log.info({ reason: this.#stopReason }, "the node stops");
    await this.#lifecycle.stop();
    this.#resolveStopped(this.#stopReason);
  }

  #stageStarted(stage: string, durationMs: number): void {
    if (this.#readiness.checks().some((check) => check.name === stage)) this.#readiness.ready(stage);
    if (stage === "stores") this.#readiness.ready(JOURNAL);
    this.#log.debug({ stage, durationMs: Math.round(durationMs) }, "a stage started");
  }

  #telemetryStage(): Stage {
    let stopLogging = (): void => undefined;
    let trimmer: MemoryTrimmer | undefined;
    return {
      name: "telemetry",
      start: () => {
        this.#metrics = openMetrics(this.events, this.#config.nodeName);
        stopLogging = logEvents(this.events, this.#log, this.#config.logLevel);
        this.#watchDatabase();
        trimmer = this.#trimMemory();
      },
      stop: () => {
        trimmer?.close();
        stopLogging();
        this.#metrics?.close();
        this.#log.info({}, "the node has stopped");
        this.#log.close();
      },
    };
  }

  #trimMemory(): MemoryTrimmer {
    const onTrimmed = (freedBytes: number, durationMs: number): void =>
      this.#log.debug({ freedBytes, durationMs: Math.round(durationMs) }, "memory was given back");
    return new MemoryTrimmer({ events: this.events, clock: this.#clock, memory: processMemory(), onTrimmed });
  }

  #watchDatabase(): void {
    const report = (name: string, reason = ""): void => {
      if (this.#stopping !== undefined) return;
      if (reason === "") this.#readiness.ready(name);
      else this.#readiness.notReady(name, reason);
    };
    this.events.on("database.exited", ({ reason }) => report("database", reason));
    this.events.on("lease.failed", ({ reason }) => report("database", reason));
    this.events.on("lease.renewed", () => report("database"));
    const onStalled = (reason: string): void => report(JOURNAL, reason);
    new CommitWatch({ events: this.events, clock: this.#clock, onStalled, onRecovered: () => report(JOURNAL) });
  }

  #opsStage(): Stage {
    return {
      name: "ops server",
      start: async () => {
        const { opsHost: host, opsPort: port } = this.#config;
        const metrics = this.#metrics;
        if (metrics === undefined) throw new Error("telemetry starts before the ops server");
        this.#opsServer = await openOpsServer({ host, port, readiness: this.#readiness, metrics: () => metrics.page() });
      },
      stop: () => this.#opsServer?.close(),
    };
  }

  #gatewayStage(): Stage {
    return {
      name: "gateway",
      start: async () => {
        const clock = this.#clock;
        const { documents } = this.#storage;
        const directory = new WorkflowDirectory(documents);
        const runs = new RunService({ runs: this.runs, directory, filter: new WorkflowFilter(documents) });
        const compile = (text: string) => this.#runs.compile(text);
        const workflows = new WorkflowService({
          documents,
          directory,
          compile,
          clock,
          limits: new LimitWatch(clock, this.events),
          random: this.#random,
        });
        const { grpcHost: host, grpcPort: port } = this.#config;
        const activity = countActivity(this.bootId, this.events, () => this.#runs.open.activeCount);
        const [cluster, eventService] = [new ClusterService(this.#storage.ownership, activity), new EventService(this.#runs.events.reader)];
        this.#gateway = new GrpcServer({ runs, workflows, cluster, eventService, clock, events: this.events, host, port });
        await this.#storage.ownership.announce(this.bootId, { grpcAddress: await this.#gateway.start() });
        this.#addGauges(this.#gateway);
      },
      stop: () => this.#gateway?.drain(CALL_GRACE_MS, this.#hurried),
    };
  }
}
