/** What callers ask of a run, whatever state its history is in. Each must be answered soon. */
import type { Runs } from "../../../actors/runs.ts";
import { systemClock } from "../../../runtime/clock.ts";
import { MaestroError, toMaestroError } from "../../../runtime/errors.ts";
import type { RunId } from "../../../runtime/ids.ts";

/** Longest time that a caller is kept waiting, in milliseconds. */
const ANSWER_MS = 5_000;
/** After this time a caller who waits for the run itself gives up, in milliseconds. */
const PATIENCE_MS = 500;

type Probe = (runs: Runs, runId: RunId, signal: AbortSignal) => Promise<unknown>;

/** The probes by name. */
export const PROBES: Readonly<Record<string, Probe>> = {
  get: (runs, runId) => runs.get(runId),
  history: (runs, runId) => runs.history(runId, 1, 1_000),
  "late history": (runs, runId) => runs.history(runId, 7, 2),
  signal: (runs, runId) => runs.signal(runId, { name: "go", payload: "1", signalId: "" }),
  cancel: (runs, runId) => runs.cancel(runId, "no more"),
  terminate: (runs, runId) => runs.terminate(runId, "no more"),
  release: (runs, runId) => runs.release(runId),
  outcome: (runs, runId, signal) => runs.outcome(runId, signal),
  async watch(runs, runId, signal) {
    for await (const entry of runs.watch(runId, 1, signal)) if (entry.type === "run.ended") return;
  },
};

class LateAnswer extends Error {
  override readonly name = "LateAnswer";
}

/** Asks, and answers with the code of an error, INTERNAL for one that is none of the registry, or "answered". Throws if there is no answer in time. */
export async function probe(name: string, runs: Runs, runId: RunId): Promise<string> {
  const clock = systemClock();
  const patience = new AbortController();
  const { promise: late, reject } = Promise.withResolvers<never>();
  const cancels = [
    clock.schedule(PATIENCE_MS, () => patience.abort(new MaestroError("REQUEST_CANCELLED"))),
    clock.schedule(ANSWER_MS, () => reject(new LateAnswer(`${name} was not answered within ${ANSWER_MS} ms`))),
  ];
  try {
    await Promise.race([(PROBES[name] as Probe)(runs, runId, patience.signal), late]);
    return "answered";
  } catch (error) {
    if (error instanceof LateAnswer) throw error;
    return toMaestroError(error).code;
  } finally {
    for (const cancel of cancels) cancel();
  }
}
