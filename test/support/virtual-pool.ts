/**
 * A thread pool whose threads and time do nothing by themselves, for unit tests of its decisions.
 */
import assert from "node:assert/strict";
import { virtualClock } from "../../runtime/clock.ts";
import { EventHub, type RuntimeEvents } from "../../runtime/events.ts";
import type { AttemptOutcome, HandlerInfo } from "../../runtime/workers/pool.ts";
import { ThreadPool } from "../../runtime/workers/thread-pool.ts";
import { FakeThreads } from "./fake-threads.ts";
import { nextTurn } from "./next-turn.ts";
import { attemptOf } from "./worker-attempts.ts";

const HANDLERS: readonly HandlerInfo[] = [
  { name: "plain", file: "", options: { tier: "thread" } },
  { name: "bounded", file: "", options: { tier: "thread", startToCloseMs: 100 } },
  { name: "beating", file: "", options: { tier: "thread", heartbeatMs: 100 } },
  { name: "hurried", file: "", options: { tier: "thread", scheduleToStartMs: 100 } },
];

/** A pool of fake threads on a virtual clock, and everything that its attempts ended with. */
export function virtualPool({ threads = 1, queueLength = 1_000 } = {}) {
  const clock = virtualClock();
  const events = new EventHub();
  const fakes = new FakeThreads(HANDLERS);
  const lost: RuntimeEvents["pool.threadLost"][] = [];
  events.on("pool.threadLost", (event) => lost.push(event));
  const handlers = new Map(HANDLERS.map((handler) => [handler.name, handler]));
  const patience = { cancelGraceMs: 5_000, blockedMs: 1_000, unresponsiveMs: 60_000 };
  const start = { startThread: fakes.start, startSolitary: fakes.start };
  const pool = new ThreadPool({ clock, events, tier: "thread", threads, ...start, handlers, queueLength, ...patience });
  const outcomes = new Map<string, AttemptOutcome>();
  const submit = (handler: string, more = {}): string => {
    const attempt = attemptOf(handler, null, more);
    pool.submit(attempt, (outcome) => {
      assert.ok(!outcomes.has(attempt.id), "an attempt settles once");
      outcomes.set(attempt.id, outcome);
    });
    return attempt.id;
  };
  const outcome = (id: string): AttemptOutcome => {
    const found = outcomes.get(id);
    assert.ok(found, `${id} has settled`);
    return found;
  };
  /** Lets time pass in steps in which threads answer pings, as threads that are well do. */
  const pass = async (durationMs: number, answering = true): Promise<void> => {
    for (let left = durationMs; left > 0; left -= 50) {
      clock.advance(Math.min(50, left));
      await nextTurn();
      await nextTurn();
      if (answering) for (const thread of fakes.started) thread.reply();
    }
  };
  return { clock, events, fakes, pool, submit, outcome, outcomes, lost, pass };
}
