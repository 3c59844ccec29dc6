import assert from "node:assert/strict";
import { type VirtualClock, virtualClock } from "../../../runtime/clock.ts";
import type { AttemptOutcome } from "../../../runtime/workers/pool.ts";
import { CHILD_IDLE_MS, ProcessTier } from "../../../runtime/workers/process-tier.ts";
import type { QueuedPool } from "../../../runtime/workers/queue-load.ts";
import { attemptOf } from "../../support/worker-attempts.ts";

const COMPLETED: AttemptOutcome = { kind: "completed", output: "null" };

/** A child process that is none: attempts end when the test says so. */
class FakeChild {
  readonly settles: ((outcome: AttemptOutcome) => void)[] = [];
  readonly gone = Promise.withResolvers<void>();
  grace: number | undefined;
  readonly pool: QueuedPool;

  constructor() {
    const { settles } = this;
    this.pool = {
      handlers: new Map(),
      get state() {
        return { threads: 1, active: settles.length, queued: 0 };
      },
      submit: (_attempt, settle) => void settles.push(settle),
      queues: () => new Map(),
      waitingSinceMs: () => undefined,
      cancel: () => undefined,
      stop: async () => undefined,
    };
  }

  stop(graceMs: number): Promise<void> {
    this.grace = graceMs;
    return this.gone.promise;
  }

  complete(): void {
    for (const settle of this.settles.splice(0)) settle(COMPLETED);
  }
}

describe("ProcessTier", () => {
  let clock: VirtualClock;
  let children: FakeChild[];
  let tier: ProcessTier;
  /** What the start of a child fails with, if it does. */
  let trouble: Error | undefined;
  let told: unknown[];
  const open = (): boolean[] => children.map(({ grace }) => grace === undefined);
  const submit = (): void => tier.submit(attemptOf("any"), () => undefined);

  beforeEach(() => {
    clock = virtualClock();
    children = [];
    trouble = undefined;
    told = [];
    const openChild = (): FakeChild => {
      if (trouble !== undefined) throw trouble;
      const child = new FakeChild();
      children.push(child);
      return child;
    };
    tier = new ProcessTier(clock, openChild, (error) => told.push(error));
  });

  it("has no child before somebody needs one", async () => {
    clock.advance(10 * CHILD_IDLE_MS);
    assert.deepEqual([tier.pool, open()], [undefined, []]);
    await tier.stop(0);
  });

  it("starts one child for those who may need it, and ends it when none of them came", () => {
    for (let times = 0; times < 5; times++) {
      tier.prepare();
      clock.advance(250);
    }
    assert.deepEqual(open(), [true]);
    clock.advance(CHILD_IDLE_MS - 251);
    assert.deepEqual(open(), [true]);
    clock.advance(1);
    assert.deepEqual([open(), tier.pool], [[false], undefined]);
  });

  it("tells when a child can't be started that is only prepared, and starts it when it is needed", () => {
    trouble = new Error("no memory");
    tier.prepare();
    assert.deepEqual([told, open()], [[trouble], []]);
    assert.throws(submit, /no memory/);
    trouble = undefined;
    submit();
    assert.deepEqual([told.length, open()], [1, [true]]);
  });

  it("has the child ready for who comes, and keeps it until a while after the last attempt", () => {
    tier.prepare();
    submit();
    assert.deepEqual([open(), children[0]?.settles.length], [[true], 1]);
    clock.advance(2.5 * CHILD_IDLE_MS);
    children[0]?.complete();
    clock.advance(CHILD_IDLE_MS - 1);
    assert.deepEqual(open(), [true]);
    clock.advance(1);
    assert.deepEqual(open(), [false]);
  });

  it("starts another child while the one before is ending", async () => {
    tier.prepare();
    clock.advance(CHILD_IDLE_MS);
    submit();
    assert.deepEqual([open(), tier.pool === children[1]?.pool], [[false, true], true]);
    let hasStopped = false;
    const stopping = tier.stop(7).then(() => {
      hasStopped = true;
    });
    assert.equal(children[1]?.grace, 7);
    children[1]?.gone.resolve();
    await Promise.resolve();
    assert.equal(hasStopped, false);
    children[0]?.gone.resolve();
    await stopping;
  });

  it("keeps the child for good where a handler asks for it", () => {
    tier.stayOpen();
    submit();
    children[0]?.complete();
    clock.advance(10 * CHILD_IDLE_MS);
    assert.deepEqual(open(), [true]);
  });

  it("starts none any more once it has been stopped", async () => {
    await tier.stop(0);
    tier.prepare();
    assert.deepEqual(open(), []);
  });
});
