/**
 * A run receives each signal that it was sent once, in the order of its sender, and none that nobody sent.
 */
import { type Checker, finding } from "./checker.ts";

/** The checker. */
export const checkSignals: Checker = ({ orders, stored }) => {
  const byOrder = new Map(orders.map((order) => [order.id, order]));
  return stored.runs.flatMap(({ id: runId, order: orderId, entries }) => {
    const order = byOrder.get(orderId);
    const received = entries.flatMap(({ event }) => (event?.$case === "signalReceived" ? [event.value] : []));
    const heard = received.map(({ signalId, payload }) => `${signalId}=${payload}`);
    const sent = (order?.signals ?? []).map((number, place) => `${orderId}-${place}=${number}`);
    if (heard.join() === sent.slice(0, heard.length).join()) return [];
    return [finding(`run ${runId} of ${orderId} received the signals ${heard.join(", ")}; it was sent ${sent.join(", ") || "none"}`, runId, orderId)];
  });
};
