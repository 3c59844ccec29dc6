/**
 * Requests for events, as all skins hand them to the service layer, and their checks. Pure.
 */
import { EVENT_SUBJECTS, EVENT_TYPES, subjectToken } from "../../actors/events/event-names.ts";
import type { StreamStart } from "../../runtime/stream/stream.ts";
import { Fields, optionalLabelReason, runIdReason, seqReason } from "./fields.ts";

/** Which events, and from where. */
export interface EventQuery {
  readonly start: StreamStart;
  /** Empty: all. */
  readonly namespace: string;
  /** Empty: all. */
  readonly workflow: string;
  /** Empty: all. */
  readonly types: readonly string[];
  /** Empty: all. */
  readonly runId: string;
  /** Ends with what is there now. */
  readonly stopsAtEnd: boolean;
}

const KINDS = new Map<string, string>(Object.entries(EVENT_TYPES).map(([kind, type]) => [type, kind]));

/** @throws FIELD_INVALID */
export function checkEventQuery({ start, namespace, workflow, types, runId }: EventQuery): void {
  const fields = new Fields();
  if (start !== "new" && "sequence" in start) fields.check("from_sequence", seqReason(start.sequence));
  fields.check("namespace", optionalLabelReason(namespace));
  fields.check("workflow", optionalLabelReason(workflow));
  const unknown = types.find((type) => !KINDS.has(type));
  fields.check("types", unknown === undefined ? undefined : `has ${JSON.stringify(unknown)}; there are ${[...KINDS.keys()].join(", ")}.`);
  fields.check("run_id", runId === "" ? undefined : runIdReason(runId));
  fields.refuse();
}

/** The subject that has all of these events, and as few others as one subject can. */
export function subjectOf({ namespace, workflow, types }: EventQuery): string {
  const [type, ...more] = types;
  const kind = type !== undefined && more.length === 0 ? KINDS.get(type) : undefined;
  return [EVENT_SUBJECTS, ...[namespace, workflow].map((name) => (name === "" ? "*" : subjectToken(name))), kind ?? "*"].join(".");
}

/** True for the events that are asked for, of those on {@link subjectOf}. */
export function eventFilter({ types, runId }: EventQuery): (subject: string, id: string) => boolean {
  const kinds = new Set(types.map((type) => KINDS.get(type)));
  const prefix = `${runId.toLowerCase()}:`;
  return (subject, id) => (runId === "" || id.startsWith(prefix)) && (kinds.size === 0 || kinds.has(subject.slice(subject.lastIndexOf(".") + 1)));
}
