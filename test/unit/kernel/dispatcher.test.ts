import assert from "node:assert/strict";
import { virtualClock } from "../../../runtime/clock.ts";
import { Dispatcher, type Runnable } from "../../../runtime/kernel/dispatcher.ts";
import { manualScheduler, type Scheduler } from "../../../runtime/kernel/scheduler.ts";
import { LIMITS } from "../../../runtime/limits.ts";

/** A scheduler whose two kinds of tasks the test runs one at a time. */
function steppedScheduler(): Scheduler & { soonTasks: (() => void)[]; afterIoTasks: (() => void)[] } {
  const soonTasks: (() => void)[] = [];
  const afterIoTasks: (() => void)[] = [];
  return { soonTasks, afterIoTasks, soon: (task) => void soonTasks.push(task), afterIo: (task) => void afterIoTasks.push(task) };
}

describe("Dispatcher", () => {
  it("gives turns in the order in which they were asked for", () => {
    const scheduler = manualScheduler();
    const dispatcher = new Dispatcher(virtualClock(), scheduler);
    const turns: string[] = [];
    const entry = (name: string, again = 0): Runnable => {
      let left = again;
      const runnable: Runnable = {
        turn() {
          turns.push(name);
          if (left-- > 0) dispatcher.schedule(runnable);
        },
      };
      return runnable;
    };
    dispatcher.schedule(entry("a", 2));
    dispatcher.schedule(entry("b", 1));
    scheduler.runAll();
    assert.deepEqual(turns, ["a", "b", "a", "b", "a"]);
  });

  it("lets I/O in when its time is up, and goes on afterwards", () => {
    const clock = virtualClock();
    const scheduler = steppedScheduler();
    const dispatcher = new Dispatcher(clock, scheduler);
    let turns = 0;
    const busy: Runnable = {
      turn() {
        turns++;
        clock.advance(1);
        dispatcher.schedule(busy);
      },
    };
    dispatcher.schedule(busy);
    scheduler.soonTasks.shift()?.();
    assert.ok(turns >= LIMITS.dispatcherTurnMs && turns < LIMITS.dispatcherTurnMs + 8, `${turns} turns of 1 ms`);
    assert.deepEqual(scheduler.soonTasks, [], "no further work before I/O");
    const before = turns;
    scheduler.afterIoTasks.shift()?.();
    assert.ok(turns > before);
  });

  it("counts small pieces of work that start each other against one budget", () => {
    const clock = virtualClock();
    const scheduler = steppedScheduler();
    const dispatcher = new Dispatcher(clock, scheduler);
    let turns = 0;
    const small: Runnable = {
      turn() {
        turns++;
        clock.advance(1);
      },
    };
    for (let piece = 0; piece < 100; piece++) {
      dispatcher.schedule(small);
      scheduler.soonTasks.shift()?.();
    }
    assert.equal(turns, LIMITS.dispatcherTurnMs, "the rest waits for I/O");
    assert.equal(dispatcher.length, 100 - LIMITS.dispatcherTurnMs);
    while (scheduler.afterIoTasks.length + scheduler.soonTasks.length > 0) (scheduler.soonTasks.shift() ?? scheduler.afterIoTasks.shift())?.();
    assert.equal(turns, 100);
  });
});
