/**
 * The rows of `prom-metrics.ts` for the message bus.
 */
import { Counter, Gauge, type Registry } from "prom-client";
import type { EventName } from "../runtime/events.ts";
import type { MetricTable } from "./prom-metrics.ts";

/** What happens on the message bus. */
export function busRows(registry: Registry): Pick<MetricTable, Extract<EventName, `bus.${string}`>> {
  const registers = [registry];
  const connected = new Gauge({ name: "maestro_bus_connected", help: "1 while the message bus is connected.", registers });
  const losses = new Counter({ name: "maestro_bus_disconnects_total", help: "Times that the message bus was lost.", registers });
  const refused = new Counter({ name: "maestro_bus_refusals_total", help: "Subscriptions and messages that the server refused.", registers });
  const failures = new Counter({ name: "maestro_bus_handler_failures_total", help: "Handlers of messages that failed.", registers });
  const dropped = new Counter({ name: "maestro_bus_dropped_total", help: "Messages dropped because too many were being handled.", registers });
  return {
    "bus.connected": () => connected.set(1),
    "bus.disconnected": () => {
      connected.set(0);
      losses.inc();
    },
    "bus.refused": () => refused.inc(),
    "bus.handlerFailed": () => failures.inc(),
    "bus.dropped": ({ suppressed }) => dropped.inc(1 + suppressed),
    "bus.drainCut": undefined,
  };
}
