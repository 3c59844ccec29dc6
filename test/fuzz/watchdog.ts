/**
 * Ends the process when one batch keeps the thread for very long: a loop that never ends can't be told from inside. A thread of its own looks at a
 * number in shared memory. While it lives, so does the process: the product's timers keep none alive, and what never comes would end it without a word.
 */
import { writeSync } from "node:fs";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { systemClock } from "../../runtime/clock.ts";

/** Longest time without a new batch, in milliseconds. */
const SILENCE_MS = 60_000;
const LOOK_EVERY_MS = 1_000;

/** Watches this thread. `batch` is to be called before each batch, `stop` at the end. */
export function startWatchdog(target: string): { readonly batch: (seed: number) => void; readonly stop: () => Promise<number> } {
  const shared = new Uint32Array(new SharedArrayBuffer(8));
  const worker = new Worker(new URL(import.meta.url), { workerData: { shared, target } });
  const batch = (seed: number): void => {
    shared[1] = seed;
    Atomics.add(shared, 0, 1);
  };
  return { batch, stop: () => worker.terminate() };
}

/** Looks now, and again every second. */
function watch(shared: Uint32Array, target: string): void {
  const clock = systemClock();
  let seen = -1;
  let silentMs = 0;
  const look = (): void => {
    const batches = Atomics.load(shared, 0);
    silentMs = batches === seen ? silentMs + LOOK_EVERY_MS : 0;
    seen = batches;
    if (silentMs >= SILENCE_MS) {
      writeSync(2, `\n${target}: no batch ended for ${SILENCE_MS} ms: a loop without an end, in the batch of seed ${shared[1]}\n`);
      process.kill(process.pid, "SIGKILL");
    }
    clock.schedule(LOOK_EVERY_MS, look);
  };
  look();
}

if (!isMainThread) {
  const { shared, target } = workerData as { shared: Uint32Array; target: string };
  parentPort?.on("message", () => undefined);
  watch(shared, target);
}
