/**
 * What people see of a node as stages: its log, its metrics, and the ops server that shows them. First to start and last to stop. It also gives memory back
 * that the node no longer needs.
 */
import type { Clock } from "../runtime/clock.ts";
import type { EventHub } from "../runtime/events.ts";
import type { BootId } from "../runtime/ids.ts";
import type { Config } from "./config.ts";
import type { Stage } from "./lifecycle.ts";
import { MemoryTrimmer, processMemory } from "./memory-trimmer.ts";
import { started } from "./node-storage.ts";
import { type OpsServer, openOpsServer } from "./ops-server.ts";
import { logEvents, type NodeLog, openLog } from "./pino-logging.ts";
import { type NodeMetrics, openMetrics } from "./prom-metrics.ts";
import type { Readiness } from "./readiness.ts";

/** What it needs. */
export interface NodeTelemetryOptions {
  readonly config: Config;
  readonly bootId: BootId;
  /** Coloured text on the standard output instead of JSON. */
  readonly prettyLog: boolean;
  readonly clock: Clock;
  readonly events: EventHub;
  /** Nobody reads the log on the standard output any more. */
  readonly onLogLost: () => void;
}

/** The telemetry of one boot. The log is open from the beginning; the rest is there once its stage has started. */
export class NodeTelemetry {
  readonly log: NodeLog;
  readonly #options: NodeTelemetryOptions;
  #metrics: NodeMetrics | undefined;
  #opsServer: OpsServer | undefined;

  constructor(options: NodeTelemetryOptions) {
    this.#options = options;
    const { config, bootId, prettyLog, clock, onLogLost } = options;
    const base = { node: config.nodeName, boot: bootId };
    const now = (): number => clock.now();
    this.log = openLog({ level: config.logLevel, pretty: prettyLog, file: config.logFile, base, now, onLost: onLogLost });
  }

  /** The metrics of this boot. */
  get metrics(): NodeMetrics {
    return started(this.#metrics, "telemetry");
  }

  /** Port of the ops server; 0 before its stage has started. */
  get opsPort(): number {
    return this.#opsServer?.port ?? 0;
  }

  /** Counts and logs what happens. */
  stage(): Stage {
    const { events, config } = this.#options;
    let stopLogging = (): void => undefined;
    let trimmer: MemoryTrimmer | undefined;
    return {
      name: "telemetry",
      start: () => {
        this.#metrics = openMetrics(events, config.nodeName);
        stopLogging = logEvents(events, this.log, config.logLevel);
        trimmer = this.#trimMemory();
      },
      stop: () => {
        trimmer?.close();
        stopLogging();
        this.#metrics?.close();
        this.log.info({}, "the node has stopped");
        this.log.close();
      },
    };
  }

  /** Serves the metrics, and whether the node is ready. Starts after `stage`. */
  opsStage(readiness: Readiness): Stage {
    const { opsHost: host, opsPort: port } = this.#options.config;
    return {
      name: "ops server",
      start: async () => {
        const { metrics } = this;
        this.#opsServer = await openOpsServer({ host, port, readiness, metrics: () => metrics.page() });
      },
      stop: () => this.#opsServer?.close(),
    };
  }

  #trimMemory(): MemoryTrimmer {
    const { events, clock } = this.#options;
    const onTrimmed = (freedBytes: number, durationMs: number): void =>
      this.log.debug({ freedBytes, durationMs: Math.round(durationMs) }, "memory was given back");
    return new MemoryTrimmer({ events, clock, memory: processMemory(), onTrimmed });
  }
}
