/** Nodes of an older and of this version in one cluster: what clients are told while it is upgraded, one node after the other. */
import assert from "node:assert/strict";
import { tmpdir } from "node:os";
import { connect, type MaestroClient } from "../../gateway/grpc-client.ts";
import { RunStatus } from "../../proto/gen/maestro/v1/common.ts";
import { knownMigrations } from "../../runtime/storage/pg-migrate.ts";
import { startClusterNode } from "../support/cluster-node.ts";
import { endAll, type MaestroProcess } from "../support/maestro-process.ts";
import { type NatsServer, startNatsServer } from "../support/nats-server.ts";
import { type EventSubscriber, subscribeToEvents } from "../support/nats-subscriber.ts";
import { programAt, programWith } from "../support/other-version.ts";
import { emptyDatabase, execute } from "../support/pg-fixture.ts";
import { assertAllHeard, eventsOfJournal, findEventFaults } from "../support/told-events.ts";
import { waitUntil } from "../support/wait-until.ts";

/**
 * The older version: the last commit before the rules for versions side by side. It knows the schema up to 0010, and is refused one that is newer. Move it to
 * the last release with each release.
 */
const OLDER = "d9c2fa3";

const QUICK = `document: { dsl: 1.0.3, namespace: default, name: quick, version: 1.0.0 }
do:
  - one: { set: { n: "\${ .n }" } }
  - rest: { wait: { milliseconds: 40 } }
  - two: { set: { n: "\${ .n }" } }
`;
const SIGNALLED = `document: { dsl: 1.0.3, namespace: default, name: signalled, version: 1.0.0 }
do:
  - ask: { call: signal@default, with: { name: go } }
`;

/** A cluster whose nodes are processes of several versions. */
class MixedCluster {
  readonly pgUrl: string;
  readonly nats: NatsServer;
  readonly processes = new Map<string, MaestroProcess>();
  readonly clients = new Map<string, MaestroClient>();

  constructor(pgUrl: string, nats: NatsServer) {
    this.pgUrl = pgUrl;
    this.nats = nats;
  }

  /** Starts a node; `main`: of which program. */
  launch(nodeName: string, main?: string): MaestroProcess {
    const { pgUrl, nats } = this;
    return startClusterNode(nodeName, { pgUrl, nats, leaseMs: 5_000, cwd: tmpdir(), env: { MAESTRO_EVENTS: "tasks" }, main });
  }

  /** Starts a node and waits until it is ready and has its share of the shards. */
  async open(nodeName: string, main?: string): Promise<void> {
    const node = this.launch(nodeName, main);
    const client = connect(await node.ready(90_000));
    this.processes.set(nodeName, node);
    this.clients.set(nodeName, client);
    await this.shared();
  }

  /** Ends a node. Nobody calls it any more by then, but what it has been called is under way. */
  async end(nodeName: string, signal: "SIGKILL" | "SIGTERM"): Promise<void> {
    const [node, client] = [this.processes.get(nodeName), this.clients.get(nodeName)];
    this.processes.delete(nodeName);
    this.clients.delete(nodeName);
    node?.kill(signal);
    const ended = await node?.ended(90_000);
    client?.close();
    if (signal === "SIGTERM") assert.equal(ended?.code, 0, `${nodeName} ends in order:\n${ended?.stdout}`);
    await this.shared();
  }

  client(nodeName: string): MaestroClient {
    return this.clients.get(nodeName) ?? assert.fail(`${nodeName} is there`);
  }

