/**
 * A dispatcher in a world of stubs: a pool that is settled by hand, slots that are given by hand.
 */
import assert from "node:assert/strict";
import type { AttemptView } from "../../actors/run/core/effects.ts";
import { Dispatcher } from "../../actors/run/dispatcher.ts";
import type { SlotAsk } from "../../actors/run/slot-line.ts";
import { virtualClock } from "../../runtime/clock.ts";
import { MaestroError } from "../../runtime/errors.ts";
import { newRunId } from "../../runtime/ids.ts";
import { seededRandom } from "../../runtime/random.ts";
import { ShardSet } from "../../runtime/storage/shard-set.ts";
import type { AttemptRecord } from "../../runtime/storage/task-ledger.ts";
import type { Attempt, AttemptOutcome, HandlerInfo, WorkerPool } from "../../runtime/workers/pool.ts";

/** The run of all attempts. */
export const runId = newRunId(3, Date.UTC(2026, 0, 1), seededRandom(1));
/** An attempt. */
export const call: AttemptView = { frame: 2, attempt: 1, handler: "charge", path: "/do/0/pay", createdAtMs: 5 };

/** Makes the dispatcher and its world. */
export function dispatcherWorld() {
  const clock = virtualClock();
  const submitted: { attempt: Attempt; settle: (outcome: AttemptOutcome) => void }[] = [];
  const cancelled: string[] = [];
  const settled: AttemptOutcome[] = [];
  const asked: { id: string; answer: (failure: MaestroError | undefined) => void }[] = [];
  const records: AttemptRecord[] = [];
  const troubles: string[] = [];
  const world = { full: false, broken: false, runTakes: true, waitingSinceMs: undefined as number | undefined };
  const inPool = new Set<string>();
  const handlers = new Map<string, HandlerInfo>();
  const pool: WorkerPool = {
    handlers,
    state: { threads: 1, active: 0, queued: 0 },
    submit(attempt, settle) {
      if (world.full) throw new MaestroError("TASK_QUEUE_FULL", { facts: { queued: 1 }, retryAfterMs: 50 });
      if (world.broken) throw new Error("no such thing");
      assert.ok(!inPool.has(attempt.id), "an attempt is in the pool once");
      inPool.add(attempt.id);
      const end = (outcome: AttemptOutcome): void => {
        inPool.delete(attempt.id);
        settle(outcome);
      };
      submitted.push({ attempt, settle: end });
    },
    waitingSinceMs: () => world.waitingSinceMs,
    cancel: (id) => cancelled.push(id),
    stop: async () => undefined,
  };
  const waiting = new Map<string, { key: string; limit: number; sinceMs: number }>();
  const slots = { waiting, asked: [] as SlotAsk[], gone: [] as string[], executed: [] as string[] };
  const dispatcher = new Dispatcher({
    slots: {
      ask: (ask) => slots.asked.push(ask),
      waitOf: (id) => slots.waiting.get(id),
      leave: (id) => slots.gone.push(`free ${id}`),
      forget: (id) => slots.gone.push(`forget ${id}`),
      linger: async (ids) => void slots.gone.push(...ids.map((id) => `linger ${id}`)),
      executed: (id) => slots.executed.push(id),
      recall: (id) => slots.asked.some((ask) => ask.id === id),
    },
    shards: { has: () => true, current: ShardSet.all },
    pool,
    clock,
    ledger: { record: (record) => records.push(record), flush: async () => undefined, close: async () => undefined },
    settle(_runId, _frame, _attempt, outcome) {
      if (world.runTakes) settled.push(outcome);
    },
    onTrouble: (what, error) => troubles.push(`${what}: ${error}`),
    isolate: (_runId, frame, attempt, answer) => asked.push({ id: `${frame}:${attempt}`, answer }),
  });
  return { clock, submitted, cancelled, settled, asked, records, troubles, world, dispatcher, handlers, slots };
}
