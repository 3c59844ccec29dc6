/**
 * The worker pool with handlers that do nothing, in both tiers: attempts per second and CPU of the node's own thread at several numbers in
 * flight, and what waking a thread up costs.
 */
import { EventHub } from "../../runtime/events.ts";
import { startWorkerPool } from "../../runtime/workers/tiered-pool.ts";
import { loaded, REST_MS, rested, submitter } from "./attempts.ts";
import { type Benchmark, type Measured, measureInTurn } from "./benchmark.ts";
import { closedLoop } from "./closed-loop.ts";
import { HANDLERS_FOLDER } from "./workload.ts";

const WARM_UP = { inFlight: 300, durationMs: 500 };

/** `npm run bench -- pool`. */
export const pool: Benchmark = {
  name: "pool",
  about: "Task attempts through one worker thread and back, without runs.",
  async measure(setting) {
    const { clock, roundMs: durationMs } = setting;
    const workers = await startWorkerPool({ clock, events: new EventHub(), threads: 1, handlersFolder: HANDLERS_FOLDER });
    try {
      const loads: Measured[] = [];
      for (const [handler, where, inFlights] of TIERS) {
        setting.progress(`warming up: ${handler}`);
        await closedLoop(WARM_UP, clock, submitter(workers, handler));
        for (const inFlight of inFlights) {
          const label = { name: `${handler}, ${inFlight}`, unit: "attempts/s", about: `attempts with ${inFlight} in flight, ${where}` };
          loads.push({ label, round: () => loaded(workers, handler, { inFlight, durationMs }, clock) });
        }
      }
      const about = `one attempt after ${REST_MS} ms without any: every thread has gone to sleep`;
      const atRest = { label: { name: "noop, at rest", unit: "us", about }, round: () => rested(workers, durationMs, clock) };
      return await measureInTurn(setting, [...loads, atRest]);
    } finally {
      await workers.stop(1_000);
    }
  },
};

const TIERS = [
  ["noop", "in a thread of the node", [1, 100, 300, 1_000]],
  ["noop-in-child", "in a thread of a child process", [1, 300]],
] as const;
