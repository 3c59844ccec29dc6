/**
 * Carries out what a parent's policy says about a child's failure. The decision itself is pure (`supervision.ts`) and is made at once, also while
 * the parent handles a message: it needs no part of the parent's state.
 */
import { invariant, unreachable } from "../assert.ts";
import type { Cell } from "./cell.ts";
import { affected, judge, supervisionPolicy, type Verdict } from "./supervision.ts";

const DEFAULT_POLICY = supervisionPolicy();

/** `failed` is in phase "failed" because of `error`; its parent decides. */
export function supervise(failed: Cell, error: unknown): void {
  const { parent, path, services } = failed;
  invariant(parent !== undefined, "the root has no code of its own that could fail");
  const policy = parent.options.supervision ?? DEFAULT_POLICY;
  const attachments = failed.attach();
  const verdict = judge(policy, { path, error }, attachments.restartTimes, services.clock.monotonic(), services.random.fraction());
  services.events.emit("actor.failed", { path, directive: verdict.kind, error });
  if (verdict.kind === "restart") attachments.restartTimes = verdict.times;
  if (verdict.kind === "restart" || verdict.kind === "stop") {
    for (const child of affected(policy.strategy, parent.children?.values() ?? [], failed)) apply(child, verdict, error);
  } else apply(failed, verdict, error);
}

function apply(cell: Cell, verdict: Verdict, error: unknown): void {
  switch (verdict.kind) {
    case "resume":
      cell.life.resume();
      break;
    case "restart":
      cell.life.restartAfter(verdict.delayMs, error);
      break;
    case "stop":
      cell.life.stop("failed");
      break;
    case "quarantine":
      cell.life.quarantine(verdict.failures, error);
      break;
    case "escalate":
      escalate(cell, error);
      break;
    default:
      unreachable(verdict);
  }
}

/** The parent fails with the child's error. At the top there is no one to decide: the actor is parked, and the system's owner is told. */
function escalate(cell: Cell, error: unknown): void {
  const { parent, services } = cell;
  if (parent?.parent !== undefined) {
    parent.life.fail(error);
    return;
  }
  cell.life.quarantine(cell.attach().restartTimes.length + 1, error);
  services.onEscalated(cell.path, error);
}
