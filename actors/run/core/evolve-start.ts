/**
 * What the start of a task changes: a frame joins the tree, and its parent waits or goes on to its next branch.
 */
import { invariant } from "../../../runtime/assert.ts";
import { Payload } from "../../json.ts";
import type { TaskNode } from "../../language/model.ts";
import { contextHolder, type Frame, type RunState, setPhase } from "./state.ts";

/** A `TaskStarted` fact. */
export interface TaskStart {
  readonly frame: number;
  readonly parent: number;
  readonly node: number;
  readonly input?: string | undefined;
}

/** Adds the frame of a task that began. */
export function startFrame(state: RunState, start: TaskStart, atMs: number): void {
  const parent = start.parent === 0 ? undefined : state.frames.get(start.parent);
  const node = state.workflow.nodes[start.node];
  invariant(node !== undefined, `the workflow has a task number ${start.node}`);
  const raw = rawInput(state, parent);
  const input = start.input === undefined ? raw : Payload.ofText(start.input);
  const frame = newFrame(start.frame, node, parent, raw, input, atMs);
  state.frames.set(frame.id, frame);
  state.lastFrame = frame.id;
  if (node.compensation !== undefined) state.undoable += 1;
  setPhase(state, frame, "begin");
  if (parent !== undefined) joinParent(state, parent, frame);
}

/** The data that a child of `parent` starts with; without a parent, that of the root or of the task that undoes. */
export function rawInput(state: RunState, parent: Frame | undefined): Payload {
  if (parent !== undefined) return parent.node.kind === "fork" || parent.node.kind === "try" ? parent.input : parent.data;
  return state.undoing === undefined ? state.input : (state.undo.at(-1)?.input ?? state.input);
}

function joinParent(state: RunState, parent: Frame, frame: Frame): void {
  parent.children.push(frame);
  if (parent.node.kind !== "fork") return setPhase(state, parent, "waiting");
  frame.context = contextHolder(parent)?.context ?? state.context;
  parent.cursor += 1;
  setPhase(state, parent, parent.cursor < parent.node.branches.length ? "next" : "waiting");
}

function newFrame(id: number, node: TaskNode, parent: Frame | undefined, raw: Payload, input: Payload, atMs: number): Frame {
  return {
    id,
    node,
    parent,
    raw,
    input,
    startedAtMs: atMs,
    phase: "begin",
    data: input,
    cursor: 0,
    attempt: 0,
    inFlight: false,
    isIsolated: false,
    attemptAtMs: 0,
    request: undefined,
    concurrencyKey: undefined,
    items: undefined,
    outputs: undefined,
    error: undefined,
    caught: false,
    firstErrorAtMs: undefined,
    awaits: undefined,
    signal: undefined,
    context: undefined,
    children: [],
    timers: [],
  };
}
