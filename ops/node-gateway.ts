/**
 * The gRPC gateway of a node as a stage: the services out of the node's parts, the server, and its address in the ownership table. It starts last of all
 * that serves calls.
 */
import { hostname } from "node:os";
import { awaitedSignals } from "../actors/language/awaited-signals.ts";
import type { Runs } from "../actors/runs.ts";
import { GrpcServer } from "../gateway/grpc-server.ts";
import { type ClusterHearsay, ClusterService } from "../gateway/service/cluster-service.ts";
import { EventService } from "../gateway/service/event-service.ts";
import { RunService } from "../gateway/service/run-service.ts";
import { WorkflowDirectory } from "../gateway/service/workflow-directory.ts";
import { WorkflowFilter } from "../gateway/service/workflow-filter.ts";
import { WorkflowService } from "../gateway/service/workflow-service.ts";
import type { Clock } from "../runtime/clock.ts";
import type { EventHub } from "../runtime/events.ts";
import type { BootId } from "../runtime/ids.ts";
import { LimitWatch } from "../runtime/limit-watch.ts";
import type { Random } from "../runtime/random.ts";
import { advertisedAddress } from "./advertised-address.ts";
import type { Config } from "./config.ts";
import type { Stage } from "./lifecycle.ts";
import { countActivity } from "./node-activity.ts";
import type { NodeRuns } from "./node-runs.ts";
import type { NodeStorage } from "./node-storage.ts";

/** Time that calls under way get when the node stops. */
const CALL_GRACE_MS = 3_000;

/** What the stage needs. */
export interface NodeGatewayOptions {
  readonly config: Config;
  readonly bootId: BootId;
  readonly clock: Clock;
  readonly random: Random;
  readonly events: EventHub;
  readonly storage: NodeStorage;
  readonly executing: NodeRuns;
  /** The runs that calls are about: those of the whole cluster, if there is one. They are there when the stage starts. */
  runs(): Runs;
  /** What the node has heard of its cluster. */
  readonly hearsay: ClusterHearsay;
  /** Aborted: calls under way get no time. */
  readonly hurried: AbortSignal;
}

/** The gateway of one boot. */
export class NodeGateway {
  readonly #options: NodeGatewayOptions;
  #server: GrpcServer | undefined;

  constructor(options: NodeGatewayOptions) {
    this.#options = options;
  }

  /** `host:port` that the server listens on; empty before the stage has started. */
  get address(): string {
    return this.#server?.address ?? "";
  }

  /** Calls that wait for something. */
  get waitingCalls(): number {
    return this.#server?.waitingCalls ?? 0;
  }

  /** Tells clients that ask for the gateway's health whether the node takes work. */
  setServing(isServing: boolean): void {
    this.#server?.setServing(isServing);
  }

  /** The stage. */
  stage(): Stage {
    return {
      name: "gateway",
      start: async () => {
        const { storage, bootId, config } = this.#options;
        this.#server = this.#build();
        const grpcAddress = advertisedAddress(await this.#server.start(), config.grpcAdvertise, hostname());
        await storage.ownership.announce(bootId, { grpcAddress });
      },
      stop: () => this.#server?.drain(CALL_GRACE_MS, this.#options.hurried),
    };
  }

  #build(): GrpcServer {
    const { config, bootId, clock, random, events, storage, executing, runs, hearsay } = this.#options;
    const { documents } = storage;
    const directory = new WorkflowDirectory(documents);
    const compile = (text: string) => executing.compile(text);
    const activity = countActivity(bootId, events, () => executing.open.activeCount);
    return new GrpcServer({
      runs: new RunService({
        ...{ runs: runs(), directory, filter: new WorkflowFilter(documents) },
        signalsOf: async (workflowId) => awaitedSignals(await executing.workflow(workflowId)),
      }),
      workflows: new WorkflowService({ documents, directory, compile, clock, limits: new LimitWatch(clock, events), random }),
      cluster: new ClusterService(storage.ownership, activity, hearsay),
      eventService: new EventService(executing.events.reader),
      ...{ clock, events, host: config.grpcHost, port: config.grpcPort },
    });
  }
}
