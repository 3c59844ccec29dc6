/** EventService over gRPC: a gateway over the event stream in memory, and over none. */
import assert from "node:assert/strict";
import { connect, type MaestroClient } from "../../gateway/grpc-client.ts";
import { GrpcServer } from "../../gateway/grpc-server.ts";
import { EventService } from "../../gateway/service/event-service.ts";
import { systemClock } from "../../runtime/clock.ts";
import { EventHub } from "../../runtime/events.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { MemoryStream } from "../../runtime/stream/memory-stream.ts";
import { gatewayParts } from "../support/gateway-world.ts";
import { waitUntil } from "../support/wait-until.ts";

const RUNS = ["01a200b3-82ac-7a26-bb18-c71e69994644", "01a200b3-82ad-7058-9d59-f22e47c3dc4a"];
const COMPLETED = "io.serverlessworkflow.workflow.completed.v1";

describe("EventService.Subscribe", () => {
  let stream: MemoryStream;
  let server: GrpcServer;
  let client: MaestroClient;
  let ended: AbortController;

  async function open(service: EventService): Promise<void> {
    server = new GrpcServer({ ...gatewayParts(), eventService: service, clock: systemClock(), events: new EventHub(), port: 0 });
    client = connect(await server.start());
  }

  beforeEach(async () => {
    stream = new MemoryStream(systemClock());
    ended = new AbortController();
    await open(new EventService(stream.openReader()));
  });
  afterEach(() => {
    ended.abort();
    client.close();
    server.stop();
  });

  /** Stores some events: numbers 1, 2, 3 ... of runs in turn. */
  function store(count: number, kind = "workflow-started", workflow = "sample"): void {
    for (let index = 0; index < count; index++) {
      const id = `${RUNS[index % 2]}:${stream.messages.length + 1}`;
      stream.store(`maestro.events.test.${workflow}.${kind}`, id, JSON.stringify({ id }));
    }
  }

  async function subscribe(request: Parameters<MaestroClient["subscribe"]>[0]): Promise<readonly number[]> {
    const sequences: number[] = [];
    for await (const { sequence } of client.subscribe({ stopAtEnd: true, ...request }, { signal: ended.signal })) sequences.push(sequence);
    return sequences;
  }

  it("replays from a number or a time, and then is live", async () => {
    store(3);
    assert.deepEqual(await subscribe({ start: { $case: "fromSequence", value: 2 } }), [2, 3]);
    assert.deepEqual(await subscribe({ start: { $case: "fromTime", value: { seconds: 1, nanos: 0 } } }), [1, 2, 3]);
    const heard: string[] = [];
    const follow = async (): Promise<void> => {
      const events = client.subscribe({ start: { $case: "fromSequence", value: 3 } }, { signal: ended.signal });
      for await (const { json } of events) heard.push((JSON.parse(json) as { id: string }).id);
    };
    const following = follow();
    await waitUntil("what was there to be heard", () => heard.length === 1);
    store(1);
    await waitUntil("what is new to be heard", () => heard.length === 2);
    assert.deepEqual(heard, [`${RUNS[0]}:3`, `${RUNS[0]}:4`]);
    ended.abort();
    await following;
  });

  it("filters by workflow, type and run", async () => {
    store(2);
    store(2, "workflow-completed");
    store(2, "workflow-started", "other");
    const start = { $case: "fromSequence", value: 1 } as const;
    assert.deepEqual(await subscribe({ start, workflow: "other" }), [5, 6]);
    assert.deepEqual(await subscribe({ start, namespace: "elsewhere" }), []);
    assert.deepEqual(await subscribe({ start, types: [COMPLETED] }), [3, 4]);
    assert.deepEqual(await subscribe({ start, types: [COMPLETED, "io.serverlessworkflow.workflow.started.v1"], workflow: "sample" }), [1, 2, 3, 4]);
    assert.deepEqual(await subscribe({ start, runId: RUNS[1] ?? "" }), [2, 4, 6]);
  });

  it("says all that is wrong with a request", async () => {
    const bad = { namespace: "a b", types: ["started"], runId: "7", start: { $case: "fromSequence", value: -1 } } as const;
    await assert.rejects(subscribe({ ...bad, types: [...bad.types] }), (error: { code: string; violations: readonly { field: string }[] }) => {
      assert.equal(error.code, "FIELD_INVALID");
      assert.deepEqual(
        error.violations.map(({ field }) => field),
        ["from_sequence", "namespace", "types", "run_id"],
      );
      return true;
    });
  });

  it("says that there are no events without a NATS server, and that a stream is away", async () => {
    stream.stop();
    const call = client.subscribe({}, { signal: AbortSignal.timeout(300) });
    assert.equal((await call.next()).done, true, "a client goes on trying, for it passes");
    client.close();
    server.stop();
    await open(new EventService(undefined));
    await assert.rejects(subscribe({}), { code: "EVENTS_OFF" });
  });

  it("asks for no more than a client that does not read can take", async () => {
    let taken = 0;
    const endless = {
      async *read() {
        for (;;) {
          taken += 1;
          yield {
            sequence: taken,
            storedAtMs: 0,
            subject: "maestro.events.test.sample.workflow-started",
            id: `x:${taken}`,
            text: "x".repeat(10_000),
          };
        }
      },
      close: async () => undefined,
    };
    client.close();
    server.stop();
    await open(new EventService(endless));
    const events = client.subscribe({}, { signal: ended.signal });
    await events.next();
    let before = -1;
    await waitUntil("the gateway to stop reading", async () => {
      const isStill = before === taken;
      before = taken;
      await new Promise((resolve) => systemClock().schedule(100, () => resolve(undefined)));
      return isStill;
    });
    assert.ok(taken * 10_000 < 16 * LIMITS.answerBytes, `${taken} events were read ahead`);
  });
});
