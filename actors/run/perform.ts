/**
 * Carries out the effects of committed facts.
 */
import { unreachable } from "../../runtime/assert.ts";
import type { RunHead } from "../../runtime/storage/journal.ts";
import type { RunOutcome, RunView } from "../runs.ts";
import type { Effect } from "./core/effects.ts";
import { headOf } from "./core/head.ts";
import { viewOfRun } from "./core/run-view.ts";
import type { RunState } from "./core/state.ts";
import type { RunServices } from "./run-services.ts";

/** Carries out effects in their order. `head`: what the run's row says now. Only after the commit of what caused them. */
export function performEffects(services: RunServices, state: RunState, head: RunHead, effects: readonly Effect[]): void {
  const { dispatcher, timers } = services;
  const { runId } = state;
  for (const effect of effects) {
    switch (effect.kind) {
      case "dispatch":
        dispatcher.dispatch(runId, effect.call, effect.input, state.traceParent, effect.isolation);
        break;
      case "awaitTurn":
        dispatcher.awaitTurn(runId, effect.call, effect.width);
        break;
      case "abandon":
        dispatcher.abandon(runId, effect.frame, effect.attempt);
        break;
      case "attemptOver":
        dispatcher.over(runId, effect.call, effect.status, effect.errorMessage);
        break;
      case "setTimer":
        timers.set(runId, effect.timer, effect.dueAtMs);
        break;
      case "clearTimer":
        timers.clear(runId, effect.timer);
        break;
      case "started":
        services.events.emit("run.started", { runId, workflow: nameOf(state) });
        break;
      case "ended":
        end(services, state, head);
        break;
      default:
        unreachable(effect);
    }
  }
}

/** How a run that has ended ended. */
export function outcomeOf(state: RunState): RunOutcome {
  return { runId: state.runId, status: state.status, output: state.output?.text, error: state.error };
}

/** A run as it is now, with what its attempts wait for. `head`: what its row says, if that is known. */
export function viewNow({ clock, dispatcher }: RunServices, state: RunState, head: RunHead | undefined): RunView {
  return viewOfRun(state, head ?? headOf(state, clock.now()), ({ id, attempt }) => dispatcher.waitOf(state.runId, id, attempt));
}

function end(services: RunServices, state: RunState, head: RunHead): void {
  services.recent.add(viewOfRun(state, head));
  services.residents.note(state.runId, "ended");
  services.hub.ended(outcomeOf(state));
  if (!services.events.has("run.ended")) return;
  const { error } = state;
  const detail = error?.detail ?? error?.title;
  services.events.emit("run.ended", {
    runId: state.runId,
    workflow: nameOf(state),
    status: state.status,
    durationMs: Math.max(0, services.clock.now() - state.startedAtMs),
    ...(detail !== undefined && { error: detail }),
  });
}

function nameOf({ workflow }: RunState): string {
  return `${workflow.namespace}/${workflow.name}`;
}
