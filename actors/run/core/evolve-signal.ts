/**
 * What facts about signals change. A signal goes to the task that has waited longest for its name and belongs to that task from then on; if nobody waits,
 * it is kept, the oldest of a name first. A task that ends without having consumed its signal gives it back.
 */
import { invariant } from "../../../runtime/assert.ts";
import { LIMITS } from "../../../runtime/limits.ts";
import { Payload } from "../../json.ts";
import { type Frame, type RunState, setPhase } from "./state.ts";

/** A signal reached the run. */
export function receiveSignal(state: RunState, signal: { name: string; payload: string; signalId: string }): void {
  const { name, signalId } = signal;
  state.signalCount += 1;
  state.signalChars += signal.payload.length;
  if (signalId !== "") remember(state, signalId);
  const payload = Payload.ofText(signal.payload);
  if (!giveToWaiting(state, name, payload)) queueOf(state, name).push(payload);
}

/** A task waits for a signal, or finds that it is there already. */
export function awaitSignal(state: RunState, frame: Frame, name: string): void {
  frame.awaits = name;
  state.awaiting += 1;
  const queue = state.signals.get(name);
  frame.signal = queue?.shift();
  if (queue?.length === 0) state.signals.delete(name);
  setPhase(state, frame, frame.signal === undefined ? "waiting" : "next");
}

/** The payload of the signal that a task consumes. */
export function takeSignal(state: RunState, frame: Frame): Payload {
  const { signal } = frame;
  invariant(signal !== undefined, `frame ${frame.id} has a signal to consume`);
  frame.signal = undefined;
  forget(state, signal);
  return signal;
}

/** A signal is gone: it was consumed, or the task that it was given to was abandoned with all others. */
export function forget(state: RunState, signal: Payload): void {
  state.signalCount -= 1;
  state.signalChars -= signal.text.length;
}

/** A task that awaited a signal has ended. What it did not consume is the next one's. */
export function stopAwaiting(state: RunState, frame: Frame): void {
  const { awaits, signal } = frame;
  if (awaits === undefined) return;
  state.awaiting -= 1;
  frame.awaits = undefined;
  frame.signal = undefined;
  if (signal !== undefined && !giveToWaiting(state, awaits, signal)) queueOf(state, awaits).unshift(signal);
}

function giveToWaiting(state: RunState, name: string, payload: Payload): boolean {
  if (state.awaiting === 0) return false;
  for (const frame of state.frames.values()) {
    if (frame.awaits !== name || frame.signal !== undefined) continue;
    frame.signal = payload;
    setPhase(state, frame, "next");
    return true;
  }
  return false;
}

function queueOf(state: RunState, name: string): Payload[] {
  const queue = state.signals.get(name) ?? [];
  state.signals.set(name, queue);
  return queue;
}

/** Only the latest ids are remembered: a sender that repeats a signal does so soon. */
function remember(state: RunState, signalId: string): void {
  state.signalIds.add(signalId);
  if (state.signalIds.size <= LIMITS.rememberedSignals) return;
  for (const oldest of state.signalIds) {
    state.signalIds.delete(oldest);
    return;
  }
}
