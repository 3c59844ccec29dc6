/** The publisher between real actors, the journal in memory and a stream that fails: nothing is missing, whatever happens. */
import assert from "node:assert/strict";
import { EventPublisher } from "../../../actors/events/event-publisher.ts";
import type { EventName } from "../../../runtime/events.ts";
import { type Shard, shardOf } from "../../../runtime/ids.ts";
import { type Random, seededRandom } from "../../../runtime/random.ts";
import type { PublishMark } from "../../../runtime/storage/event-checkpoints.ts";
import { MemoryEventCheckpoints } from "../../../runtime/storage/memory-event-checkpoints.ts";
import { MemoryFaults } from "../../../runtime/storage/memory-faults.ts";
import { MemoryStream } from "../../../runtime/stream/memory-stream.ts";
import type { StreamWriter } from "../../../runtime/stream/stream.ts";
import { writeAllNewer } from "../../support/newer-entry.ts";
import { CALLS, SIGNAL } from "../../support/runs-bed.ts";
import { type OutletParts, type RunsNode, Store, startOf, startRunsNode, Tasks } from "../../support/runs-node.ts";
import { eventsOfStore, findEventFaults } from "../../support/told-events.ts";
import { waitUntil } from "../../support/wait-until.ts";

const WAITS = "do: [{ a: { wait: { milliseconds: 2 } } }, { b: { wait: { milliseconds: 2 } } }]";

