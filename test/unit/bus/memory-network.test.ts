import assert from "node:assert/strict";
import type { Bus } from "../../../runtime/bus/bus.ts";
import { MemoryNetwork } from "../../../runtime/bus/memory-network.ts";
import type { PathFaults } from "../../../runtime/bus/memory-path.ts";
import { type VirtualClock, virtualClock } from "../../../runtime/clock.ts";
import { EventHub } from "../../../runtime/events.ts";
import { seededRandom } from "../../../runtime/random.ts";
import { nextTurn } from "../../support/next-turn.ts";

interface World {
  readonly clock: VirtualClock;
  readonly network: MemoryNetwork;
  readonly buses: readonly Bus[];
  /** What each node received, with the time. */
  readonly received: readonly string[][];
}

async function pass(clock: VirtualClock, durationMs: number, stepMs = 10): Promise<void> {
  for (let passedMs = 0; passedMs < durationMs; passedMs += stepMs) {
    clock.advance(stepMs);
    await nextTurn();
  }
}

async function worldOf(seed: number, names = ["a", "b", "c"]): Promise<World> {
  const clock = virtualClock();
  const network = new MemoryNetwork({ clock, random: seededRandom(seed) });
  const buses = names.map((name) => network.join(name, new EventHub()));
  const received = buses.map((bus) => {
    const log: string[] = [];
    bus.subscribe("m", (message) => void log.push(`${new TextDecoder().decode(message.payload)} ${clock.monotonic().toFixed(2)}`));
    bus.respond(`ask.${names[buses.indexOf(bus)]}`, (request) => request);
    return log;
  });
  await pass(clock, 20);
  assert.ok(buses.every(({ status }) => status.state === "connected"));
  return { clock, network, buses, received };
}

async function talk(seed: number, faults: PathFaults, count = 200): Promise<World> {
  const world = await worldOf(seed);
  world.network.setFaults(faults);
  for (let index = 0; index < count; index++) {
    world.buses[0]?.publish("m", new TextEncoder().encode(String(index)));
    world.clock.advance(1);
  }
  await pass(world.clock, 1_000);
  return world;
}

const numbers = (log: readonly string[] | undefined) => (log ?? []).map((entry) => Number.parseInt(entry, 10));
const sortedNumbers = (log: readonly string[] | undefined) => numbers(log).sort((x, y) => x - y);
const all = Array.from({ length: 200 }, (_, index) => index);
const EVERYTHING: PathFaults = { loss: 0.1, duplication: 0.1, reordering: 0.2, delayMs: [1, 40] };

describe("MemoryNetwork", () => {
  it("gives the same run for the same seed, and another one for another", async () => {
    const [first, again, other] = [await talk(7, EVERYTHING), await talk(7, EVERYTHING), await talk(8, EVERYTHING)];
    assert.deepEqual(again.received, first.received);
    assert.notDeepEqual(other.received, first.received);
  });

  it("delays without reordering", async () => {
    const { received } = await talk(1, { delayMs: [0, 100] });
    for (const log of received) assert.deepEqual(numbers(log), all);
  });

  it("loses, repeats and reorders as often as it is told, and nothing else", async () => {
    const lost = numbers((await talk(2, { loss: 0.5 })).received[1]);
    assert.ok(lost.length > 60 && lost.length < 140, `${lost.length} arrived`);
    assert.deepEqual(
      lost,
      [...lost].sort((x, y) => x - y),
    );
    const repeated = numbers((await talk(3, { duplication: 0.5 })).received[1]);
    assert.ok(repeated.length > 260 && repeated.length < 340, `${repeated.length} arrived`);
    assert.deepEqual([...new Set(repeated)], all);
    const reordered = (await talk(4, { reordering: 0.5 })).received[1];
    assert.notDeepEqual(numbers(reordered), all);
    assert.deepEqual(sortedNumbers(reordered), all);
  });

  it("partitions two nodes one way or both, and nobody is told", async () => {
    const { network, clock, buses, received } = await worldOf(5);
    const [a, b] = buses;
    const say = (bus: Bus | undefined) => bus?.publish("m", new TextEncoder().encode("1"));
    network.partition("a", "b", true);
    for (const bus of buses) say(bus);
    await pass(clock, 10);
    assert.deepEqual(
      received.map((log) => log.length),
      [3, 2, 3],
    );
    const unanswered = assert.rejects(a?.request("ask.b", new Uint8Array(0), { timeoutMs: 100 }) ?? Promise.resolve(), { code: "TIMED_OUT" });
    const lostAnswer = assert.rejects(b?.request("ask.a", new Uint8Array(0), { timeoutMs: 100 }) ?? Promise.resolve(), { code: "TIMED_OUT" });
    await pass(clock, 200);
    await Promise.all([unanswered, lostAnswer]);
    network.partition("a", "b");
    for (const bus of buses) say(bus);
    await pass(clock, 10);
    assert.deepEqual(
      received.map((log) => log.length),
      [5, 4, 6],
    );
    network.heal();
    for (const bus of buses) say(bus);
    await pass(clock, 10);
    assert.deepEqual(
      received.map((log) => log.length),
      [8, 7, 9],
    );
    assert.ok(buses.every(({ status }) => status.state === "connected"));
  });

  it("cuts one node off, which notices, and gives the network back", async () => {
    const { network, clock, buses, received } = await worldOf(6);
    network.cutOff("b");
    await pass(clock, 10);
    assert.deepEqual(
      buses.map(({ status }) => status.state),
      ["connected", "disconnected", "connected"],
    );
    const refused = assert.rejects(buses[0]?.request("ask.b", new Uint8Array(0), { timeoutMs: 100 }) ?? Promise.resolve(), { code: "NO_RESPONDER" });
    await pass(clock, 10);
    await refused;
    network.restore("b");
    await pass(clock, 3_000);
    buses[0]?.publish("m", new Uint8Array(0));
    await pass(clock, 10);
    assert.deepEqual([buses[1]?.status.state, received[1]?.length], ["connected", 1]);
  });
});
