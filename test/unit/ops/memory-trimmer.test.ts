/** When memory is given back: the node is quiet, there is something to gain, and it is quick. */
import assert from "node:assert/strict";
import { MemoryTrimmer, processMemory } from "../../../ops/memory-trimmer.ts";
import { virtualClock } from "../../../runtime/clock.ts";
import { EventHub } from "../../../runtime/events.ts";

const MIB = 2 ** 20;

function world() {
  const [clock, events] = [virtualClock(), new EventHub()];
  const use = { resident: 150 * MIB, heap: 30 * MIB, kept: 160 * MIB };
  const freed: number[] = [];
  const memory = {
    residentBytes: () => use.resident,
    heapBytes: () => use.heap,
    release: () => {
      use.resident = Math.min(use.resident, use.kept);
    },
  };
  const trimmer = new MemoryTrimmer({ clock, events, memory, onTrimmed: (freedBytes) => freed.push(freedBytes / MIB) });
  const commit = () => events.emit("journal.committed", { lane: 0, writes: 1, entries: 1, bytes: 1, durationMs: 1 });
  return { clock, use, freed, trimmer, commit };
}

describe("the memory trimmer", () => {
  it("releases what a burst of work left behind once the node is quiet, and once only", () => {
    const { clock, use, freed, commit } = world();
    use.resident = 500 * MIB;
    for (let commits = 0; commits < 300; commits++) commit();
    clock.advance(5_000);
    assert.deepEqual(freed, []);
    commit();
    clock.advance(5_000);
    assert.deepEqual(freed, [340]);
    use.kept = 100 * MIB;
    use.resident = 220 * MIB;
    clock.advance(60_000);
    assert.deepEqual(freed, [340]);
    use.resident = 230 * MIB;
    clock.advance(5_000);
    assert.deepEqual(freed, [340, 130]);
  });

  it("leaves a large heap alone, and does not try again what brought nothing", () => {
    const { clock, use, freed } = world();
    [use.resident, use.heap, use.kept] = [800 * MIB, 300 * MIB, 700 * MIB];
    clock.advance(60_000);
    assert.deepEqual(freed, []);
    use.heap = 100 * MIB;
    clock.advance(60_000);
    assert.deepEqual(freed, [100]);
  });

  it("looks no more once it is closed", () => {
    const { clock, use, freed, trimmer } = world();
    use.resident = 500 * MIB;
    trimmer.close();
    clock.advance(60_000);
    assert.deepEqual(freed, []);
  });

  it("can collect the garbage of this process", () => {
    const memory = processMemory();
    memory.release();
    assert.ok(memory.heapBytes() < memory.residentBytes());
    assert.equal(typeof globalThis.gc, "undefined");
  });
});
