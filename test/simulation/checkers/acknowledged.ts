/**
 * What a client was told stays so: a run that was acknowledged is there, and is the only one of its order; a signal and a cancellation stand in its history.
 */
import type { StoredRun } from "../../chaos/evidence.ts";
import type { Order } from "../order.ts";
import { type Checker, type Finding, finding } from "./checker.ts";

/** The checker. */
export const checkAcknowledged: Checker = ({ orders, stored }) => {
  const runs = new Map(stored.runs.map((run) => [run.id, run]));
  const byOrder = Map.groupBy(stored.runs, (run) => run.order);
  return orders.flatMap((order) => [...judgeRuns(order, byOrder.get(order.id) ?? [], runs), ...judgeCommands(order, runs)]);
};

function judgeRuns({ id, key, acknowledged, trouble }: Order, own: readonly StoredRun[], runs: ReadonlyMap<string, StoredRun>): Finding[] {
  const findings = [...acknowledged]
    .filter((runId) => !runs.has(runId))
    .map((runId) => finding(`run ${runId} of ${id} was acknowledged and is lost`, id, runId));
  const names = own.map((run) => run.id);
  if (acknowledged.size > 1) findings.push(finding(`${id} was told of several runs: ${[...acknowledged].join(", ")}`, id, ...acknowledged));
  if (own.length > 1)
    findings.push(finding(`${id}, ${key === undefined ? "which asked once" : "with its key"}, has several runs: ${names.join(", ")}`, id, ...names));
  if (trouble !== undefined) findings.push(finding(`${id} was answered: ${trouble}`, id, ...names));
  return findings;
}

function judgeCommands({ id, acknowledged, signalled, isCancelled }: Order, runs: ReadonlyMap<string, StoredRun>): Finding[] {
  return [...acknowledged].flatMap((runId) => {
    const entries = runs.get(runId)?.entries;
    if (entries === undefined) return [];
    const signals = new Set(entries.flatMap(({ event }) => (event?.$case === "signalReceived" ? [event.value.signalId] : [])));
    const hasEnded = entries.some(({ event }) => event?.$case === "runEnded");
    const isTold = entries.some(({ event }) => event?.$case === "cancelRequested");
    const lost = Array.from({ length: signalled }, (_, place) => `${id}-${place}`).filter((signalId) => !signals.has(signalId) && !hasEnded);
    const findings = lost.map((signalId) => finding(`signal ${signalId} was acknowledged and run ${runId} has not received it`, id, runId));
    if (isCancelled && !isTold && !hasEnded)
      findings.push(finding(`the cancellation of run ${runId} was acknowledged and it has not heard of it`, id, runId));
    return findings;
  });
}
