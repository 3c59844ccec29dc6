/**
 * The state of a run: a tree of frames, one for each task that is under way. It is a fold of the run's history and of nothing else, so it can be
 * dropped and rebuilt at any time. Only `evolve` changes it.
 */
import { type RunId, timeOf } from "../../../runtime/ids.ts";
import { NULL_PAYLOAD, Payload } from "../../json.ts";
import type { DoNode, TaskNode, Workflow } from "../../language/model.ts";
import type { Problem } from "../../language/problem.ts";
import type { TimerKind } from "./entry.ts";

/** Statuses of a run while it is in memory; `quarantined` is known to the store alone. */
export type LiveStatus = "running" | "completed" | "failed" | "cancelled" | "terminated";

/**
 * What a frame does next.
 *
 * - `begin`: it was started and has done nothing yet;
 * - `next`: it is to go on with the child at `cursor` (do, for, fork), its body (try) or its catch;
 * - `finish`: its raw output is there, to be transformed;
 * - `fault`: a child ended in `error`;
 * - `waiting`: an attempt, a timer, a signal or a child is under way: nothing to do.
 */
export type Phase = "begin" | "next" | "finish" | "fault" | "waiting";

/** A task that is under way. */
export interface Frame {
  /** Number in the run, from 1. */
  readonly id: number;
  readonly node: TaskNode;
  readonly parent: Frame | undefined;
  /** Input before `input.from`. */
  readonly raw: Payload;
  /** Input after `input.from`. */
  readonly input: Payload;
  readonly startedAtMs: number;
  phase: Phase;
  /** The data that flows through: the input, then the output of the child that ended last; at `finish` the raw output. */
  data: Payload;
  /** do: index of the task; for: index of the iteration; fork: index of the branch to start. */
  cursor: number;
  /** call: number of the attempt; try: how often its body was run again. */
  attempt: number;
  /** call: an attempt is scheduled and has not ended. */
  inFlight: boolean;
  /** call: the attempt was under way at several losses of a node, and it is its turn to be executed. */
  isIsolated: boolean;
  /** call: when the attempt was scheduled, milliseconds since the epoch. */
  attemptAtMs: number;
  /** call: what the handler is asked. */
  request: Payload | undefined;
  /** call: the evaluated key of its concurrency limit; undefined if it has none, or one that is no expression. */
  concurrencyKey: string | undefined;
  /** for: the array that it walks through. */
  items: Payload | undefined;
  /** fork: outputs by branch. */
  outputs: (Payload | undefined)[] | undefined;
  /** try: the error that was caught, while its catch runs; at `fault`: the error of the child. */
  error: Problem | undefined;
  /** try: an error was caught and its catch is what runs, or ran. */
  caught: boolean;
  /** try: when its body failed for the first time, milliseconds since the epoch. */
  firstErrorAtMs: number | undefined;
  /** signal: the name that it waits for. */
  awaits: string | undefined;
  /** signal: the one that it was given and has not consumed yet. */
  signal: Payload | undefined;
  /** Context of a branch of a fork, which sees a copy; undefined: that of the enclosing frame. */
  context: Payload | undefined;
  /** Children that are under way. */
  readonly children: Frame[];
  /** Timers that are set for it. */
  readonly timers: number[];
}

/** A timer that is set. */
export interface Timer {
  readonly id: number;
  readonly frame: Frame;
  readonly kind: TimerKind;
  readonly dueAtMs: number;
}

/** How often a task was executed when its node was lost. */
export interface NodeLosses {
  readonly count: number;
  /** Those of them that met an attempt whose turn it was. */
  readonly isolated: number;
}

/** A completed task that is to be undone if the run fails. */
export interface Undo {
  readonly body: DoNode;
  /** `{ input, output }` of the task. */
  readonly input: Payload;
}

