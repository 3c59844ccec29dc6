/**
 * A run's state as bytes, and back: what spares a long run the reading of its whole history. The state that comes out is the one that the fold of the
 * history would have made; a test compares the two after every turn.
 */
import {
  FramePhase,
  type FrameSnapshot,
  type NodeLossSnapshot,
  RunSnapshot,
  type SignalSnapshot,
  type TimerSnapshot,
  type UndoSnapshot,
} from "../../../proto/gen/maestro/journal/v1/snapshot.ts";
import { invariant } from "../../../runtime/assert.ts";
import type { RunId } from "../../../runtime/ids.ts";
import { Payload } from "../../json.ts";
import type { DoNode, Workflow } from "../../language/model.ts";
import { problemFromWire, problemToWire, statusFromWire, statusToWire } from "./entry.ts";
import { pushUndo } from "./evolve-undo.ts";
import { emptyRun, type Frame, type Phase, type RunState, type Timer } from "./state.ts";

/** Version of the format that is written, and the only one that is read. */
const VERSION = 1;

const PHASE_TO_WIRE: Readonly<Record<Phase, FramePhase>> = {
  begin: FramePhase.BEGIN,
  next: FramePhase.NEXT,
  finish: FramePhase.FINISH,
  fault: FramePhase.FAULT,
  waiting: FramePhase.WAITING,
};
const PHASE_FROM_WIRE = new Map<FramePhase, Phase>(Object.entries(PHASE_TO_WIRE).map(([phase, wire]) => [wire, phase as Phase]));

/** The bytes of a run that has not ended. */
export function encodeSnapshot(state: RunState): Uint8Array {
  const { undoing, error } = state;
  return RunSnapshot.encode({
    version: VERSION,
    seq: state.lastSeq,
    workflowId: state.workflowId,
    startedAtMs: state.startedAtMs,
    input: state.input.text,
    context: state.context.text,
    traceParent: state.traceParent,
    userId: state.userId,
    labels: state.labels,
    lastFrame: state.lastFrame,
    lastTimer: state.lastTimer,
    frames: [...state.frames.values()].map(encodeFrame),
    ready: [...state.ready].map((frame) => frame.id),
    timers: [...state.timers.values()].map(encodeTimer),
    signals: [...state.signals].flatMap(([name, queue]) => queue.map((payload): SignalSnapshot => ({ name, payload: payload.text }))),
    signalIds: [...state.signalIds],
    undo: state.undo.map(({ body, input }): UndoSnapshot => ({ node: body.id, input: input.text })),
    undoing: undoing && { status: statusToWire(undoing.status), error: undoing.error && problemToWire(undoing.error) },
    undoErrors: state.undoErrors.map(problemToWire),
    cancelReason: state.cancelReason,
    ending: state.ending?.text,
    error: error && problemToWire(error),
    readsFrom: state.readsFrom,
    nodeLosses: [...state.nodeLosses].map(([node, { count, isolated }]): NodeLossSnapshot => ({ node, losses: count, isolatedLosses: isolated })),
  }).finish();
}

/** A snapshot as it was stored; undefined if it has a format that is not known: the entries tell the same. */
export function parseSnapshot(bytes: Uint8Array): RunSnapshot | undefined {
  try {
    const snapshot = RunSnapshot.decode(bytes);
    return snapshot.version === VERSION ? snapshot : undefined;
  } catch {
    return undefined;
  }
}

/** The state that was encoded, or undefined if the snapshot makes no sense: the entries tell the same. `workflow` is the one that it names. */
export function restoreSnapshot(runId: RunId, workflow: Workflow, snapshot: RunSnapshot): RunState | undefined {
  try {
    return restored(runId, workflow, snapshot);
  } catch {
    return undefined;
  }
}

function restored(runId: RunId, workflow: Workflow, snapshot: RunSnapshot): RunState {
  const state = emptyRun(runId, snapshot.workflowId, workflow);
  state.lastSeq = snapshot.seq;
  state.readsFrom = snapshot.readsFrom;
  state.startedAtMs = snapshot.startedAtMs;
  state.input = Payload.ofText(snapshot.input);
  state.context = Payload.ofText(snapshot.context);
  state.traceParent = snapshot.traceParent;
  state.userId = snapshot.userId;
  state.labels = snapshot.labels;
  state.lastFrame = snapshot.lastFrame;
  state.lastTimer = snapshot.lastTimer;
  for (const frame of snapshot.frames) addFrame(state, frame);
  for (const id of snapshot.ready) state.ready.add(frameOf(state, id));
  for (const timer of snapshot.timers) addTimer(state, timer);
  for (const { name, payload } of snapshot.signals) addSignal(state, name, Payload.ofText(payload));
  for (const id of snapshot.signalIds) state.signalIds.add(id);
  for (const { node, losses, isolatedLosses } of snapshot.nodeLosses) state.nodeLosses.set(node, { count: losses, isolated: isolatedLosses });
  for (const { node, input } of snapshot.undo) pushUndo(state, { body: workflow.nodes[node] as DoNode, input: Payload.ofText(input) });
  addEnd(state, snapshot);
  return state;
}

