/**
 * What a client was told stays so: a run that was acknowledged is there, and is the only one of its order; a signal and a cancellation stand in its
 * history, also when it has ended since. A run of which it was told that it had ended, had.
 */
import type { StoredRun } from "../../chaos/evidence.ts";
import type { CommittedRow } from "../database.ts";
import type { Order } from "../order.ts";
import { type Checker, type Finding, finding } from "./checker.ts";

/** The checker. */
export const checkAcknowledged: Checker = ({ orders, stored, committed }) => {
  const rows = Map.groupBy(committed, ({ runId }) => runId);
  const runs = new Map(stored.runs.map((run) => [run.id, run]));
  const byOrder = Map.groupBy(stored.runs, (run) => run.order);
  return orders.flatMap((order) => [
    ...judgeRuns(order, byOrder.get(order.id) ?? [], runs),
    ...judgeCommands(order, runs),
    ...judgeRefusals(order, runs, rows),
  ]);
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

function judgeCommands({ id, acknowledged, signalled, isCancelled, refusals }: Order, runs: ReadonlyMap<string, StoredRun>): Finding[] {
  return [...acknowledged].flatMap((runId) => {
    const entries = runs.get(runId)?.entries;
    if (entries === undefined) return [];
    const signals = new Set(entries.flatMap(({ event }) => (event?.$case === "signalReceived" ? [event.value.signalId] : [])));
    const isTold = entries.some(({ event }) => event?.$case === "cancelRequested");
    const refused = new Set(refusals.map(({ signalId }) => signalId));
    const heard = Array.from({ length: signalled }, (_, place) => `${id}-${place}`).filter((signalId) => !refused.has(signalId));
    const findings = heard
      .filter((signalId) => !signals.has(signalId))
      .map((signalId) => finding(`signal ${signalId} was acknowledged and run ${runId} has not received it`, id, runId));
    if (isCancelled && !isTold && !refused.has(undefined))
      findings.push(finding(`the cancellation of run ${runId} was acknowledged and it has not heard of it`, id, runId));
    return findings;
  });
}

/** Who is told that a run has ended is told so after the commit of its end. */
function judgeRefusals({ id, refusals }: Order, runs: ReadonlyMap<string, StoredRun>, rows: ReadonlyMap<string, readonly CommittedRow[]>): Finding[] {
  return refusals.flatMap(({ runId, signalId, atMs }) => {
    const place = runs.get(runId)?.entries.findIndex(({ event }) => event?.$case === "runEnded") ?? -1;
    const row = place < 0 ? undefined : rows.get(runId)?.findLast(({ firstSeq }) => firstSeq <= place + 1);
    if (row !== undefined && row.atMs <= atMs) return [];
    const call = signalId === undefined ? "its cancellation" : `signal ${signalId}`;
    return [finding(`${id} was told for ${call} that run ${runId} had ended, and at that time it had not`, id, runId)];
  });
}
