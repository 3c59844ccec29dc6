/**
 * The composition root: builds one node out of its configuration, as named stages that start forward and stop backward. The only place that
 * knows all parts. Everything of a node hangs on what this returns, so two nodes fit in one process. It never ends the process.
 */
import type { Runs } from "../actors/runs.ts";
import type { ClusterHearsay } from "../gateway/service/cluster-service.ts";
import { type Clock, systemClock } from "../runtime/clock.ts";
import { messageOf } from "../runtime/errors.ts";
import { EventHub } from "../runtime/events.ts";
import { type BootId, newBootId } from "../runtime/ids.ts";
import { type Random, systemRandom } from "../runtime/random.ts";
import { type ClusterQueue, queuesOfOne } from "../runtime/workers/queue-load.ts";
import { type Config, printableConfig } from "./config.ts";
import { Lifecycle, type LifecycleObserver, type Stage } from "./lifecycle.ts";
import { NodeCluster, type NodeClusterOptions } from "./node-cluster.ts";
import { NodeGateway } from "./node-gateway.ts";
import { addNodeGauges } from "./node-gauges.ts";
import { NodeHealth } from "./node-health.ts";
import { NodeRuns } from "./node-runs.ts";
import { NodeStorage } from "./node-storage.ts";
import { NodeTelemetry } from "./node-telemetry.ts";
import type { NodeLog } from "./pino-logging.ts";

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
  readonly #log: NodeLog;
  readonly #telemetry: NodeTelemetry;
  readonly #health: NodeHealth;
  readonly #storage: NodeStorage;
  readonly #runs: NodeRuns;
  readonly #cluster: NodeCluster | undefined;
  readonly #gateway: NodeGateway;
  readonly #lifecycle: Lifecycle;
  #stopReason: StopReason = "asked";
  #stopping: Promise<void> | undefined;
  #resolveStopped: (reason: StopReason) => void = () => undefined;

  constructor({ config, prettyLog, hurried = new AbortController().signal, clock = systemClock(), random = systemRandom() }: NodeOptions) {
    this.#config = config;
    this.#clock = clock;
    this.bootId = newBootId(random);
    this.stopped = new Promise((resolve) => {
      this.#resolveStopped = resolve;
    });
    const { bootId, events } = this;
    // Whoever read along has gone, and may have taken the node for ended: as with a closed terminal, it does not go on unseen.
    this.#telemetry = new NodeTelemetry({ config, bootId, prettyLog, clock, events, onLogLost: () => this.stopSoon() });
    this.#log = this.#telemetry.log;
    hurried.addEventListener("abort", () => this.#log.warn({}, "the node stops without waiting for calls, tasks and other nodes"), { once: true });
    const onTrouble = (what: string, error: unknown): void => this.#log.warn({ problem: messageOf(error) }, what);
    const shared = { config, bootId, clock, random, hurried, events, onTrouble, onLost: () => this.#fence() };
    const storage = new NodeStorage(shared);
    const runs = new NodeRuns({ ...shared, storage, poolOf: (local) => this.#cluster?.poolOf(local) ?? local });
    this.#cluster = this.#clusterOf({ ...shared, storage, runs });
    const hearsay: ClusterHearsay = { queues: () => this.#queues(), silenceMsOf: (peer) => this.#cluster?.silenceMsOf(peer) };
    this.#gateway = new NodeGateway({ ...shared, storage, executing: runs, runs: () => this.runs, hearsay });
    [this.#storage, this.#runs] = [storage, runs];
    const stages = this.#stages();
    // The ops server asks for it, the gateway's health service is told: both say the same.
    const onChange = (isReady: boolean): void => this.#gateway.setServing(isReady);
    this.#health = new NodeHealth({ stages: stages.map((stage) => stage.name), events, clock, onChange });
    const all = [this.#telemetry.stage(), this.#telemetry.opsStage(this.#health.readiness), ...stages];
    this.#lifecycle = new Lifecycle(all, clock, this.#observer());
  }

  get grpcAddress(): string {
    return this.#gateway.address;
  }

  get opsPort(): number {
    return this.#telemetry.opsPort;
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

  /** Stops without anyone to wait for it. */
  stopSoon(): void {
    this.stop().catch((error: unknown) => this.#log.error({ problem: messageOf(error) }, "the node could not be stopped in order"));
  }

  #clusterOf(options: Omit<NodeClusterOptions, "config">): NodeCluster | undefined {
    const { natsUrl } = this.#config;
    return natsUrl === undefined ? undefined : new NodeCluster({ ...options, config: { ...this.#config, natsUrl } });
  }

  #queues(): readonly ClusterQueue[] {
    return this.#cluster?.exchange.queues() ?? queuesOfOne(this.bootId, this.#runs.pool);
  }

  /** In order of their start. */
  #stages(): readonly Stage[] {
    const [storage, runs, cluster] = [this.#storage.stages(), this.#runs.stages(), this.#cluster];
    const gateway = this.#config.roles.includes("gateway") ? [this.#gateway.stage()] : [];
    if (cluster === undefined) return [...storage, ...runs, ...gateway];
    return [...storage, cluster.busStage(), ...runs, cluster.clusterStage(), ...gateway, cluster.drainStage()];
  }

  #observer(): LifecycleObserver {
    const ms = Math.round;
    return {
      stageStarted: (stage, durationMs) => {
        this.#health.stageStarted(stage);
        if (stage === "tasks") this.#addGauges();
        this.#log.debug({ stage, durationMs: ms(durationMs) }, "a stage started");
      },
      stageStopped: (stage, durationMs) => this.#log.debug({ stage, durationMs: ms(durationMs) }, "a stage stopped"),
      stageFailedToStop: (stage, error) => this.#log.error({ stage, problem: messageOf(error) }, "a stage could not be stopped in order"),
    };
  }

  #addGauges(): void {
    const [gateway, runs, storage] = [this.#gateway, this.#runs, this.#storage];
    addNodeGauges(this.#telemetry.metrics, { gateway, runs, storage, lanes: this.#config.lanes });
  }

  /** Another boot writes now. Nothing is lost, and there is nothing left to do here. */
  #fence(): void {
    if (this.#stopReason === "fenced") return;
    this.#stopReason = "fenced";
    this.#log.error({}, "another boot took over the runs of this node: it stops");
    this.#cluster?.lose();
    this.stopSoon();
  }

  async #stop(): Promise<void> {
    this.#health.stopping();
    this.#log.info({ reason: this.#stopReason }, "the node stops");
    await this.#lifecycle.stop();
    this.#resolveStopped(this.#stopReason);
  }
}
