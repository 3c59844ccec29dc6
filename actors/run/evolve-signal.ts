/**
 * What facts about signals change: they are kept until a task consumes them, the oldest of a name first.
 */
import { invariant } from "../../runtime/assert.ts";
import { Payload } from "../json.ts";
import { type Frame, type RunState, setPhase } from "./state.ts";

/** A signal reached the run. */
export function receiveSignal(state: RunState, signal: { name: string; payload: string; signalId: string }): void {
  const { name, signalId } = signal;
  const payload = Payload.ofText(signal.payload);
  const queue = state.signals.get(name);
  if (queue === undefined) state.signals.set(name, [payload]);
  else queue.push(payload);
  state.signalCount += 1;
  if (signalId !== "") state.signalIds.add(signalId);
  if (state.awaiting === 0) return;
  for (const frame of state.frames.values()) {
    if (frame.awaits === name && frame.phase === "waiting") return setPhase(state, frame, "next");
  }
}

/** A task waits for a signal, or finds that it is there already. */
export function awaitSignal(state: RunState, frame: Frame, name: string): void {
  frame.awaits = name;
  state.awaiting += 1;
  setPhase(state, frame, state.signals.has(name) ? "next" : "waiting");
}

/** The payload of the signal that a frame awaited, which is kept no longer. */
export function takeSignal(state: RunState, frame: Frame): Payload {
  const name = frame.awaits ?? "";
  const queue = state.signals.get(name);
  const payload = queue?.shift();
  invariant(queue !== undefined && payload !== undefined, `a signal ${name} is there to be consumed`);
  if (queue.length === 0) state.signals.delete(name);
  state.signalCount -= 1;
  return payload;
}
