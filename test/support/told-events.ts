/**
 * What must be published of a store: the events of every run in it, told from its journal, and the comparison with what somebody heard.
 */
import assert from "node:assert/strict";
import { type CloudEvent, type EventLevel, evolveAndTell } from "../../actors/events/cloud-event.ts";
import type { Workflow } from "../../actors/language/model.ts";
import { decodeEntries } from "../../actors/run/core/entry.ts";
import { emptyRun, type RunState } from "../../actors/run/core/state.ts";
import type { RunId } from "../../runtime/ids.ts";
import type { MemoryStore } from "../../runtime/storage/memory-store.ts";
import { compileText } from "./compile-document.ts";
import { execute } from "./pg-fixture.ts";

/** An event as it came. */
export interface HeardEvent {
  readonly text: string;
}

/** The events of all runs of a database, by run, in order. */
export async function eventsOfJournal(pgUrl: string, level: EventLevel): Promise<ReadonlyMap<RunId, readonly CloudEvent[]>> {
  const documents = await execute<{ readonly id: string; readonly document: string }>(pgUrl, "SELECT id, document FROM workflows");
  const workflows = new Map<string, Workflow>();
  for (const { id, document } of documents) workflows.set(id, await compileText(document, { handlers: undefined }));
  const rows = await execute<{ readonly run_id: RunId; readonly seq: string; readonly entries: Buffer }>(
    pgUrl,
    "SELECT run_id, seq, entries FROM journal ORDER BY run_id, seq",
  );
  return tell(
    rows.map((row) => ({ runId: row.run_id, firstSeq: Number(row.seq), entries: row.entries })),
    workflows,
    level,
  );
}

/** The events of all runs of a store in memory. */
export function eventsOfStore(
  store: MemoryStore,
  workflows: ReadonlyMap<string, Workflow>,
  level: EventLevel,
): ReadonlyMap<RunId, readonly CloudEvent[]> {
  return tell(
    [...store.rows].flatMap(([runId, rows]) => rows.map((row) => ({ runId, ...row }))),
    workflows,
    level,
  );
}

interface Row {
  readonly runId: RunId;
  readonly firstSeq: number;
  readonly entries: Uint8Array;
}

/** `rows`: those of one run together and in order. */
function tell(rows: readonly Row[], workflows: ReadonlyMap<string, Workflow>, level: EventLevel): ReadonlyMap<RunId, readonly CloudEvent[]> {
  const told = new Map<RunId, CloudEvent[]>();
  let state: RunState | undefined;
  for (const { runId, firstSeq, entries } of rows) {
    for (const entry of decodeEntries(runId, firstSeq, entries)) {
      const start = entry.event?.$case === "runStarted" ? entry.event.value : undefined;
      if (start !== undefined) state = emptyRun(runId, start.workflowId, workflows.get(start.workflowId) as Workflow);
      const events = told.get(runId) ?? [];
      told.set(runId, events);
      evolveAndTell(state as RunState, entry, level, events);
    }
  }
  return told;
}

/** What is wrong with what was heard; empty if nothing is: each event of each run, in order at its first coming, and one text for each id. */
export function findEventFaults(expected: ReadonlyMap<RunId, readonly CloudEvent[]>, heard: readonly HeardEvent[]): readonly string[] {
  const texts = new Map<string, string>();
  const orders = new Map<string, string[]>();
  const faults: string[] = [];
  for (const { text } of heard) {
    const { id, subject } = JSON.parse(text) as { readonly id: string; readonly subject: string };
    const known = texts.get(id);
    if (known === undefined) orders.set(subject, [...(orders.get(subject) ?? []), id]);
    else if (known !== text) faults.push(`two different events have the id ${id}`);
    texts.set(id, text);
  }
  for (const [runId, events] of expected) {
    const order = orders.get(runId) ?? [];
    const wanted = events.map(({ id }) => id);
    const missing = wanted.filter((id) => !order.includes(id));
    if (missing.length > 0) faults.push(`missing: ${missing}`);
    else if (order.join() !== wanted.join()) faults.push(`out of order: ${order} instead of ${wanted}`);
    for (const { id, text } of events) if (texts.has(id) && texts.get(id) !== text) faults.push(`the event ${id} is not what the journal says`);
    orders.delete(runId);
  }
  for (const [runId, ids] of orders) faults.push(`the run ${runId} is not in the journal, but its events ${ids} were heard`);
  return faults;
}

/** Nothing is missing, in disorder, or said in two ways. */
export function assertAllHeard(expected: ReadonlyMap<RunId, readonly CloudEvent[]>, heard: readonly HeardEvent[]): void {
  assert.deepEqual(findEventFaults(expected, heard).slice(0, 5), []);
}
