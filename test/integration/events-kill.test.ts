/** Events of real nodes that are killed, and of NATS servers that go away: everything that is in the journal is heard by a plain NATS client. */
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EVENT_SUBJECTS } from "../../actors/events/event-names.ts";
import { connectGateway } from "../../ops/cli/gateway-connection.ts";
import { systemClock } from "../../runtime/clock.ts";
import { EventHub } from "../../runtime/events.ts";
import { seededRandom, systemRandom } from "../../runtime/random.ts";
import { openNatsStreamReader } from "../../runtime/stream/nats-stream.ts";
import { deployLoad, EventLoad } from "../support/event-load.ts";
import { endAll, MaestroProcess, maestro } from "../support/maestro-process.ts";
import { type NatsServer, startNatsServer } from "../support/nats-server.ts";
import { type EventSubscriber, subscribeToEvents } from "../support/nats-subscriber.ts";
import { execute, freshDatabase } from "../support/pg-fixture.ts";
import { assertAllHeard, eventsOfJournal, findEventFaults, type HeardEvent } from "../support/told-events.ts";
import { waitUntil } from "../support/wait-until.ts";

const KILLS = 10;
const CHANGES = 5;
const SEED = 4;

describe("events under faults", function () {
  this.timeout(180_000);
  let cwd: string;
  let pgUrl: string;
  let nats: NatsServer;
  let subscriber: EventSubscriber;
  let load: EventLoad;
  const nodes = new Map<string, MaestroProcess>();

  beforeEach(async () => {
    cwd = mkdtempSync(join(tmpdir(), "maestro-events-"));
    pgUrl = await freshDatabase();
    nats = await startNatsServer({ hasJetStream: true, folder: join(cwd, "nats") });
    subscriber = await subscribeToEvents(nats.url);
    load = new EventLoad(20);
    const gateway = connectGateway(await openNode("one"));
    await deployLoad(gateway);
    gateway.close();
  });

  afterEach(async () => {
    await load.stop();
    for (const name of nodes.keys()) await endNode(name, "SIGTERM");
    endAll();
    await subscriber.close();
    await nats.close();
    rmSync(cwd, { recursive: true, force: true });
  });

  async function openNode(name: string): Promise<string> {
    const env = { MAESTRO_PG_URL: pgUrl, MAESTRO_NATS_URL: nats.url, MAESTRO_EVENTS: "tasks", MAESTRO_NODE_NAME: name, MAESTRO_LEASE_MS: "1500" };
    const node = new MaestroProcess(["start", "--threads", "1", "--grpc-port", "0", "--ops-port", "0"], { cwd, env });
    nodes.set(name, node);
    const address = await node.ready();
    load.use(address);
    return address;
  }

  async function endNode(name: string, signal: NodeJS.Signals): Promise<void> {
    const node = nodes.get(name);
    nodes.delete(name);
    node?.kill(signal);
    await node?.ended();
  }

  async function moreRuns(count: number): Promise<void> {
    const wanted = load.started + count;
    await waitUntil("more runs to start", () => load.started >= wanted, 30_000);
  }

  async function noticed(): Promise<void> {
    const isTold = (): boolean | undefined => nodes.get("one")?.stdout.includes("the event stream can't be had");
    await waitUntil("the node to say that the stream is away", isTold);
  }

  /** All runs end, and then what `heard` gives is complete. */
  async function assertComplete(heard: () => Promise<readonly HeardEvent[]>): Promise<void> {
    await load.stop();
    const left = "SELECT id FROM workflow_runs WHERE ended_at IS NULL LIMIT 1";
    await waitUntil("all runs to end", async () => (await execute(pgUrl, left)).length === 0, 60_000);
    const expected = await eventsOfJournal(pgUrl, "tasks");
    const isComplete = async (): Promise<boolean> => findEventFaults(expected, await heard()).length === 0;
    // What is still missing then is named by the assertion.
    await waitUntil("all events to be heard", isComplete, 60_000).catch(() => undefined);
    assertAllHeard(expected, await heard());
  }

  const bySubscriber = async (): Promise<readonly HeardEvent[]> => subscriber.heard;

  /** Whoever was away for a time reads the stream. */
  async function inStream({ url }: NatsServer = nats): Promise<readonly HeardEvent[]> {
    const parts = { url, name: "test", clock: systemClock(), random: systemRandom(), events: new EventHub(), subjects: EVENT_SUBJECTS };
    const reader = openNatsStreamReader(parts);
    const heard: HeardEvent[] = [];
    const { signal } = new AbortController();
    for await (const message of reader.read({ start: { sequence: 1 }, subject: `${EVENT_SUBJECTS}.>`, signal, stopsAtEnd: true }))
      heard.push(message);
    await reader.close();
    return heard;
  }

  it(`are all heard, in order for each run, though the node is killed ${KILLS} times`, async () => {
    const random = seededRandom(SEED);
    for (let kill = 0; kill < KILLS; kill++) {
      await moreRuns(20 + (random.uint32() % 300));
      await endNode("one", "SIGKILL");
      await openNode("one");
    }
    await assertComplete(bySubscriber);
  });

  it("are all heard though nodes of a cluster are killed and stopped, and their shards go from hand to hand", async () => {
    const random = seededRandom(SEED);
    await openNode("two");
    await openNode("three");
    for (let change = 0; change < CHANGES; change++) {
      await moreRuns(100 + (random.uint32() % 200));
      const name = ["one", "two", "three"][change % 3] as string;
      const stays = [...nodes.keys()].find((other) => other !== name) as string;
      await endNode(name, change % 2 === 0 ? "SIGKILL" : "SIGTERM");
      load.use(await (nodes.get(stays) as MaestroProcess).ready());
      await moreRuns(50);
      await openNode(name);
    }
    await assertComplete(bySubscriber);
  });

  it("are all in the stream after NATS was killed under load, and commits went on meanwhile", async () => {
    await moreRuns(200);
    await nats.kill();
    await noticed();
    await moreRuns(300);
    await nats.restart();
    await moreRuns(50);
    await assertComplete(inStream);
  });

  it("are all in the stream after NATS stood still under load", async () => {
    await moreRuns(200);
    nats.freeze();
    await noticed();
    await moreRuns(300);
    nats.thaw();
    await assertComplete(inStream);
  });

  it("are all in the old stream or in the new one after NATS lost everything", async () => {
    await moreRuns(200);
    await nats.kill();
    // What it had acknowledged is not told again, and it may have told nobody of the last of it: the files know.
    cpSync(join(cwd, "nats", "data"), join(cwd, "old-nats", "data"), { recursive: true });
    await moreRuns(100);
    await nats.restart(true);
    await moreRuns(100);
    await load.stop();
    const oldNats = await startNatsServer({ hasJetStream: true, folder: join(cwd, "old-nats") });
    const old = await inStream(oldNats);
    await oldNats.close();
    // The order of the two sources means nothing.
    const isTold = async (): Promise<boolean> => {
      const heard = [...old, ...(await inStream())];
      const expected = await eventsOfJournal(pgUrl, "tasks");
      return !findEventFaults(expected, heard).some((fault) => !fault.startsWith("out of order"));
    };
    await waitUntil("all events to be told", isTold, 60_000);
  });

  it("are shown by the command line, and by a node that has no NATS server a reason", async () => {
    await moreRuns(9);
    await load.stop();
    const address = await (nodes.get("one") as MaestroProcess).ready();
    const shows = async (...args: string[]): Promise<readonly string[]> =>
      (await maestro(["events", "--address", address, ...args], { cwd })).stdout.split("\n").filter((line) => line !== "");
    await waitUntil("a failure to be shown", async () => (await shows("--type", "workflow.faulted", "--workflow", "fails")).length > 0);
    const [line] = await shows("--json", "--type", "workflow.faulted");
    const event = JSON.parse(line ?? "") as { readonly type: string; readonly data: { readonly error: { readonly title: string } } };
    if (event.type !== "io.serverlessworkflow.workflow.faulted.v1" || event.data.error.title !== "No") throw new Error(`it shows ${line}`);
  });
});
