/** How the attempts of one node wait for slots, and what other nodes are told. */
import assert from "node:assert/strict";
import { openSlotHints } from "../../../actors/cluster/slot-hints.ts";
import { attemptIdOf } from "../../../actors/run/attempt-id.ts";
import { ConcurrencySlots } from "../../../actors/run/concurrency-slots.ts";
import type { Bus, MessageHandler } from "../../../runtime/bus/bus.ts";
import { virtualClock } from "../../../runtime/clock.ts";
import { EventHub } from "../../../runtime/events.ts";
import { newBootId, newRunId, type Shard, shardOf } from "../../../runtime/ids.ts";
import { seededRandom } from "../../../runtime/random.ts";
import { MemoryStore } from "../../../runtime/storage/memory-store.ts";
import { MemoryTaskSlots } from "../../../runtime/storage/memory-task-slots.ts";
import { nextTurn } from "../../support/next-turn.ts";

function setUp() {
  const [clock, random] = [virtualClock(), seededRandom(1)];
  const store = new MemoryStore(clock);
  const open = () => {
    const bootId = newBootId(random);
    const slots = new ConcurrencySlots({
      ...{ clock, random, bootId, events: new EventHub() },
      store: new MemoryTaskSlots(store),
      onTrouble: (what, error) => assert.fail(`${what}: ${error}`),
    });
    return { bootId, slots };
  };
  const events: string[] = [];
  let lastShard = 0;
  /** Has an attempt ask for a slot of `key`, of which there is one; answers its id. */
  const ask = ({ bootId, slots }: ReturnType<typeof open>, name: string, priority = 3, boundMs?: number, key = "ada"): string => {
    const runId = newRunId(lastShard++ as Shard, clock.now(), random);
    store.shards.set(shardOf(runId), { owner: bootId, epoch: 1, isBereft: false });
    const request = { key, limit: 1, runId, frame: 1, attempt: 1 };
    const id = attemptIdOf(request);
    slots.ask({ id, request, priority, boundMs, begin: () => events.push(name), late: () => events.push(`${name} is late`) });
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
});
