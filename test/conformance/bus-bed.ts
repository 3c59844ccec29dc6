/**
 * What the suite of the message bus runs on: a bus for each node, and a server that can fail.
 */
import type { Bus } from "../../runtime/bus/bus.ts";
import { EventHub, type RuntimeEvents } from "../../runtime/events.ts";
import { waitUntil } from "../support/wait-until.ts";

/** The bed. */
export interface BusBed {
  /** Opens a node's bus. It may not be connected yet. */
  open(nodeName: string, events: EventHub): Bus;
  /** The largest payload that the server takes. */
  readonly maxPayloadBytes: number;
  /** Crashes the server. */
  stop(): Promise<void>;
  /** Starts it again; `isWiped`: with nothing of what it had stored. */
  restart(isWiped: boolean): Promise<void>;
  /** Makes the server stand still, with its connections open. */
  freeze(): void;
  /** Lets it go on. */
  thaw(): void;
  /** Ends the server. The buses were closed before. */
  close(): Promise<void>;
}

/** A node's bus, with what it tells. */
export interface BusNode {
  readonly bus: Bus;
  readonly failed: RuntimeEvents["bus.handlerFailed"][];
  readonly connections: RuntimeEvents["bus.connected"][];
  readonly losses: RuntimeEvents["bus.disconnected"][];
}

/** Opens a node's bus and hears what it tells. */
export function listenTo(bed: BusBed, nodeName: string): BusNode {
  const events = new EventHub();
  const node: BusNode = { bus: bed.open(nodeName, events), failed: [], connections: [], losses: [] };
  events.on("bus.handlerFailed", (event) => node.failed.push(event));
  events.on("bus.connected", (event) => node.connections.push(event));
  events.on("bus.disconnected", (event) => node.losses.push(event));
  return node;
}

/** Waits until all of the buses are connected. */
export async function connected(...buses: readonly Bus[]): Promise<void> {
  await waitUntil("the buses to be connected", () => buses.every(({ status }) => status.state === "connected"));
}
