/**
 * The port for "run this soon": how the dispatcher gets onto the thread. Simulation puts its own in place and decides when, and in which
 * order, the turns of all its nodes are run.
 */

/** Runs tasks later, each once. Tasks of one kind run in the order given. */
export interface Scheduler {
  /** Runs `task` as soon as the current code has returned, before any I/O. */
  soon(task: () => void): void;
  /** Runs `task` after pending I/O and due timers had their turn. */
  afterIo(task: () => void): void;
}

/** The platform's: the microtask queue, and the check phase of the event loop. */
export function platformScheduler(): Scheduler {
  const resolved = Promise.resolve();
  return {
    soon(task) {
      void resolved.then(task);
    },
    afterIo(task) {
      setImmediate(task);
    },
  };
}

/** A scheduler that runs nothing until it is told to. For tests and simulation. */
export interface ManualScheduler extends Scheduler {
  /** Runs everything that waits, and what that adds, and returns how many tasks it ran. Throws after `limit` tasks (default 1,000,000): something spins. */
  runAll(limit?: number): number;
}

/** A {@link ManualScheduler}, for tests and simulation. All `soon` tasks run before the next `afterIo` task. */
export function manualScheduler(): ManualScheduler {
  const first: (() => void)[] = [];
  const second: (() => void)[] = [];
  return {
    soon: (task) => void first.push(task),
    afterIo: (task) => void second.push(task),
    runAll(limit = 1_000_000) {
      let ran = 0;
      for (let task = first.shift() ?? second.shift(); task !== undefined; task = first.shift() ?? second.shift()) {
        if (++ran > limit) throw new Error(`the scheduler ran ${limit} tasks and is still not idle`);
        task();
      }
      return ran;
    },
  };
}
