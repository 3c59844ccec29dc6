/**
 * The gRPC gateway of a node: the server with its services, its start, drain and stop. It owns the port and the calls, and nothing of what
 * they are about. States: created, serving, draining, stopped.
 */
import {
  logVerbosity,
  Server,
  ServerCredentials,
  ServerInterceptingCall,
  type ServerInterceptor,
  type ServerOptions,
  setLogVerbosity,
} from "@grpc/grpc-js";
import { ClusterServiceService } from "../proto/gen/maestro/v1/cluster_service.ts";
import { EventServiceService } from "../proto/gen/maestro/v1/event_service.ts";
import { RunServiceService } from "../proto/gen/maestro/v1/run_service.ts";
import { WorkflowServiceService } from "../proto/gen/maestro/v1/workflow_service.ts";
import type { Clock } from "../runtime/clock.ts";
import { MaestroError, messageOf } from "../runtime/errors.ts";
import type { EventHub } from "../runtime/events.ts";
import { LIMITS } from "../runtime/limits.ts";
import { formatAddress } from "./address.ts";
import { Connections } from "./connections.ts";
import { Calls } from "./grpc-calls.ts";
import { clusterHandlers } from "./grpc-cluster-service.ts";
import { withSafeDecoding } from "./grpc-codec.ts";
import { eventHandlers } from "./grpc-event-service.ts";
import { GrpcHealth } from "./grpc-health.ts";
import { addReflection } from "./grpc-reflection.ts";
import { runHandlers } from "./grpc-run-service.ts";
import { workflowHandlers } from "./grpc-workflow-service.ts";
import type { ClusterService } from "./service/cluster-service.ts";
import { EventService } from "./service/event-service.ts";
import type { RunService } from "./service/run-service.ts";
import type { WorkflowService } from "./service/workflow-service.ts";

/** What a gateway serves, and where. */
export interface GrpcServerOptions {
  readonly runs: RunService;
  readonly workflows: WorkflowService;
  readonly cluster: ClusterService;
  /** Default: there are no events. */
  readonly eventService?: EventService;
  readonly clock: Clock;
  readonly events: EventHub;
  /** Default: 127.0.0.1. */
  readonly host?: string;
  /** 0 takes any free port. */
  readonly port: number;
}

/** Full names of the services, for health checks. */
const SERVICE_NAMES = ["maestro.v1.WorkflowService", "maestro.v1.RunService", "maestro.v1.ClusterService", "maestro.v1.EventService"] as const;

/**
 * Changes nothing. With any interceptor the library drops what arrives after a call is over. Without one it calls the handler of a request that is completed
 * after its deadline, and never tells it that the call has ended: it would wait for its run for ever.
 */
const DROP_AFTER_END: ServerInterceptor = (_method, call) => new ServerInterceptingCall(call);

/**
 * A connection is left alone as long as it lives: a stream may wait for a run for days, so there is no age limit. Pings find peers that
 * went away without a word, which would keep their streams' runs in our books.
 */
const OPTIONS: ServerOptions = {
  "grpc.max_receive_message_length": LIMITS.requestBytes,
  "grpc.max_send_message_length": -1,
  "grpc.max_concurrent_streams": LIMITS.callsPerConnection,
  "grpc.keepalive_time_ms": 30_000,
  "grpc.keepalive_timeout_ms": 10_000,
  // Bookkeeping for a debugging protocol that nobody can reach here; it costs time on every message.
  "grpc.enable_channelz": 0,
  interceptors: [DROP_AFTER_END],
};

/** Time that answers already given have to reach their clients once draining is over or hurried. Then connections are cut. */
const FLUSH_MS = 250;

/** The server of one node. */
export class GrpcServer {
  readonly #options: GrpcServerOptions;
  readonly #server = new Server(OPTIONS);
  /**
   * The library could listen by itself, but would not cut a connection when we say so: once it has been told to close in order, neither its `drain` nor its
   * `forceShutdown` (which finds connections by the bookkeeping that is off here) ends one on which something is open.
   */
  readonly #connections: Connections;
  readonly #health = new GrpcHealth(SERVICE_NAMES);
  readonly #calls: Calls;
  #address = "";
  #drained: Promise<void> | undefined;

