/** Calls about runs, from every node to every node. */
import assert from "node:assert/strict";
import type { HistoryEntry } from "../../../actors/runs.ts";
import { newRunId } from "../../../runtime/ids.ts";
import { LIMITS } from "../../../runtime/limits.ts";
import { type ClusterNode, ClusterWorld } from "../../support/cluster-world.ts";
import { nextTurn } from "../../support/next-turn.ts";
import { CALLS, code, FOREVER, SIGNAL } from "../../support/runs-bed.ts";
import { startOf } from "../../support/runs-node.ts";

describe("runs of a cluster", () => {
  let world: ClusterWorld;
  let nodes: readonly ClusterNode[];
  beforeEach(async () => {
    world = new ClusterWorld({ charge: (input) => input, ship: (input) => ({ shipped: input }) });
    nodes = await world.begin(3);
  });
  afterEach(async () => {
    world.checkHistories();
    await world.end();
  });

  const eachPair = async (test: (from: ClusterNode, owner: ClusterNode) => Promise<void>): Promise<void> => {
    for (const owner of nodes) for (const from of nodes) await test(from, owner);
  };
  const startOn = async (owner: ClusterNode, body: string, input = {}) => {
    const started = await world.finish(owner.runs.start(startOf(await world.store.deploy(body), input)));
    assert.equal(await world.ownerOf(started.runId), owner, "a run begins where it was asked for");
    return started.runId;
  };

  it("begin on the node that was asked, and each node sees each run", async () => {
    await eachPair(async (from, owner) => {
      const runId = await startOn(owner, CALLS, { amount: 3 });
      const outcome = await world.finish(from.runs.outcome(runId, FOREVER));
      assert.deepEqual([outcome.status, outcome.output], ["completed", '{"shipped":{"amount":3}}']);
      const view = await world.finish(from.runs.get(runId));
      assert.deepEqual(view, await world.finish(owner.runs.get(runId)));
      assert.equal((await world.finish(from.runs.history(runId, 1, 100))).at(-1)?.type, "run.ended");
      assert.ok((await world.finish(from.runs.list({}, 100))).some((row) => row.runId === runId));
    });
  });

  it("begin elsewhere while their node is clearly busier, as last heard and without any change of who owns what", async () => {
    const [first, second, third] = nodes as [ClusterNode, ClusterNode, ClusterNode];
    const id = await world.store.deploy(CALLS);
    const { version } = first.map.view;
    const ownerOfNew = async (): Promise<ClusterNode> => world.ownerOf((await world.finish(first.runs.start(startOf(id)))).runId);
    const hear = (...loads: readonly number[]): void => {
      for (const [place, { bootId }] of nodes.entries()) first.map.loads.set(bootId, loads[place] ?? 0);
    };
    hear(0.9, 0.7, 0.7);
    assert.equal(await ownerOfNew(), first, "the others are hardly less busy");
    hear(0.9, 0.1, 0.9);
    const owners = new Set<ClusterNode>();
    for (let run = 0; run < 20; run += 1) owners.add(await ownerOfNew());
    assert.deepEqual(owners, new Set([first, second]), "the third is as busy");
    hear(0.2, 0.1, 0.1);
    assert.equal(await ownerOfNew(), first);
    assert.equal(first.map.view.version, version);
    await world.finish(world.move([...first.held.open], first, second));
    hear(0, 0.8, 0.3);
    const heirs: ClusterNode[] = [];
    for (let run = 0; run < 20; run += 1) heirs.push(await ownerOfNew());
    assert.ok(heirs.filter((heir) => heir === third).length > 10, "of two others the less busy one is preferred");
  });

  it("take signals, cancellations and terminations from each node", async () => {
    await eachPair(async (from, owner) => {
      const [one, two, three] = [await startOn(owner, SIGNAL), await startOn(owner, SIGNAL), await startOn(owner, SIGNAL)];
      await world.finish(from.runs.signal(one, { name: "go", payload: '{"x":1}', signalId: "" }));
      await world.finish(from.runs.cancel(two, "enough"));
      await world.finish(from.runs.terminate(three, "now"));
      const statuses = [one, two, three].map(async (runId) => (await world.finish(from.runs.outcome(runId, FOREVER))).status);
      assert.deepEqual(await Promise.all(statuses), ["completed", "cancelled", "terminated"]);
      await assert.rejects(world.finish(from.runs.signal(one, { name: "go", payload: "1", signalId: "" })), code("RUN_ENDED"));
      await assert.rejects(world.finish(from.runs.release(one)), code("RUN_NOT_QUARANTINED"));
    });
  });

  it("tell who waits from afar when they end, and watchers what happens meanwhile", async () => {
    await eachPair(async (from, owner) => {
      const runId = await startOn(owner, SIGNAL);
      const seen: HistoryEntry[] = [];
      const watching = (async () => {
        for await (const entry of from.runs.watch(runId, 1, FOREVER)) seen.push(entry);
      })();
      const waiting = from.runs.outcome(runId, FOREVER);
      await world.finish(owner.runs.signal(runId, { name: "other", payload: "1", signalId: "" }));
      await world.finish(owner.runs.signal(runId, { name: "go", payload: "2", signalId: "" }));
      assert.equal((await world.finish(waiting)).output, "2");
      await world.finish(watching);
      assert.equal(seen.filter(({ type }) => type === "signal.received").length, 2);
      assert.equal(seen.at(-1)?.type, "run.ended");
    });
  });

  it("wait longer than one question lasts", async () => {
    const runId = await startOn(nodes[0] as ClusterNode, SIGNAL);
    const waiting = nodes[1]?.runs.outcome(runId, FOREVER) ?? assert.fail();
    await world.finish(new Promise<void>((resolve) => void world.clock.schedule(70_000, resolve)));
    await world.finish((nodes[2] as ClusterNode).runs.signal(runId, { name: "go", payload: "7", signalId: "" }));
    assert.equal((await world.finish(waiting)).output, "7");
  });

  it("are not found anywhere if there are none, and nobody waits for them", async () => {
    const runId = newRunId(1, world.clock.now(), world.random);
    for (const { runs } of nodes) {
      await assert.rejects(world.finish(runs.get(runId)), code("RUN_NOT_FOUND"));
      await assert.rejects(world.finish(runs.outcome(runId, FOREVER)), code("RUN_NOT_FOUND"));
      await assert.rejects(world.finish(runs.signal(runId, { name: "go", payload: "1", signalId: "" })), code("RUN_NOT_FOUND"));
    }
  });

  it("take and give what is larger than a message of the bus", async () => {
    const [first, second] = nodes as [ClusterNode, ClusterNode];
    await world.finish(world.move([...first.held.open], first, second));
    const text = "x".repeat(LIMITS.payloadBytes - 100);
    const { runId } = await world.finish(first.runs.start(startOf(await world.store.deploy(SIGNAL), { text })));
    const signals = [0, 1].map((n) => first.runs.signal(runId, { name: "other", payload: JSON.stringify({ n, text }), signalId: "" }));
    await world.finish(Promise.all(signals));
    await world.finish(first.runs.signal(runId, { name: "go", payload: JSON.stringify(text), signalId: "" }));
    assert.equal((await world.finish(first.runs.outcome(runId, FOREVER))).output?.length, text.length + 2);
    assert.equal((await world.finish(first.runs.get(runId))).input.length, text.length + '{"text":""}'.length);
  });

  it("are one for an idempotency key, whichever node is asked", async () => {
    const request = startOf(await world.store.deploy(CALLS), {}, { idempotencyKey: "default/order-1" });
    const started = await world.finish(Promise.all(nodes.map(({ runs }) => runs.start(request))));
    assert.deepEqual([new Set(started.map(({ runId }) => runId)).size, started.filter(({ created }) => created).length], [1, 1]);
  });

  it("begin elsewhere when the node that was asked owns no shards", async () => {
    const [first, second] = nodes as [ClusterNode, ClusterNode];
    await world.finish(world.move([...first.held.open], first, second));
    const id = await world.store.deploy(CALLS);
    const { runId } = await world.finish(first.runs.start(startOf(id)));
    assert.notEqual(await world.ownerOf(runId), first);
    assert.equal((await world.finish(first.runs.execute(startOf(id, { n: 1 }), FOREVER))).output, '{"shipped":{"n":1}}');
  });

  it("are told what could not be sent, and why, once the bus has been away for a while; what only asks goes on", async () => {
    const [near, owner] = nodes as [ClusterNode, ClusterNode];
    const runId = await startOn(owner, SIGNAL);
    world.network.cutOff(near.name);
    const sentMs = world.clock.monotonic();
    const signal = { name: "go", payload: "{}", signalId: "" };
    await assert.rejects(world.finish(near.runs.signal(runId, signal)), code("BUS_UNAVAILABLE"));
    assert.ok(world.clock.monotonic() - sentMs >= 5_000, "a bus that is back soon is waited for");
    const lateMs = world.clock.monotonic();
    await assert.rejects(world.finish(near.runs.signal(runId, signal)), code("BUS_UNAVAILABLE"));
    await assert.rejects(world.finish(near.runs.cancel(runId, "")), code("BUS_UNAVAILABLE"));
    assert.ok(world.clock.monotonic() - lateMs < 1_000);
    assert.equal((await world.finish(near.runs.get(runId))).status, "waiting");
    const outcome = near.runs.outcome(runId, FOREVER);
    world.network.restore(near.name);
    await connected(world);
    await world.finish(near.runs.signal(runId, signal));
    assert.equal((await world.finish(outcome)).status, "completed");
  });

  it("are refused from afar as they are on the spot: with the error, its facts and when to come again", async () => {
    const full = new ClusterWorld({ charge: (input) => input, ship: (input) => input });
    full.admissionBounds = { queueLength: 0, activeRuns: 0 };
    const [first, second] = (await full.begin(2)) as [ClusterNode, ClusterNode];
    await full.finish(full.move([...first.held.open], first, second));
    // What was asked before may have been carried out for all that the caller knows, and is not refused then.
    await connected(full);
    const request = startOf(await full.store.deploy(CALLS));
    const [near, far] = await full.finish(Promise.allSettled([second.runs.start(request), first.runs.start(request)]));
    assert.ok(near?.status === "rejected" && far?.status === "rejected");
    assert.deepEqual([far.reason.code, far.reason.facts, far.reason.retryAfterMs], ["NODE_OVERLOADED", near.reason.facts, near.reason.retryAfterMs]);
    await full.end();
  });
});

/** Lets time pass until every node has its bus. */
async function connected({ nodes, clock }: ClusterWorld): Promise<void> {
  while (nodes.some(({ bus }) => bus.status.state !== "connected")) {
    clock.advance(1);
    await nextTurn();
  }
}
