/**
 * The defects that the product is given on purpose, at least one for each checker, and who has to notice.
 */
import { MaestroError } from "../../runtime/errors.ts";
import type { Batch } from "../../runtime/storage/batch.ts";
import type { BatchStore } from "../../runtime/storage/batch-store.ts";
import type { CheckerName } from "./checkers/index.ts";
import { overridden } from "./overridden.ts";
import type { Plant } from "./plant.ts";
import type { Mode } from "./world.ts";

/** A defect with a world in which it shows. */
export interface PlantedDefect {
  readonly defect: string;
  readonly checker: CheckerName;
  readonly mode: Mode;
  /** A new one for each world. */
  plant(): Plant;
}

/** A batch store that commits something else than it was given. */
function altered(store: BatchStore, alter: (batch: Batch) => Batch): BatchStore {
  return overridden(store, { commit: (batch) => store.commit(alter(batch)) });
}

/** True for every n-th call. */
function everyNth(n: number): () => boolean {
  let calls = 0;
  return () => ++calls % n === 0;
}

/** The defects. */
export const PLANTED_DEFECTS: readonly PlantedDefect[] = [
  {
    defect: "the store does not look at the fence",
    checker: "single owner",
    mode: "safety",
    plant: () => ({
      batches: (store, bootId, { memory }) =>
        overridden(store, {
          commit: (batch) => {
            const node = memory.nodes.get(bootId);
            const isFenced = node?.isFenced;
            if (node !== undefined) node.isFenced = false;
            const outcome = store.commit(batch);
            if (node !== undefined) node.isFenced = isFenced === true;
            return outcome;
          },
        }),
    }),
  },
  {
    defect: "idempotency keys are not stored",
    checker: "acknowledged",
    mode: "safety",
    plant: () => ({ batches: (store) => altered(store, (batch) => ({ ...batch, keys: [] })) }),
  },
  {
    defect: "a run that goes on is said to have ended",
    checker: "acknowledged",
    mode: "safety",
    plant: () => {
      const isRefused = everyNth(3);
      return {
        runs: (runs) =>
          overridden(runs, {
            signal: async (runId, signal) => {
              if (isRefused()) throw new MaestroError("RUN_ENDED", { facts: { runId, status: "completed" } });
              await runs.signal(runId, signal);
            },
          }),
      };
    },
  },
  {
    defect: "a result is made up",
    checker: "results once",
    mode: "safety",
    plant: () => {
      const isSilent = everyNth(10);
      return { isTold: () => !isSilent() };
    },
  },
  {
    defect: "timers are read as due earlier than they are",
    checker: "timers",
    mode: "safety",
    plant: () => ({
      reader: (reader) =>
        overridden(reader, {
          listTimers: async (...asked) => (await reader.listTimers(...asked)).map((timer) => ({ ...timer, dueAtMs: timer.dueAtMs - 3_000 })),
        }),
    }),
  },
  {
    defect: "a signal that is repeated gets a new id",
    checker: "signals",
    mode: "safety",
    plant: () => {
      const isRepeated = everyNth(3);
      return {
        runs: (runs) =>
          overridden(runs, {
            signal: async (runId, signal) => {
              await runs.signal(runId, signal);
              if (isRepeated()) await runs.signal(runId, { ...signal, signalId: `${signal.signalId}-again` });
            },
          }),
      };
    },
  },
  {
    defect: "an event is acknowledged and not stored",
    checker: "events",
    mode: "liveness",
    plant: () => {
      const isLost = everyNth(50);
      return { keepsEvent: () => !isLost() };
    },
  },
  {
    defect: "the rows of timers are not stored",
    checker: "wake-ups",
    mode: "safety",
    plant: () => ({ batches: (store) => altered(store, (batch) => ({ ...batch, timersSet: [] })) }),
  },
  {
    defect: "the rows of runs are left as they were",
    checker: "history",
    mode: "safety",
    plant: () => {
      const isForgotten = everyNth(20);
      return { batches: (store) => altered(store, (batch) => (isForgotten() ? { ...batch, heads: [] } : batch)) };
    },
  },
  {
    defect: "a task has the result of another one",
    checker: "outcomes",
    mode: "safety",
    plant: () => {
      const isMixedUp = everyNth(10);
      return {
        pool: (pool) =>
          overridden(pool, {
            submit: (attempt, settle) =>
              pool.submit(attempt, (outcome) => settle(outcome.kind === "completed" && isMixedUp() ? { ...outcome, output: "0" } : outcome)),
          }),
      };
    },
  },
  {
    defect: "the store forgets slots that it gave",
    checker: "concurrency",
    mode: "safety",
    plant: () => {
      const isForgotten = everyNth(3);
      return {
        taskSlots: (slots) =>
          overridden(slots, {
            take: async (bootId, wanted) => {
              const held = await slots.take(bootId, wanted);
              if (held.length > 0 && isForgotten()) await slots.free(held);
              return held;
            },
          }),
      };
    },
  },
  {
    defect: "a slot is not freed, and nobody finds it",
    checker: "concurrency",
    mode: "liveness",
    plant: () => {
      const isLeft = everyNth(30);
      return {
        taskSlots: (slots) =>
          overridden(slots, {
            free: async (freed) => {
              if (!isLeft()) await slots.free(freed);
            },
            list: async () => [],
          }),
      };
    },
  },
  {
    defect: "an actor meets an error that it does not know",
    checker: "soundness",
    mode: "safety",
    plant: () => {
      const isBroken = everyNth(20);
      return {
        reader: (reader) =>
          overridden(reader, {
            readTails: async (...asked) => {
              if (isBroken()) throw new TypeError("undefined is not a history");
              return reader.readTails(...asked);
            },
          }),
      };
    },
  },
];
