/** How the attempts of one node wait for slots, and what other nodes are told. */
import assert from "node:assert/strict";
import { openSlotHints } from "../../../actors/cluster/slot-hints.ts";
import { attemptIdOf } from "../../../actors/run/attempt-id.ts";
import { ConcurrencySlots } from "../../../actors/run/concurrency-slots.ts";
import { hashOf } from "../../../actors/run/slot-line.ts";
import type { Bus, MessageHandler } from "../../../runtime/bus/bus.ts";
import { virtualClock } from "../../../runtime/clock.ts";
import { EventHub } from "../../../runtime/events.ts";
import { type BootId, newBootId, newRunId, type Shard, shardOf } from "../../../runtime/ids.ts";
import { LIMITS } from "../../../runtime/limits.ts";
import { seededRandom } from "../../../runtime/random.ts";
import { MemoryStore } from "../../../runtime/storage/memory-store.ts";
import { MemoryTaskSlots } from "../../../runtime/storage/memory-task-slots.ts";
import type { SlotRequest, TaskSlot } from "../../../runtime/storage/task-slots.ts";
import { atEpoch } from "../../support/at-epoch.ts";
import { nextTurn } from "../../support/next-turn.ts";

/** A store that answers when it is told to. */
class HeldSlots extends MemoryTaskSlots {
  isHeld = false;
  answer: () => void = () => undefined;

  override async take(bootId: BootId, wanted: readonly SlotRequest[]): Promise<readonly SlotRequest[]> {
    const taken = await super.take(bootId, wanted);
    if (this.isHeld) await new Promise<void>((resolve) => (this.answer = resolve));
    return taken;
  }

  override async linger(slots: readonly TaskSlot[]): Promise<void> {
    if (this.isHeld) await new Promise<void>((resolve) => (this.answer = resolve));
    await super.linger(slots);
  }
}

function setUp() {
  const [clock, random] = [virtualClock(), seededRandom(1)];
  const store = new MemoryStore(clock);
  const open = () => {
    const bootId = newBootId(random);
    const view = new HeldSlots(store);
    const slots = new ConcurrencySlots({
      ...{ clock, random, bootId, events: new EventHub() },
      store: view,
      held: { epochsOf: (shards) => atEpoch(1, shards) },
      onTrouble: (what, error) => assert.fail(`${what}: ${error}`),
    });
    return { bootId, slots, view };
  };
  const events: string[] = [];
  let lastShard = 0;
  /** Has an attempt ask for a slot of `key`, of which there is one; answers its id. */
  const ask = ({ bootId, slots }: ReturnType<typeof open>, name: string, priority = 3, boundMs?: number, key = "ada"): string => {
    const runId = newRunId(lastShard++ as Shard, clock.now(), random);
    store.shards.set(shardOf(runId), { owner: bootId, epoch: 1, isBereft: false });
    const request = { key, limit: 1, runId, frame: 1, attempt: 1 };
    const id = attemptIdOf(request);
    slots.ask({
      id,
      request,
      priority,
      boundMs,
      sinceMs: clock.monotonic(),
      begin: () => events.push(name),
      late: () => events.push(`${name} is late`),
    });
    return id;
  };
  return { clock, store, open, ask, events };
}