describe("the publisher of events", () => {
  let store: Store;
  let stream: MemoryStream;
  let nodes: PublishingNode[];

  beforeEach(() => {
    store = new Store();
    stream = new MemoryStream(store.clock);
    nodes = [];
  });
  afterEach(async () => {
    for (const node of nodes) await node.end();
  });

  /** A boot of a node with a publisher, which can die. */
  class PublishingNode {
    readonly told: EventName[] = [];
    publisher!: EventPublisher;
    runs!: RunsNode;
    readonly checkpoints = new MemoryEventCheckpoints(store.memory);
    #isDead = false;

    async start(queueLength: number): Promise<this> {
      const tasks = new Tasks({ charge: (input) => input, ship: (input) => ({ shipped: input }) });
      const openOutlet = async ({ bootId, heldShards, events, source }: OutletParts): Promise<EventPublisher> => {
        for (const name of [
          "events.behind",
          "events.caughtUp",
          "events.catchUpFailed",
          "events.stalled",
          "events.skipped",
          "events.leftToNewer",
        ] as const)
          events.on(name, () => this.told.push(name));
        this.publisher = new EventPublisher({
          ...{ clock: store.clock, events, bootId, heldShards, level: "tasks", source, queueLength },
          checkpoints: this.checkpoints,
          openWriter: (listener): StreamWriter => {
            const writer = stream.openWriter(listener);
            // A dead process sends nothing.
            return { send: (...message) => (this.#isDead ? undefined : writer.send(...message)), close: () => writer.close() };
          },
        });
        await this.publisher.start();
        return this.publisher;
      };
      this.runs = await startRunsNode(store, tasks, 60_000, new MemoryFaults(), undefined, openOutlet);
      return this;
    }

    /** Without a word, as a process that is killed. */
    kill(): void {
      this.#isDead = true;
    }

    async stop(graceMs = 1_000): Promise<void> {
      await this.runs.stop();
      await this.publisher.close(graceMs);
    }

    async end(): Promise<void> {
      await this.publisher.close(0);
      await this.runs.stop();
    }
  }

  async function open(queueLength = 1_000): Promise<PublishingNode> {
    const node = await new PublishingNode().start(queueLength);
    nodes.push(node);
    return node;
  }

  const faults = (): readonly string[] => findEventFaults(eventsOfStore(store.memory, store.workflows, "tasks"), stream.messages);

  async function complete(): Promise<void> {
    const isOver = (): boolean => [...store.memory.runs.values()].every(({ status }) => status === "completed");
    await waitUntil("all runs to end", isOver);
    await waitUntil("all events to be in the stream", () => faults().length === 0, 5_000).catch(() => undefined);
    assert.deepEqual(faults().slice(0, 3), []);
  }

  /** What was committed is so much older than what comes. */
  function letTimePass(ms: number): void {
    for (const [runId, run] of store.memory.runs) store.memory.runs.set(runId, { ...run, updatedAtMs: run.updatedAtMs - ms });
    for (const [boot, mark] of store.memory.marks)
      store.memory.marks.set(boot, { ...mark, committedAt: new Date(Date.parse(mark.committedAt) - ms).toISOString() });
  }

  async function startSome(node: PublishingNode, count: number): Promise<void> {
    const ids = [...store.workflows.keys()];
    await Promise.all(Array.from({ length: count }, (_, index) => node.runs.runs.start(startOf(ids[index % ids.length] as string, { index }))));
  }

  it("publishes what is committed, in order for each run", async () => {
    await store.deploy(CALLS);
    await store.deploy(WAITS, "waits");
    await startSome(await open(), 50);
    await complete();
  });

  it("has nothing of a write that was refused", async () => {
    const id = await store.deploy(CALLS);
    const node = await open();
    await node.runs.runs.start(startOf(id, 1, { idempotencyKey: "once" }));
    await node.runs.runs.start(startOf(id, 1, { idempotencyKey: "once" }));
    await complete();
  });

  it("goes on from the journal when more waits than memory holds", async () => {
    await store.deploy(CALLS);
    const node = await open(100);
    await startSome(node, 5);
    await complete();
    assert.deepEqual(node.told, []);
    stream.stop();
    await startSome(node, 30);
    await waitUntil("the publisher to fall behind", () => node.told.includes("events.behind"));
    assert.equal(node.publisher.backlog, 0, "what is read from the journal needs no memory");
    stream.start();
    await waitUntil("the publisher to catch up", () => node.told.includes("events.caughtUp"));
    await complete();
    await startSome(node, 3);
    await complete();
  });

  it("leaves no mark behind if all is published, and one if not", async () => {
    const id = await store.deploy(CALLS);
    const first = await open();
    await startSome(first, 3);
    await complete();
    await first.stop();
    assert.equal(store.memory.marks.size, 0);
    const second = await open();
    assert.deepEqual(second.told, []);
    stream.stop();
    await second.runs.runs.start(startOf(id));
    await waitUntil("the run to end", () => [...store.memory.runs.values()].every(({ status }) => status === "completed"));
    await second.stop(0);
    assert.equal(store.memory.marks.size, 1);
    stream.start();
    const third = await open();
    assert.deepEqual(third.told, ["events.behind"]);
    await complete();
    await waitUntil("the old mark to be forgotten", () => store.memory.marks.size === 1);
  });

  it("says of each shard that it hands over whether all of it is published", async () => {
    const id = await store.deploy(CALLS);
    const node = await open();
    const runOne = async (): Promise<Shard> => {
      const { runId } = await node.runs.runs.start(startOf(id));
      await waitUntil("the run to end", () => store.memory.runs.get(runId)?.status === "completed");
      return shardOf(runId);
    };
    const published = await runOne();
    await complete();
    await waitUntil("the publisher to hear of it", () => node.publisher.backlog === 0);
    stream.stop();
    const owing = await runOne();
    await node.publisher.leave([published, owing]);
    const epochs = [published, owing].map((shard) => store.memory.published.get(shard));
    assert.deepEqual(epochs, [published === owing ? -1 : 1, -1], "a debt is the epoch negated");
  });

  it("leaves its own mark where it is while it is not sure to have caught up, because it drops meanwhile what it commits", async () => {
    const id = await store.deploy(CALLS);
    const first = await open();
    stream.stop();
    await first.runs.runs.start(startOf(id));
    first.kill();
    stream.start();
    const second = new PublishingNode();
    nodes.push(second);
    const settle = second.checkpoints.settle.bind(second.checkpoints);
    const begin = second.checkpoints.begin.bind(second.checkpoints);
    let mark: PublishMark | undefined;
    second.checkpoints.begin = async (...boot) => (mark = await begin(...boot));
    second.checkpoints.settle = async (...debt) => {
      await settle(...debt);
      await second.runs.runs.start(startOf(id));
      throw new Error("the answer was lost");
    };
    await second.start(1_000);
    const isWhereItWas = (): boolean => [...store.memory.marks.values()].some(({ committedAt }) => committedAt === mark?.committedAt);
    await waitUntil(
      "more passes to fail than a mark takes to be stored",
      () => second.told.filter((name) => name === "events.catchUpFailed").length >= 4,
    );
    assert.ok(isWhereItWas());
    second.checkpoints.settle = settle;
    await complete();
    await second.runs.runs.start(startOf(id));
    await waitUntil("the mark to go on", () => !isWhereItWas());
  });

  it("passes over a run whose history can't be read, and says so", async () => {
    const id = await store.deploy(SIGNAL);
    const first = await open();
    const { runId } = await first.runs.runs.start(startOf(id));
    first.kill();
    const row = store.memory.rows.get(runId)?.[0];
    if (row !== undefined) Object.assign(row, { checksum: row.checksum ^ 1 });
    const second = await open();
    await waitUntil("the run to be skipped", () => second.told.includes("events.skipped"));
    await waitUntil("the publisher to catch up", () => second.told.includes("events.caughtUp"));
    store.memory.runs.delete(runId);
  });

  for (const end of ["stops", "is killed"] as const) {
    it(`leaves a run that only a newer node can read to that one, and keeps no other back: the older one ${end}`, async () => {
      const [waits, calls] = [await store.deploy(SIGNAL), await store.deploy(CALLS)];
      const newer = await open();
      stream.stop();
      const { runId } = await newer.runs.runs.start(startOf(waits));
      for (let count = 0; count < 20; count += 1) await newer.runs.runs.start(startOf(calls));
      newer.kill();
      const understand = writeAllNewer(store, runId);
      letTimePass(3_600_000);
      stream.start();
      const older = await open();
      await waitUntil("the older node to catch up", () => older.told.includes("events.caughtUp"));
      assert.deepEqual(older.told, ["events.behind", "events.leftToNewer", "events.caughtUp"]);
      await older.runs.runs.start(startOf(calls));
      await waitUntil("all other runs to end", () =>
        [...store.memory.runs.values()].every((run) => run.runId === runId || run.status === "completed"),
      );
      understand();
      await waitUntil("their events, also new ones, to be in the stream", () => faults().every((fault) => fault.includes(runId)));
      assert.notDeepEqual(faults(), []);
      if (end === "stops") await older.stop();
      else older.kill();
      const next = await open();
      await waitUntil("the next owner to catch up", () => next.told.includes("events.caughtUp"));
      await next.runs.runs.signal(runId, { name: "go", payload: "1", signalId: "" });
      await complete();
      await waitUntil("the old marks to be forgotten", () => store.memory.marks.size === 1);
    });
  }

  for (const seed of [1, 2, 3, 4, 5]) {
    it(`publishes everything over crashes, refusals and losses of the stream: seed ${seed}`, async function () {
      this.timeout(30_000);
      const random = seededRandom(seed);
      await store.deploy(CALLS);
      await store.deploy(WAITS, "waits");
      stream.faultOf = () => (random.uint32() % 20 === 0 ? "refused" : "none");
      for (let round = 0; round < 6; round++) await disturb(await open(round % 2 === 0 ? 1_000 : 30), random);
      stream.start();
      await open();
      await complete();
    });
  }

  async function disturb(node: PublishingNode, random: Random): Promise<void> {
    await startSome(node, 5 + (random.uint32() % 30));
    if (random.uint32() % 2 === 0) stream.stop();
    await startSome(node, random.uint32() % 20);
    if (random.uint32() % 2 === 0) stream.start(false);
    if (random.uint32() % 4 === 0) await node.stop(50);
    else node.kill();
  }
});
