/**
 * One run for each order, however often it was asked for, and the keys of the store name these runs and no others.
 */
import type { Checker } from "./finding.ts";

/** The checker. */
export const checkKeys: Checker = ({ orders, runs, keys }) => {
  const byOrder = Map.groupBy(runs, (run) => run.order);
  const findings: string[] = [];
  for (const order of orders) {
    const own = (byOrder.get(order.id) ?? []).map((run) => run.id as string);
    if (own.length > 1) findings.push(`order ${order.id} has ${own.length} runs: ${own.join(", ")}`);
    if (order.acknowledged.size > 1)
      findings.push(`order ${order.id} was told of ${order.acknowledged.size} runs: ${[...order.acknowledged].join(", ")}`);
    const owner = order.key === undefined ? undefined : keys.get(order.key);
    if (order.key !== undefined && owner !== own[0])
      findings.push(`the key of order ${order.id} names ${owner ?? "no run"}, its run is ${own[0] ?? "none"}`);
  }
  const ids = new Set(orders.map((order) => order.id));
  for (const run of runs) if (!ids.has(run.order)) findings.push(`run ${run.id} belongs to no order`);
  for (const [key, runId] of keys) if (!ids.has(key)) findings.push(`the key ${key} of run ${runId} belongs to no order`);
  return findings;
};
