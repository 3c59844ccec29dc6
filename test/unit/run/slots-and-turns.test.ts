/** Attempts that need both a slot of a concurrency key and a turn among suspects of lost nodes. */
import assert from "node:assert/strict";
import { ConcurrencySlots } from "../../../actors/run/concurrency-slots.ts";
import type { AttemptView } from "../../../actors/run/core/effects.ts";
import { Dispatcher } from "../../../actors/run/dispatcher.ts";
import { SlotReclaimer } from "../../../actors/run/slot-reclaimer.ts";
import { virtualClock } from "../../../runtime/clock.ts";
import { EventHub } from "../../../runtime/events.ts";
import { newBootId, newRunId, shardOf } from "../../../runtime/ids.ts";
import { seededRandom } from "../../../runtime/random.ts";
import { MemoryStore } from "../../../runtime/storage/memory-store.ts";
import { MemoryTaskSlots } from "../../../runtime/storage/memory-task-slots.ts";
import { ShardSet } from "../../../runtime/storage/shard-set.ts";
import type { AttemptOutcome } from "../../../runtime/workers/pool.ts";
import { atEpoch } from "../../support/at-epoch.ts";
import { nextTurn } from "../../support/next-turn.ts";

/** A node whose dispatcher, slots and reclaimer are real. The pool is settled by hand; runs store at once that it is a suspect's turn. */
function setUp() {
  const [clock, random] = [virtualClock(), seededRandom(1)];
  const store = new MemoryStore(clock);
  const bootId = newBootId(random);
  const runId = newRunId(3, clock.now(), random);
  store.shards.set(shardOf(runId), { owner: bootId, epoch: 1, isBereft: false });
  const taskSlots = new MemoryTaskSlots(store);
  const shards = { has: () => true, current: ShardSet.all };
  const onTrouble = (what: string, error: unknown): void => assert.fail(`${what}: ${error}`);
  const held = { epochsOf: (asked: Iterable<number>) => atEpoch(1, asked) };
  const slots = new ConcurrencySlots({ ...{ clock, random, bootId, onTrouble, held }, events: new EventHub(), store: taskSlots });
  const running = new Map<number, (outcome: AttemptOutcome) => void>();
  const submitted: number[] = [];
  const views = new Map<number, AttemptView>();
  const dispatcher: Dispatcher = new Dispatcher({
    ...{ clock, slots, shards, onTrouble },
    pool: {
      handlers: new Map(),
      state: { threads: 1, active: 0, queued: 0 },
      submit: ({ id }, settle) => {
        const frame = Number(id.split(":")[1]);
        submitted.push(frame);
        running.set(frame, settle);
      },
      waitingSinceMs: () => undefined,
      cancel: () => undefined,
      stop: async () => undefined,
    },
    ledger: { record: () => undefined, flush: async () => undefined, close: async () => undefined },
    settle: (_runId, frame) => dispatcher.over(runId, views.get(frame) as AttemptView, "completed", undefined),
    isolate: (_runId, frame, _attempt, answer) => {
      dispatcher.dispatch(runId, views.get(frame) as AttemptView, "{}", "", "process");
      answer(undefined);
    },
  });
  const isNeeded = (id: string): boolean => dispatcher.needsSlot(id) || slots.willFree(id);
  new SlotReclaimer({ ...{ clock, random, shards, isNeeded, onTrouble }, store: taskSlots, reclaim: (left) => slots.reclaim(left) }).start();
  const view = (frame: number, key?: string): AttemptView => {
    const scheduling = key === undefined ? undefined : { concurrency: { key, limit: 1 } };
    const made: AttemptView = { frame, attempt: 1, handler: "h", path: "/do/0/h", createdAtMs: 0, scheduling };
    views.set(frame, made);
    return made;
  };
  const pass = async (durationMs: number): Promise<void> => {
    for (let passedMs = 0; passedMs < durationMs; passedMs += 250) {
      clock.advance(250);
      await nextTurn();
    }
  };
  const take = (key: string, frame: number) => taskSlots.take(bootId, [{ key, limit: 1, runId, frame, attempt: 1 }]);
  return { dispatcher, runId, view, pass, take, submitted, running };
}

describe("attempts that need a slot and a turn", () => {
  it("do not wait for each other: one that waits for the slot of another has no turn which that one needs", async () => {
    const { dispatcher, runId, view, pass, take, submitted, running } = setUp();
    await take("ada", 2);
    dispatcher.awaitTurn(runId, view(1, "ada"), 1);
    await pass(1_000);
    dispatcher.dispatch(runId, view(2, "ada"), "{}", "", "process");
    await pass(10_000);
    assert.deepEqual(submitted, [2], "it is brought to its slot when that is found");
    running.get(2)?.({ kind: "completed", output: "1" });
    await pass(2_000);
    assert.deepEqual(submitted, [2, 1]);
  });

  it("do not keep other suspects from their turns while they wait for a slot", async () => {
    const { dispatcher, runId, view, pass, take, submitted } = setUp();
    dispatcher.dispatch(runId, view(9, "ada"), "{}", "");
    await nextTurn();
    await take("ada", 9);
    dispatcher.awaitTurn(runId, view(1, "ada"), 1);
    for (const frame of [2, 3]) dispatcher.dispatch(runId, view(frame), "{}", "", "process");
    dispatcher.awaitTurn(runId, view(4), 32);
    await pass(2_000);
    assert.deepEqual(submitted.toSorted(), [2, 3, 4, 9]);
  });
});
