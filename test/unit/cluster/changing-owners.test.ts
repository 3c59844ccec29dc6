/** Calls while runs change their node: in good order, by a node's death, and over a network that loses and repeats. */
import assert from "node:assert/strict";
import type { RoutedRuns } from "../../../actors/cluster/routed-runs.ts";
import { newRunId, type RunId, shardOf } from "../../../runtime/ids.ts";
import { type ClusterNode, ClusterWorld } from "../../support/cluster-world.ts";
import { nextTurn } from "../../support/next-turn.ts";
import { CALLS, FOREVER, SIGNAL, SLOW } from "../../support/runs-bed.ts";
import { startOf } from "../../support/runs-node.ts";

type Three = readonly [ClusterNode, ClusterNode, ClusterNode];

describe("runs that change their node", () => {
  let world: ClusterWorld;
  let nodes: Three;
  let release: (() => void) | undefined;
  beforeEach(async () => {
    release = undefined;
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    world = new ClusterWorld({
      charge: (input) => input,
      ship: (input) => ({ shipped: input }),
      refund: async () => {
        await gate;
        return "refunded";
      },
    });
    nodes = (await world.begin(3)) as Three;
  });
  afterEach(async () => {
    release?.();
    world.checkHistories();
    await world.end();
  });

  const waitFor = async (condition: () => boolean): Promise<void> => {
    while (!condition()) await nextTurn();
  };
  const signalsOf = async (runId: RunId): Promise<string[]> => {
    const entries = await world.finish(nodes[0].runs.history(runId, 1, 10_000));
    return entries.filter(({ type }) => type === "signal.received").map(({ details }) => String(JSON.parse(details).payload));
  };
  const send = (runs: RoutedRuns, runId: RunId, n: number): Promise<void> => runs.signal(runId, { name: "other", payload: String(n), signalId: "" });

  it("keep the order of signals through hand-overs, each once, whichever node takes them", async () => {
    const id = await world.store.deploy(SIGNAL);
    const { runId } = await world.finish(nodes[0].runs.start(startOf(id)));
    for (const sender of nodes) {
      const before = (await signalsOf(runId)).length;
      const sent: Promise<void>[] = [];
      for (let n = 0; n < 60; n += 1) {
        sent.push(send(sender.runs, runId, n));
        if (n % 20 !== 10) continue;
        const owner = await world.ownerOf(runId);
        await world.finish(world.move([shardOf(runId)], owner, nodes[(nodes.indexOf(owner) + 1) % 3] as ClusterNode));
      }
      await world.finish(Promise.all(sent));
      const expected = Array.from({ length: 60 }, (_, n) => String(n));
      assert.deepEqual((await signalsOf(runId)).slice(before), expected);
    }
  });

  it("hear what came while they were being handed over after what came before", async () => {
    const [first, second] = nodes;
    const { runId } = await world.finish(first.runs.start(startOf(await world.store.deploy(SIGNAL))));
    const slow = newRunId(shardOf(runId), world.clock.now(), world.random);
    await world.finish(first.open.runs.startAs(slow, startOf(await world.store.deploy(SLOW)), false));
    first.faults.inject({ kind: "none", delayMs: 100 });
    const sent = [send(first.runs, runId, 0)];
    await nextTurn();
    // The first is on its way to the store, the second waits for its turn, the third comes when the shard is being left, which takes a while.
    sent.push(send(first.runs, runId, 1));
    await nextTurn();
    const moved = world.move([shardOf(runId)], first, second);
    await nextTurn();
    sent.push(send(first.runs, runId, 2));
    await world.finish(Promise.all([moved, ...sent]));
    assert.deepEqual(await signalsOf(runId), ["0", "1", "2"]);
  });

  it("start, run and end while all shards of a node are handed over in groups", async () => {
    const id = await world.store.deploy(CALLS);
    const [first, second, third] = nodes;
    const shards = [...first.held.open];
    const ends: Promise<string>[] = [];
    for (let at = 0; at < shards.length; at += 256) {
      for (const { runs } of nodes) for (let n = 0; n < 10; n += 1) ends.push(runs.execute(startOf(id, { n }), FOREVER).then(({ status }) => status));
      for (const { runs } of nodes)
        ends.push(
          runs
            .start(startOf(id))
            .then(({ runId }) => runs.outcome(runId, FOREVER))
            .then(({ status }) => status),
        );
      await world.finish(world.move(shards.slice(at, at + 256), first, at % 512 === 0 ? second : third));
    }
    assert.deepEqual(new Set(await world.finish(Promise.all(ends))), new Set(["completed"]));
    assert.equal(world.store.memory.runs.size, ends.length, "no run began twice");
    const executed = nodes.reduce((sum, { tasks }) => sum + tasks.executed.length, 0);
    assert.equal(executed, 2 * ends.length, "short tasks are not executed again");
    assert.equal(first.open.gate.size, 0);
    assert.equal(first.open.activeCount, 0);
    assert.equal(first.open.system.size, 1, "no actor of a shard is left");
  });

  it("do not wait for long tasks, which the next owner has executed again", async () => {
    const id = await world.store.deploy(SLOW);
    const [first, second] = nodes;
    const { runId } = await world.finish(first.runs.start(startOf(id)));
    const waiting = second.runs.outcome(runId, FOREVER);
    const beforeMs = world.clock.monotonic();
    await world.finish(world.move([shardOf(runId)], first, second));
    assert.ok(world.clock.monotonic() - beforeMs < 100, "the hand-over is short");
    assert.deepEqual(first.tasks.cancelled.length, 1);
    assert.equal(second.tasks.executed.length, 1);
    release?.();
    assert.equal((await world.finish(waiting)).output, '"refunded"');
  });

  it("keep their timers through a hand-over", async () => {
    const id = await world.store.deploy("do: [{ rest: { wait: { seconds: 10 } } }]");
    const [first, second] = nodes;
    const { runId } = await world.finish(first.runs.start(startOf(id)));
    await world.finish(world.move([shardOf(runId)], first, second));
    const startedMs = world.clock.monotonic();
    assert.equal((await world.finish(first.runs.outcome(runId, FOREVER))).status, "completed");
    assert.ok(world.clock.monotonic() - startedMs <= 10_100, "the new owner fires in time");
  });

  it("answer calls that were under way when their owner died, at the next owner", async () => {
    const id = await world.store.deploy(SIGNAL);
    const calls = await world.store.deploy(CALLS);
    const [first, second, third] = nodes;
    const { runId } = await world.finish(first.runs.start(startOf(id)));
    const waiting = second.runs.outcome(runId, FOREVER);
    first.faults.isDown = true;
    const sent = [0, 1, 2].map((n) => send(second.runs, runId, n));
    const described = third.runs.get(runId);
    await world.finish(new Promise<void>((resolve) => void world.clock.schedule(20, resolve)));
    const executed = third.runs.execute(startOf(calls, { n: 1 }), FOREVER);
    await world.finish(world.kill(first));
    const killedMs = world.clock.monotonic();
    await world.finish(Promise.all(sent));
    assert.ok(world.clock.monotonic() - killedMs < 100, "nobody waits for an answer of the dead");
    assert.deepEqual(await signalsOf(runId), ["0", "1", "2"]);
    assert.equal((await world.finish(described)).runId, runId);
    assert.equal((await world.finish(executed)).status, "completed");
    await world.finish(third.runs.cancel(runId, "enough"));
    assert.equal((await world.finish(waiting)).status, "cancelled");
  });

  it("start once, also when the owner dies before or after the commit of the start", async () => {
    const id = await world.store.deploy(CALLS);
    const [first, second, third] = nodes;
    await world.finish(world.move([...first.held.open], first, second));
    // From here on the first node gives its starts away. The second commits and can't answer any more.
    world.network.partition("n2", "n1", true);
    world.network.partition("n3", "n1", true);
    const started = Array.from({ length: 20 }, () => first.runs.start(startOf(id)));
    await world.finish(new Promise<void>((resolve) => void world.clock.schedule(2_000, resolve)));
    const committed = world.store.memory.runs.size;
    assert.equal(committed, 20, "all are committed, and the caller knows of none");
    world.network.heal();
    await world.finish(world.kill(second));
    const all = await world.finish(Promise.all(started));
    assert.deepEqual([new Set(all.map(({ runId }) => runId)).size, world.store.memory.runs.size], [20, 20]);
    assert.equal(third.isAlive, true);
  });

  it("go on elsewhere, and do not begin again, when their node is fenced while it lives", async () => {
    const [first] = nodes;
    const shards = [...first.held.open];
    const executed = first.runs.execute(startOf(await world.store.deploy(SLOW)), FOREVER);
    await world.finish(waitFor(() => first.tasks.executed.length === 1));
    await world.finish(world.fence(first));
    // The end of the task is the first that the node writes after it lost its shards.
    release?.();
    assert.equal((await world.finish(executed)).output, '"refunded"');
    assert.equal(world.store.memory.runs.size, 1, "the request began one run");
    await world.finish(first.open.closeShards(shards));
  });

  it("find each other again though every map is old", async () => {
    const id = await world.store.deploy(SIGNAL);
    const [first, second, third] = nodes;
    const { runId } = await world.finish(first.runs.start(startOf(id)));
    // Nobody hears of these changes but by being told "moved".
    const { map } = third;
    const stale = map.view;
    await world.finish(world.move([shardOf(runId)], first, second));
    await world.finish(world.move([shardOf(runId)], second, first));
    map.view = stale;
    await world.finish(send(third.runs, runId, 1));
    await world.finish(world.move([shardOf(runId)], first, third));
    map.view = stale;
    await world.finish(send(third.runs, runId, 2));
    await world.finish(send(second.runs, runId, 3));
    assert.deepEqual(await signalsOf(runId), ["1", "2", "3"]);
  });

  it("begin once and hear each signal once over a network that loses, repeats and reorders", async () => {
    world.network.setFaults({ loss: 0.1, duplication: 0.2, reordering: 0.2, delayMs: [0, 20] });
    const [first, second, third] = nodes;
    await world.finish(world.move([...first.held.open], first, second));
    const signalled = await world.store.deploy(SIGNAL);
    const calls = await world.store.deploy(CALLS);
    const { runId } = await world.finish(third.runs.start(startOf(signalled)));
    const before = world.store.memory.runs.size;
    const executed = Array.from({ length: 60 }, (_, n) => first.runs.execute(startOf(calls, { n }), FOREVER));
    const sent = Array.from({ length: 60 }, (_, n) => send(first.runs, runId, n));
    await world.finish(Promise.all([...sent, ...executed]));
    assert.deepEqual(
      await signalsOf(runId),
      Array.from({ length: 60 }, (_, n) => String(n)),
    );
    assert.equal(world.store.memory.runs.size - before, 60);
    await world.finish(first.runs.terminate(runId, "done"));
  });
});
