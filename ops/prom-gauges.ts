/**
 * Gauges that are read when the metrics page is asked for, and have a value for each of some names.
 */
import { Gauge, type Registry } from "prom-client";
import type { WatchedLimit } from "../runtime/watched-limits.ts";
import type { NodeMetrics } from "./prom-metrics.ts";

/** Makes gauges whose names may be others for each page. */
export function namedGauges(registry: Registry): NodeMetrics["addGauges"] {
  return (name, help, label, read) => {
    const gauge: Gauge = new Gauge({
      ...{ name, help, labelNames: [label], registers: [registry] },
      collect: () => {
        gauge.reset();
        for (const [value, count] of read()) gauge.set({ [label]: value }, count);
      },
    });
  };
}

/** One gauge for the bounds of the node that can be read at any time. */
export function usageGauge(registry: Registry): NodeMetrics["addUsage"] {
  const readings = new Map<WatchedLimit, () => number>();
  const usage: Gauge<"limit"> = new Gauge({
    name: "maestro_limit_usage_ratio",
    help: "How much of a bound of the node is used now, from 0 to 1.",
    labelNames: ["limit"],
    registers: [registry],
    collect: () => {
      for (const [limit, read] of readings) usage.set({ limit }, read());
    },
  });
  return (limit, read) => void readings.set(limit, read);
}
