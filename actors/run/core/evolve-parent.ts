/**
 * What the end of a task changes in the task around it: where the flow goes next.
 */
import { invariant } from "../../../runtime/assert.ts";
import { Payload } from "../../json.ts";
import type { Directive, ForkNode } from "../../language/model.ts";
import type { Problem } from "../../language/problem.ts";
import { popUndo } from "./evolve-undo.ts";
import { type Frame, type RunState, setPhase } from "./state.ts";

const CONTINUE: Directive = { kind: "continue" };

/** A task completed; its output is in `child.data`. `matchedCase` counts a switch's cases from 1. */
export function childCompleted(state: RunState, child: Frame, matchedCase: number, skipped: boolean): void {
  const { parent } = child;
  if (parent === undefined) {
    if (state.undoing === undefined) state.ending = child.data;
    else popUndo(state);
    return;
  }
  const directive = skipped ? CONTINUE : directiveOf(child, matchedCase);
  if (directive.kind === "end" && state.undoing === undefined) {
    state.ending = child.data;
    return;
  }
  switch (parent.node.kind) {
    case "do":
      parent.data = child.data;
      return goOn(state, parent, parent.node.tasks.length, directive);
    case "for":
      parent.data = child.data;
      parent.cursor += 1;
      return setPhase(state, parent, "next");
    case "fork":
      return branchCompleted(state, parent, parent.node, child, skipped);
    case "try":
      parent.data = child.data;
      return setPhase(state, parent, "finish");
    default:
      invariant(false, `a ${parent.node.kind} has no children`);
  }
}

/** A task ended in an error, which now belongs to the task around it, or to the run. */
export function childFaulted(state: RunState, child: Frame, error: Problem, atMs: number): void {
  const { parent } = child;
  if (parent === undefined) {
    if (state.undoing === undefined) {
      state.error = error;
      return;
    }
    popUndo(state, error);
    return;
  }
  // In a race an error only takes its branch out; it counts when no branch is left that could win.
  if (parent.node.kind === "fork" && (isDecided(parent) || (parent.node.compete && hasBranches(parent, parent.node)))) return;
  parent.error = error;
  parent.firstErrorAtMs ??= atMs;
  setPhase(state, parent, "fault");
}

function goOn(state: RunState, frame: Frame, length: number, directive: Directive): void {
  // `end` gets here only while the run undoes its tasks: it leaves the list, as `exit` does.
  const leaves = directive.kind === "exit" || directive.kind === "end";
  frame.cursor = directive.kind === "goto" ? directive.index : leaves ? length : frame.cursor + 1;
  setPhase(state, frame, frame.cursor < length ? "next" : "finish");
}

function directiveOf(child: Frame, matchedCase: number): Directive {
  const { node } = child;
  if (node.kind === "switch" && matchedCase > 0) return node.cases[matchedCase - 1]?.then ?? CONTINUE;
  if (node.kind === "try" && child.caught && node.catch.then.kind !== "continue") return node.catch.then;
  return node.then;
}

/** What its branches do now does not matter to a fork that has its output or its error. */
function isDecided(fork: Frame): boolean {
  return fork.phase === "finish" || fork.phase === "fault";
}

function hasBranches(fork: Frame, node: ForkNode): boolean {
  return fork.children.length > 0 || fork.cursor < node.branches.length;
}

function branchCompleted(state: RunState, fork: Frame, node: ForkNode, branch: Frame, skipped: boolean): void {
  if (isDecided(fork)) return;
  if (node.compete) {
    // A branch that did nothing wins only if there is no other.
    if (skipped && hasBranches(fork, node)) return;
    fork.data = branch.data;
    return setPhase(state, fork, "finish");
  }
  fork.outputs ??= new Array<Payload | undefined>(node.branches.length).fill(undefined);
  fork.outputs[node.branches.indexOf(branch.node)] = branch.data;
  if (hasBranches(fork, node)) return;
  fork.data = Payload.ofText(`[${fork.outputs.map((output) => output?.text ?? "null").join(",")}]`);
  setPhase(state, fork, "finish");
}