/** A run. */
export interface RunState {
  readonly runId: RunId;
  readonly workflow: Workflow;
  readonly workflowId: string;
  /** When its id was made, milliseconds since the epoch: what the times in its history count from. */
  readonly createdAtMs: number;
  status: LiveStatus;
  startedAtMs: number;
  /** Number of entries in its history. */
  lastSeq: number;
  /** The least dialect that may go on with it: the greatest that one of its entries asks for. */
  readsFrom: number;
  input: Payload;
  context: Payload;
  traceParent: string;
  userId: string;
  labels: Readonly<Record<string, string>>;
  /** All frames that are under way, by number. */
  readonly frames: Map<number, Frame>;
  lastFrame: number;
  /** Frames with something to do, in the order in which they came to it. */
  readonly ready: Set<Frame>;
  /** Frames with an attempt in flight. */
  inFlight: number;
  /** Frames that wait for a signal. */
  awaiting: number;
  readonly timers: Map<number, Timer>;
  lastTimer: number;
  /** Signals that no task consumed yet, by name, oldest first. */
  readonly signals: Map<string, Payload[]>;
  /** Signals that no task consumed, those included that were given to a task, and the characters of their payloads. */
  signalCount: number;
  signalChars: number;
  readonly signalIds: Set<string>;
  /** Tasks that were under way when a node was lost and have not completed since, by their number in the document. */
  readonly nodeLosses: Map<number, NodeLosses>;
  /** Tasks to undo, oldest first. */
  readonly undo: Undo[];
  /** Characters of their inputs. */
  undoChars: number;
  /** Frames whose task is to be undone if it completes. */
  undoable: number;
  /** Set when the run fails or is cancelled and undoes its tasks. */
  undoing: { readonly status: "failed" | "cancelled"; readonly error: Problem | undefined } | undefined;
  /** What went wrong while undoing; the first with all that it says. */
  readonly undoErrors: Problem[];
  cancelReason: string | undefined;
  /** The data with which the run is about to end: after its last task, or after `then: end`. */
  ending: Payload | undefined;
  output: Payload | undefined;
  /** The error that reached the root. */
  error: Problem | undefined;
}

/** The state of a run before its first event. */
export function emptyRun(runId: RunId, workflowId: string, workflow: Workflow): RunState {
  return {
    runId,
    workflow,
    workflowId,
    createdAtMs: timeOf(runId),
    status: "running",
    startedAtMs: 0,
    lastSeq: 0,
    readsFrom: 0,
    input: NULL_PAYLOAD,
    context: Payload.of({}),
    traceParent: "",
    userId: "",
    labels: {},
    frames: new Map(),
    lastFrame: 0,
    ready: new Set(),
    inFlight: 0,
    awaiting: 0,
    timers: new Map(),
    lastTimer: 0,
    signals: new Map(),
    signalCount: 0,
    signalChars: 0,
    signalIds: new Set(),
    nodeLosses: new Map(),
    undo: [],
    undoChars: 0,
    undoable: 0,
    undoing: undefined,
    undoErrors: [],
    cancelReason: undefined,
    ending: undefined,
    output: undefined,
    error: undefined,
  };
}

/** Notes what a frame does next. */
export function setPhase(state: RunState, frame: Frame, phase: Phase): void {
  frame.phase = phase;
  if (phase === "waiting") state.ready.delete(frame);
  else state.ready.add(frame);
}

/** Path of a frame's task, with the iterations that it is in: `/do/0/each[3]/do/1/send`. */
export function pathOf(frame: Frame): string {
  let path = frame.node.pointer;
  for (let inner = frame, outer = frame.parent; outer !== undefined; inner = outer, outer = outer.parent) {
    if (outer.node.kind === "for" && inner.node === outer.node.body) path = insertIteration(path, outer.node.pointer, outer.cursor);
  }
  return path;
}

/** The frame whose context a frame reads and writes: the branch of a fork that it is in, or undefined for the run's own. */
export function contextHolder(frame: Frame): Frame | undefined {
  let holder: Frame | undefined = frame;
  while (holder !== undefined && holder.context === undefined) holder = holder.parent;
  return holder;
}

function insertIteration(path: string, pointer: string, index: number): string {
  return `${pointer}[${index}]${path.slice(pointer.length)}`;
}