  constructor(options: GrpcServerOptions) {
    this.#options = options;
    this.#calls = new Calls(options.clock, options.events);
    const injector = this.#server.createConnectionInjector(ServerCredentials.createInsecure());
    this.#connections = new Connections((socket) => injector.injectConnection(socket));
    this.#server.addService(withSafeDecoding(WorkflowServiceService), workflowHandlers(options.workflows, this.#calls));
    this.#server.addService(withSafeDecoding(RunServiceService), runHandlers(options.runs, this.#calls));
    this.#server.addService(withSafeDecoding(ClusterServiceService), clusterHandlers(options.cluster, this.#calls));
    const { eventService = new EventService(undefined) } = options;
    this.#server.addService(withSafeDecoding(EventServiceService), eventHandlers(eventService, this.#calls));
    this.#health.addTo(this.#server);
    addReflection(this.#server);
  }

  /** Where it listens, as `host:port`; empty before the start. */
  get address(): string {
    return this.#address;
  }

  /** Calls that wait for something: watches, executions, waits for a run's end. */
  get waitingCalls(): number {
    return this.#calls.openCount;
  }

  /** Listens; resolves with the address. Health says "not serving" until {@link setServing}. @throws PORT_IN_USE, CONFIG_INVALID */
  async start(): Promise<string> {
    const { host = "127.0.0.1", port } = this.#options;
    this.#address = formatAddress(host, await this.#bind(host, port));
    return this.#address;
  }

  /** What health checks answer. */
  setServing(isServing: boolean): void {
    this.#health.setServing(isServing);
  }

  /**
   * Stops taking work without losing an answer: health says "not serving", clients are told to connect elsewhere (GOAWAY), watches end, and
   * what waits for a run gets `graceMs` milliseconds, or less if `hurried` is aborted. What still waits then is answered NODE_STOPPING, and connections that
   * are still there a moment later are cut. Resolves when all is closed.
   */
  drain(graceMs: number, hurried?: AbortSignal): Promise<void> {
    this.#drained ??= this.#drain(graceMs, hurried);
    return this.#drained;
  }

  /** Closes everything at once, also while it drains. What waits is answered NODE_STOPPING, if its client reads: connections last one more turn. */
  stop(): void {
    this.#calls.stop();
    void this.#connections.close();
    this.#server.forceShutdown();
    this.#options.clock.schedule(0, () => this.#connections.cut());
  }

  async #drain(graceMs: number, hurried?: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    this.setServing(false);
    const closed = this.#connections.close();
    // This is the GOAWAY: connections end as soon as nothing is open on them. Some would stay so for ever (half a request, which no handler knows of; a
    // client that reads no answer), so it is for us to see to their end.
    this.#server.tryShutdown(() => undefined);
    this.#health.endWatches();
    this.#calls.drain();
    let cancelCut: (() => void) | undefined;
    const endCalls = (): void => {
      this.#calls.stop();
      cancelCut ??= clock.schedule(FLUSH_MS, () => this.#connections.cut());
    };
    const cancelGrace = clock.schedule(hurried?.aborted === true ? 0 : graceMs, endCalls);
    hurried?.addEventListener("abort", endCalls, { once: true });
    await closed;
    hurried?.removeEventListener("abort", endCalls);
    cancelGrace();
    cancelCut?.();
  }

  async #bind(host: string, port: number): Promise<number> {
    // The library would print, past the node's log, what it can't read of a client's headers, for example.
    setLogVerbosity(logVerbosity.NONE);
    try {
      return await this.#connections.listen(host, port);
    } catch (error) {
      throw bindError(error, host, port);
    }
  }
}

function bindError(error: unknown, host: string, port: number): MaestroError {
  if ((error as NodeJS.ErrnoException).code === "EADDRINUSE")
    return new MaestroError("PORT_IN_USE", { facts: { port, host, purpose: "gRPC", setting: "MAESTRO_GRPC_PORT" } });
  const problems = `the gRPC gateway can't listen on ${formatAddress(host, port)}: ${messageOf(error)}`;
  return new MaestroError("CONFIG_INVALID", { facts: { problems }, cause: error });
}
