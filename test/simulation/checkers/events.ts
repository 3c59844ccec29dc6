/**
 * The events of each run come in the order of its history, each with one text, and none without its commit. In the end none is missing.
 */
import type { CloudEvent } from "../../../actors/events/cloud-event.ts";
import type { RunId } from "../../../runtime/ids.ts";
import type { StoredMessage } from "../../../runtime/stream/stream.ts";
import { eventsOfStore } from "../../support/told-events.ts";
import { type Checker, type Findable, type Finding, finding } from "./checker.ts";

/** The checker. */
export const checkEvents: Checker = (world) => {
  const told = toldOf(world);
  const heard = Map.groupBy(world.events, ({ id }) => id.slice(0, id.indexOf(":")) as RunId);
  const unknown = [...heard.keys()].filter((runId) => !told.has(runId));
  return [
    ...unknown.map((runId) => finding(`events of run ${runId} were published, which is not in the store`, runId)),
    ...[...told].flatMap(([runId, events]) => judgeRun(runId, events, heard.get(runId) ?? [], world.isFinal)),
  ];
};

/** True if every event is in the stream. */
export function areEventsComplete({ database, stored, events }: Pick<Findable, "database" | "stored" | "events">): boolean {
  const heard = new Set(events.map(({ id }) => id));
  return [...toldOf({ database, stored }).values()].every((told) => told.every(({ id }) => heard.has(id)));
}

function toldOf({ database, stored }: Pick<Findable, "database" | "stored">): ReadonlyMap<RunId, readonly CloudEvent[]> {
  return eventsOfStore(database.memory, stored.workflows, "tasks");
}

function judgeRun(runId: RunId, told: readonly CloudEvent[], heard: readonly StoredMessage[], isFinal: boolean): Finding[] {
  const texts = new Map(told.map(({ id, text }) => [id, text]));
  const findings = heard
    .filter(({ id, text }) => texts.get(id) !== text)
    .map(({ id }) => finding(`the event ${id} is not what the history says`, runId));
  const order = [...new Set(heard.map(({ id }) => id))];
  const wanted = told.map(({ id }) => id);
  if (order.join() !== wanted.slice(0, order.length).join())
    findings.push(finding(`the events of run ${runId} came as ${shown(order)}, not as ${shown(wanted)}`, runId));
  else if (isFinal && order.length < wanted.length)
    findings.push(finding(`of run ${runId} the events from ${wanted[order.length]} on were never published`, runId));
  return findings;
}

/** The numbers of events. */
function shown(ids: readonly string[]): string {
  return ids.map((id) => id.slice(id.indexOf(":") + 1)).join(" ");
}