  /** Until the shards are where they belong: each node that is called has its share. */
  shared(): Promise<unknown> {
    return waitUntil("the shards to be shared", () => this.#isShared([...this.processes.keys()]), 90_000);
  }

  /** Until a node has none, or its share. */
  hasShards(nodeName: string, wants: boolean): Promise<unknown> {
    const rest = [...this.processes.keys()].filter((name) => wants || name !== nodeName);
    return waitUntil(`${nodeName} to have ${wants ? "its" : "no"} shards`, () => this.#isShared(rest), 90_000);
  }

  async #isShared(owners: readonly string[]): Promise<boolean> {
    const counts = await execute<{ readonly name: string; readonly count: number }>(
      this.pgUrl,
      "SELECT coalesce(n.node_name, '') AS name, count(*)::integer AS count FROM shards AS s LEFT JOIN nodes AS n ON n.boot_id = s.boot_id AND n.released_at IS NULL GROUP BY 1",
    );
    return counts.length === owners.length && counts.every(({ name, count }) => owners.includes(name) && count > 4096 / owners.length / 2);
  }

  async close(): Promise<void> {
    for (const client of this.clients.values()) client.close();
    endAll();
    await this.nats.close();
  }
}

/** Clients that start runs at one node and await them at another, all the time. */
class Load {
  asked = 0;
  readonly failures: unknown[] = [];
  readonly #cluster: MixedCluster;
  readonly #hands: Promise<unknown>;
  #isOver = false;

  constructor(cluster: MixedCluster, hands: number) {
    this.#cluster = cluster;
    this.#hands = Promise.all(Array.from({ length: hands }, () => this.#ask()));
  }

  /** Until that many more runs have ended. */
  more(count: number): Promise<unknown> {
    const wanted = this.asked + count;
    return waitUntil("more runs to end", () => this.asked >= wanted, 90_000);
  }

  async end(): Promise<void> {
    this.#isOver = true;
    await this.#hands;
  }

  async #ask(): Promise<void> {
    while (!this.#isOver) {
      const { clients } = this.#cluster;
      const pair = [...clients.keys()].sort(() => (this.asked % 2) - 0.5);
      const [starter, waiter] = [pair[this.asked % pair.length] ?? "", pair[(this.asked + 1) % pair.length] ?? ""];
      const used = [clients.get(starter), clients.get(waiter)] as const;
      try {
        const { runId } = await (used[0] as MaestroClient).start({ workflow: "quick", input: JSON.stringify({ n: this.asked }) });
        const { status } = await (used[1] as MaestroClient).awaitRun(runId);
        if (status !== RunStatus.COMPLETED) this.failures.push(`${runId} ended with ${status}`);
        this.asked += 1;
      } catch (error) {
        // The connection to a node that was killed is lost, as nobody can help.
        if (clients.get(starter) === used[0] && clients.get(waiter) === used[1]) this.failures.push(error);
      }
    }
  }
}