function encodeFrame(frame: Frame): FrameSnapshot {
  const { raw, input, data, outputs, error } = frame;
  return {
    id: frame.id,
    node: frame.node.id,
    parent: frame.parent?.id ?? 0,
    startedAtMs: frame.startedAtMs,
    raw: raw.text,
    input: input === raw ? undefined : input.text,
    data: data === input ? undefined : data.text,
    phase: PHASE_TO_WIRE[frame.phase],
    cursor: frame.cursor,
    attempt: frame.attempt,
    inFlight: frame.inFlight,
    isolated: frame.isIsolated,
    attemptAtMs: frame.attemptAtMs,
    request: frame.request?.text,
    concurrencyKey: frame.concurrencyKey,
    items: frame.items?.text,
    outputs: Object.fromEntries((outputs ?? []).flatMap((output, index) => (output === undefined ? [] : [[index, output.text]]))),
    error: error && problemToWire(error),
    caught: frame.caught,
    firstErrorAtMs: frame.firstErrorAtMs,
    awaits: frame.awaits,
    signal: frame.signal?.text,
    context: frame.context?.text,
  };
}

function encodeTimer(timer: Timer): TimerSnapshot {
  return { id: timer.id, frame: timer.frame.id, kind: timer.kind, dueAtMs: timer.dueAtMs };
}

function addFrame(state: RunState, stored: FrameSnapshot): void {
  const parent = stored.parent === 0 ? undefined : frameOf(state, stored.parent);
  const node = state.workflow.nodes[stored.node];
  const phase = PHASE_FROM_WIRE.get(stored.phase);
  invariant(node !== undefined && phase !== undefined, `the workflow has a task number ${stored.node}, in a phase that is known`);
  const raw = Payload.ofText(stored.raw);
  const input = stored.input === undefined ? raw : Payload.ofText(stored.input);
  const frame: Frame = {
    ...{ id: stored.id, node, parent, raw, input, phase },
    startedAtMs: stored.startedAtMs,
    data: stored.data === undefined ? input : Payload.ofText(stored.data),
    cursor: stored.cursor,
    attempt: stored.attempt,
    inFlight: stored.inFlight,
    isIsolated: stored.isolated,
    attemptAtMs: stored.attemptAtMs,
    request: payloadOf(stored.request),
    concurrencyKey: stored.concurrencyKey,
    items: payloadOf(stored.items),
    outputs: outputsOf(stored, node.kind === "fork" && !node.compete ? node.branches.length : 0),
    error: problemFromWire(stored.error),
    caught: stored.caught,
    firstErrorAtMs: stored.firstErrorAtMs,
    awaits: stored.awaits,
    signal: payloadOf(stored.signal),
    context: payloadOf(stored.context),
    children: [],
    timers: [],
  };
  state.frames.set(frame.id, frame);
  parent?.children.push(frame);
  if (frame.inFlight) state.inFlight += 1;
  if (frame.awaits !== undefined) state.awaiting += 1;
  if (frame.node.compensation !== undefined) state.undoable += 1;
  if (frame.signal !== undefined) countSignal(state, frame.signal);
}

function outputsOf(stored: FrameSnapshot, branches: number): Frame["outputs"] {
  const ended = Object.entries(stored.outputs);
  if (ended.length === 0) return undefined;
  const outputs = new Array<Payload | undefined>(branches).fill(undefined);
  for (const [index, text] of ended) outputs[Number(index)] = Payload.ofText(text);
  return outputs;
}

function addTimer(state: RunState, stored: TimerSnapshot): void {
  const frame = frameOf(state, stored.frame);
  state.timers.set(stored.id, { id: stored.id, frame, kind: stored.kind, dueAtMs: stored.dueAtMs });
  frame.timers.push(stored.id);
}

function addSignal(state: RunState, name: string, payload: Payload): void {
  const queue = state.signals.get(name);
  if (queue === undefined) state.signals.set(name, [payload]);
  else queue.push(payload);
  countSignal(state, payload);
}

function countSignal(state: RunState, payload: Payload): void {
  state.signalCount += 1;
  state.signalChars += payload.text.length;
}

function addEnd(state: RunState, snapshot: RunSnapshot): void {
  const { undoing } = snapshot;
  if (undoing !== undefined) {
    const status = statusFromWire(undoing.status) === "cancelled" ? "cancelled" : "failed";
    state.undoing = { status, error: problemFromWire(undoing.error) };
  }
  for (const error of snapshot.undoErrors) state.undoErrors.push(problemFromWire(error) ?? { type: "about:blank", status: 500 });
  state.cancelReason = snapshot.cancelReason;
  state.ending = payloadOf(snapshot.ending);
  state.error = problemFromWire(snapshot.error);
}

function frameOf(state: RunState, id: number): Frame {
  const frame = state.frames.get(id);
  invariant(frame !== undefined, `the snapshot has a frame ${id}`);
  return frame;
}

function payloadOf(text: string | undefined): Payload | undefined {
  return text === undefined ? undefined : Payload.ofText(text);
}