describe("waiting for slots", () => {
  it("goes by priority, then by arrival, without anybody being asked twice", async () => {
    const { open, ask, events } = setUp();
    const node = open();
    let holder = ask(node, "first");
    await nextTurn();
    const ids = new Map([
      ["last", ask(node, "last", 5)],
      ["second", ask(node, "second")],
      ["third", ask(node, "third")],
      ["urgent", ask(node, "urgent", 1)],
    ]);
    assert.equal(node.slots.waiting, 4);
    for (let count = 0; count < 4; count++) {
      node.slots.leave(holder);
      await nextTurn();
      holder = ids.get(events.at(-1) ?? "") ?? "";
    }
    assert.deepEqual(events, ["first", "urgent", "second", "third", "last"]);
    assert.equal(node.slots.waiting, 0);
  });

  it("ends when it has lasted too long, and frees nothing by that", async () => {
    const { clock, store, open, ask, events } = setUp();
    const node = open();
    ask(node, "first");
    await nextTurn();
    ask(node, "hurried", 1, 300);
    clock.advance(300);
    await nextTurn();
    assert.deepEqual(events, ["first", "hurried is late"]);
    assert.deepEqual([node.slots.waiting, store.slots.size], [0, 1]);
  });

  it("asks again at once when a slot is freed elsewhere while it is asking", async () => {
    const { open, ask, events } = setUp();
    const [one, two] = [open(), open()];
    const first = ask(one, "first");
    await nextTurn();
    two.view.isHeld = true;
    ask(two, "second");
    await nextTurn();
    one.slots.leave(first);
    await nextTurn();
    two.slots.noteFreed([hashOf("ada")]);
    two.view.isHeld = false;
    two.view.answer();
    await nextTurn();
    assert.deepEqual(events, ["first", "second"]);
  });

  it("keeps a slot for each of several executions of an attempt that its run has left behind", async () => {
    const { store, open, ask, events } = setUp();
    const [one, two] = [open(), open()];
    const id = ask(one, "first");
    await nextTurn();
    await one.slots.linger([id]);
    const [request] = store.slots.values();
    assert.ok(request !== undefined);
    store.shards.set(shardOf(request.runId), { owner: two.bootId, epoch: 2, isBereft: false });
    two.slots.ask({
      id,
      request: { ...request, limit: 1 },
      priority: 3,
      sinceMs: 0,
      boundMs: undefined,
      begin: () => events.push("again"),
      late: assert.fail,
    });
    await nextTurn();
    await two.slots.linger([id]);
    assert.deepEqual([events, store.slots.size], [["first", "again"], 3]);
    one.slots.executed(id);
    await nextTurn();
    assert.equal(store.slots.size, 2, "the other execution goes on");
    two.slots.executed(id);
    await two.slots.close();
    assert.equal(store.slots.size, 1);
  });

  it("frees the slot of an execution that ends while it is being noted that it goes on", async () => {
    const { store, open, ask } = setUp();
    const node = open();
    const id = ask(node, "first");
    await nextTurn();
    node.view.isHeld = true;
    const lingering = node.slots.linger([id]);
    node.slots.executed(id);
    await nextTurn();
    node.view.answer();
    await lingering;
    node.slots.forget(id);
    await node.slots.close();
    assert.equal(store.slots.size, 1, "only the one that goes with the run");
  });

  it("frees everything that is to be freed before it closes, however much it is", async () => {
    const { store, open, ask } = setUp();
    const node = open();
    const ids = Array.from({ length: LIMITS.slotsPerStatement + 5 }, (_, count) => ask(node, "", 3, undefined, `key ${count}`));
    await nextTurn();
    await nextTurn();
    assert.equal(store.slots.size, ids.length);
    for (const id of ids) node.slots.leave(id);
    await node.slots.close();
    assert.equal(store.slots.size, 0);
  });

  it("hears of slots that other nodes freed, and asks by itself if it does not", async () => {
    const { clock, open, ask, events } = setUp();
    const [one, two] = [open(), open()];
    const first = ask(one, "first");
    const other = ask(one, "other", 3, undefined, "bob");
    await nextTurn();
    const told: MessageHandler[] = [];
    let isLost = false;
    const bus: Pick<Bus, "publish" | "subscribe"> = {
      publish: (subject, payload) => {
        assert.ok(!new TextDecoder().decode(payload).includes("ada"), "keys stay where they are");
        if (!isLost) for (const hear of told) void hear({ subject, payload, headers: {} });
      },
      subscribe: (subject, hear) => {
        told.push(hear);
        return { subject, close: () => undefined };
      },
    };
    for (const { bootId, slots } of [one, two]) openSlotHints({ bus: bus as Bus, self: bootId, clusterName: "c", slots });
    ask(two, "told");
    ask(two, "untold", 3, undefined, "bob");
    await nextTurn();
    assert.deepEqual(events, ["first", "other"]);
    one.slots.leave(first);
    await nextTurn();
    assert.deepEqual(events.slice(2), ["told"]);
    isLost = true;
    one.slots.leave(other);
    await nextTurn();
    assert.deepEqual(events.slice(3), []);
    clock.advance(1_250);
    await nextTurn();
    assert.deepEqual(events.slice(3), ["untold"]);
  });

  it("is for so many at a time, and refused to more with the time to come back", async () => {
    const { open, ask } = setUp();
    const node = open();
    for (let asked = 0; asked < LIMITS.slotsAwaited; asked++) ask(node, "one");
    assert.throws(() => ask(node, "too many"), { code: "TASK_QUEUE_FULL", retryAfterMs: 1_000 });
    assert.equal(node.slots.waiting, LIMITS.slotsAwaited);
    await node.slots.close();
  });
});