describe("a cluster that is upgraded node by node", function () {
  this.timeout(400_000);
  let cluster: MixedCluster;
  let older: string;
  let subscriber: EventSubscriber;
  let load: Load;

  before(async () => {
    older = programAt(OLDER);
    cluster = new MixedCluster(await emptyDatabase(), await startNatsServer({ hasJetStream: true }));
    subscriber = await subscribeToEvents(cluster.nats.url);
    await cluster.open("a", older);
    await cluster.open("b", older);
    await cluster.client("a").deploy(QUICK);
    await cluster.client("b").deploy(SIGNALLED);
    load = new Load(cluster, 3);
  });
  after(async () => {
    await load?.end();
    await subscriber?.close();
    await cluster?.close();
  });

  it("takes a node of this version in", async () => {
    await load.more(20);
    await cluster.open("c");
    await load.more(20);
  });

  it("takes each call at each node for runs of each node", async () => {
    for (const [starter, at] of cluster.clients) {
      for (const [other, client] of cluster.clients) {
        const { runId } = await at.start({ workflow: "signalled" });
        const seen: string[] = [];
        const watch = (async () => {
          for await (const { type } of client.watch(runId)) seen.push(type);
        })();
        await waitUntil("the watch to see the start", () => seen.length > 0, 90_000);
        await client.signal({ runId, name: "go", payload: `"${starter}"` });
        await watch;
        assert.deepEqual([seen[0], seen.at(-1)], ["run.started", "run.ended"], `a run of ${starter}, watched at ${other}`);
        assert.equal((await client.awaitRun(runId)).status, RunStatus.COMPLETED);
        const cancelled = await at.start({ workflow: "signalled" });
        await client.cancel(cancelled.runId, "enough");
        assert.equal((await at.awaitRun(cancelled.runId)).status, RunStatus.CANCELLED);
        assert.equal((await client.startAndWait({ workflow: "quick", input: "{}" })).status, RunStatus.COMPLETED);
      }
    }
  });

  it("hands runs from old to new and back: at a stop, on an operator's word, and after a kill", async () => {
    await cluster.client("c").drainNode("a");
    await cluster.hasShards("a", false);
    await load.more(20);
    await cluster.client("b").undrainNode("a");
    await cluster.hasShards("a", true);
    await cluster.client("b").drainNode("c");
    await cluster.hasShards("c", false);
    await cluster.client("a").undrainNode("c");
    await cluster.hasShards("c", true);
    for (const signal of ["SIGTERM", "SIGKILL"] as const) {
      await cluster.end("c", signal);
      await load.more(20);
      await cluster.open("c");
      await load.more(20);
    }
  });

  it("is left alone by a node of the old version that can't start any more", async () => {
    const late = cluster.launch("late", older);
    const { code, stdout, stderr } = await late.ended(90_000);
    assert.notEqual(code, 0);
    assert.match(stdout + stderr, /SCHEMA_TOO_NEW/);
    await load.more(20);
  });

  it("loses nothing until all nodes are of this version", async () => {
    await cluster.end("a", "SIGTERM");
    await cluster.open("a");
    await load.more(20);
    await cluster.end("b", "SIGKILL");
    await load.more(20);
    await cluster.open("b");
    await load.more(20);
    await load.end();
    assert.deepEqual(load.failures, [], "no call failed");
    const left = "SELECT id FROM workflow_runs WHERE status NOT IN ('completed', 'cancelled') LIMIT 1";
    await waitUntil("all runs to end", async () => (await execute(cluster.pgUrl, left)).length === 0, 90_000);
  });

  it("has told all events, each in its place", async () => {
    const expected = await eventsOfJournal(cluster.pgUrl, "tasks");
    const isComplete = (): boolean => findEventFaults(expected, subscriber.heard).length === 0;
    // What is still missing then is named by the assertion.
    await waitUntil("all events to be heard", isComplete, 90_000).catch(() => undefined);
    assertAllHeard(expected, subscriber.heard);
  });
});

describe("a cluster that a later version comes to", function () {
  this.timeout(300_000);
  let cluster: MixedCluster;
  let later: string;
  let load: Load;

  before(async () => {
    const number = (await knownMigrations()).at(-1)?.number ?? 0;
    const served = String(number).padStart(4, "0");
    later = programWith({
      [`runtime/storage/migrations/${String(number + 1).padStart(4, "0")}-later.sql`]: `-- Serves programs from ${served} on.
        ALTER TABLE workflow_runs ADD COLUMN later integer; ALTER TABLE nodes ADD COLUMN later integer; ALTER TABLE shards ADD COLUMN later integer`,
    });
    cluster = new MixedCluster(await emptyDatabase(), await startNatsServer({ hasJetStream: true }));
    await cluster.open("a");
    await cluster.client("a").deploy(QUICK);
    await cluster.open("b");
    load = new Load(cluster, 3);
  });
  after(async () => {
    await load?.end();
    await cluster?.close();
  });

  it("goes on, and its nodes of this version can be killed, restarted and stopped beside it", async () => {
    await load.more(20);
    await cluster.open("c", later);
    await load.more(20);
    for (const signal of ["SIGKILL", "SIGTERM"] as const) {
      await cluster.end("b", signal);
      await load.more(20);
      await cluster.open("b");
      await load.more(20);
    }
    await cluster.end("c", "SIGKILL");
    await load.more(20);
    await cluster.open("c", later);
    await cluster.end("a", "SIGTERM");
    await load.more(20);
    await load.end();
    assert.deepEqual(load.failures, []);
    const left = "SELECT id FROM workflow_runs WHERE status <> 'completed' LIMIT 1";
    await waitUntil("all runs to end", async () => (await execute(cluster.pgUrl, left)).length === 0, 90_000);
  });
});
