/**
 * What events are called: their types, as the Open Workflow Specification names lifecycle events, and the subjects that they are published on.
 * Published: neither may change.
 */
import type { Workflow } from "../language/model.ts";

/** Where all events are: `maestro.events.<namespace>.<workflow>.<kind>`. */
export const EVENT_SUBJECTS = "maestro.events";

/** Kinds of events: the last token of a subject, and the type of the event. */
export const EVENT_TYPES = Object.freeze({
  "workflow-started": "io.serverlessworkflow.workflow.started.v1",
  "workflow-completed": "io.serverlessworkflow.workflow.completed.v1",
  "workflow-faulted": "io.serverlessworkflow.workflow.faulted.v1",
  "workflow-cancelled": "io.serverlessworkflow.workflow.cancelled.v1",
  "workflow-status-changed": "io.serverlessworkflow.workflow.status-changed.v1",
  "task-started": "io.serverlessworkflow.task.started.v1",
  "task-retried": "io.serverlessworkflow.task.retried.v1",
  "task-completed": "io.serverlessworkflow.task.completed.v1",
  "task-faulted": "io.serverlessworkflow.task.faulted.v1",
  "task-cancelled": "io.serverlessworkflow.task.cancelled.v1",
});

/** A kind of event. */
export type EventKind = keyof typeof EVENT_TYPES;

/** What all events of one workflow have in common, ready to be put into their texts. */
export interface WorkflowLabels {
  /** What is before the kind in a subject. */
  readonly subject: string;
  /** URI reference of the workflow, for `source`. */
  readonly source: string;
  /** JSON text of `definition`. */
  readonly definition: string;
}

const LABELS = new WeakMap<Workflow, WorkflowLabels>();

/** The labels of a workflow's events. */
export function labelsOf(workflow: Workflow): WorkflowLabels {
  const known = LABELS.get(workflow);
  if (known !== undefined) return known;
  const { namespace, name, version } = workflow;
  const labels = {
    subject: `${EVENT_SUBJECTS}.${subjectToken(namespace)}.${subjectToken(name)}.`,
    source: `/maestro/${encodeURIComponent(namespace)}/${encodeURIComponent(name)}`,
    definition: JSON.stringify({ namespace, name, version }),
  };
  LABELS.set(workflow, labels);
  return labels;
}

/** A text as one token of a subject: letters, digits, `-` and `_` stay, all else is percent-encoded. */
export function subjectToken(text: string): string {
  return encodeURIComponent(text.toWellFormed()).replace(/[.!~*'()]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}
