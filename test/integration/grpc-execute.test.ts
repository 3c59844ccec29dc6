import assert from "node:assert/strict";
import { status } from "@grpc/grpc-js";
import { fromStatusMessage } from "../../gateway/grpc-client-errors.ts";
import { GrpcServer } from "../../gateway/grpc-server.ts";
import { RunStatus } from "../../proto/gen/maestro/v1/common.ts";
import type { ExecuteResponse } from "../../proto/gen/maestro/v1/run_service.ts";
import { systemClock } from "../../runtime/clock.ts";
import { MaestroError } from "../../runtime/errors.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { type GatewayWorld, openGateway } from "../support/gateway-world.ts";
import { RawExecute } from "../support/raw-gateway.ts";
import { waitUntil } from "../support/wait-until.ts";

const QUIET_TURNS = 100;
const HOLD = '{"hold":true}';

function codeOf(answer: ExecuteResponse | undefined): string | undefined {
  return answer?.result?.$case === "error" ? fromStatusMessage(answer.result.value)?.code : answer?.result?.$case;
}

describe("gRPC Execute", () => {
  let world: GatewayWorld;
  let raw: RawExecute;

  beforeEach(async () => {
    world = await openGateway();
    raw = new RawExecute(world.server.address);
  });

  afterEach(() => {
    raw.close();
    world.close();
  });

  it("answers each request once, in the order in which the runs end", async () => {
    raw.send(1, HOLD);
    raw.send(2, HOLD);
    raw.send(3, '{"n":3}');
    await waitUntil("both held runs", () => world.fake.held().length === 2);
    const [first, second] = world.fake.held();
    assert.ok(first !== undefined && second !== undefined);
    world.fake.end(second, "failed", undefined, "broken");
    world.fake.end(first, "completed", '"one"');
    raw.stream.end();
    await waitUntil("the end of the stream", () => raw.status);
    assert.equal(raw.status?.code, status.OK);
    assert.deepEqual(
      raw.answers.map(({ requestId, result }) => [requestId, result?.$case === "run" ? result.value.status : undefined]),
      [
        [3, RunStatus.COMPLETED],
        [2, RunStatus.FAILED],
        [1, RunStatus.COMPLETED],
      ],
    );
  });

  it("waits for the rest after the client has closed its half", async () => {
    raw.send(1, HOLD);
    raw.stream.end();
    await waitUntil("the held run", () => world.fake.held().length === 1);
    assert.equal(raw.answers.length, 0);
    for (const runId of world.fake.held()) world.fake.end(runId, "completed", "1");
    await waitUntil("the end of the stream", () => raw.status);
    assert.deepEqual([raw.status?.code, raw.answers.length, world.server.waitingCalls], [status.OK, 1, 0]);
  });

  it("answers the mistake of one request to that request", async () => {
    raw.stream.write({ requestId: 1, start: undefined });
    raw.send(2, "{");
    raw.send(0);
    raw.send(3);
    await waitUntil("four answers", () => raw.answers.length === 4);
    const codes = new Map(raw.answers.map((answer) => [answer.requestId, codeOf(answer)]));
    assert.deepEqual(Object.fromEntries(codes), { 0: "FIELD_INVALID", 1: "FIELD_INVALID", 2: "FIELD_INVALID", 3: "run" });
  });

  it("ends the stream when an id is used twice at a time, and leaves the run alone", async () => {
    raw.send(7, HOLD);
    raw.send(7);
    await waitUntil("the end of the stream", () => raw.status);
    assert.equal(raw.status?.code, status.INVALID_ARGUMENT);
    assert.match(raw.status?.details ?? "", /request_id .*7 is under way/);
    assert.equal(world.fake.held().length, 1);
    assert.equal(world.fake.waiting, 0);
  });

  it("takes an id again once it was answered", async () => {
    raw.send(7);
    await waitUntil("the first answer", () => raw.answers.length === 1);
    raw.send(7);
    await waitUntil("the second answer", () => raw.answers.length === 2);
    assert.deepEqual(raw.answers.map(codeOf), ["run", "run"]);
  });

  it("ends the waiting, not the runs, when the client goes away", async () => {
    raw.send(1, HOLD);
    raw.send(2, HOLD);
    await waitUntil("both held runs", () => world.fake.waiting === 2);
    raw.stream.cancel();
    await waitUntil("the end of the waiting", () => world.fake.waiting === 0);
    assert.equal(world.fake.held().length, 2);
    assert.equal(world.server.waitingCalls, 0);
  });

  it("reads no more than the bound while runs do not end", async () => {
    for (let id = 1; id <= LIMITS.executeInFlight + 500; id += 1) raw.send(id, HOLD);
    await waitUntil("a full stream", () => world.fake.waiting === LIMITS.executeInFlight);
    const { runId: other } = await world.client.start({ workflow: "echo" });
    assert.equal(
      await settledCount(
        () => world.fake.waiting,
        () => world.client.getRun(other),
      ),
      LIMITS.executeInFlight,
    );
    for (const runId of world.fake.held()) world.fake.end(runId, "completed", "1");
    await waitUntil("the rest to be read", () => world.fake.waiting === 500);
  });

  it("does not read while so many starts wait on the node, and goes on without having lost one", async () => {
    world.fake.intake.isCrowded = true;
    // The first is read before the stream knows.
    for (let id = 1; id <= 500; id += 1) raw.send(id);
    await waitUntil("the stream to wait for room", () => world.fake.intake.awaited === 1);
    const { runId: other } = await world.client.start({ workflow: "echo" });
    const read = await settledCount(
      () => world.fake.started,
      () => world.client.getRun(other),
    );
    assert.ok(read < 100, `${read} starts were read`);
    world.fake.intake.isCrowded = false;
    await waitUntil("all answers", () => raw.answers.length === 500);
    assert.deepEqual(new Set(raw.answers.map(codeOf)), new Set(["run"]));
    assert.equal(world.fake.started, 501);
  });

  it("waits for room no longer than its client is there", async () => {
    world.fake.intake.isCrowded = true;
    raw.send(1, HOLD);
    await waitUntil("the stream to wait for room", () => world.fake.intake.awaited === 1);
    raw.stream.cancel();
    await waitUntil("the stream to wait no more", () => world.fake.intake.awaited === 0);
  });

  it("refuses starts that the node would refuse, before anything is done for them", async () => {
    world.fake.intake.refusal = new MaestroError("NODE_OVERLOADED", { facts: { active: 3 }, retryAfterMs: 1_000 });
    raw.send(1);
    raw.send(2, "not JSON");
    await waitUntil("both answers", () => raw.answers.length === 2);
    assert.deepEqual(raw.answers.map(codeOf), ["NODE_OVERLOADED", "NODE_OVERLOADED"]);
    await assert.rejects(world.client.start({ workflow: "echo" }), { code: "NODE_OVERLOADED", retryAfterMs: 1_000 });
    await assert.rejects(world.client.startAndWait({ workflow: "echo" }), { code: "NODE_OVERLOADED", retryAfterMs: 1_000 });
    assert.equal(world.fake.started, 0);
  });

  it("holds no more than a bound of large inputs", async () => {
    const input = JSON.stringify({ hold: true, padding: "x".repeat(LIMITS.payloadBytes - 64) });
    const fitting = Math.ceil(LIMITS.executeInFlightChars / input.length);
    for (let id = 1; id <= fitting + 8; id += 1) raw.send(id, input);
    await waitUntil("a full stream", () => world.fake.waiting >= fitting);
    const { runId: other } = await world.client.start({ workflow: "echo" });
    assert.equal(
      await settledCount(
        () => world.fake.waiting,
        () => world.client.getRun(other),
      ),
      fitting,
    );
    for (const runId of world.fake.held()) world.fake.end(runId, "completed", "1");
    await waitUntil("the rest to be read", () => world.fake.waiting === 8);
  });

  it("reads no more than the bound while the client does not take its answers", async () => {
    const { runId } = await world.client.start({ workflow: "echo" });
    const output = JSON.stringify("x".repeat(4096));
    raw.stream.pause();
    const total = LIMITS.executeInFlight * 3;
    for (let id = 1; id <= total; id += 1) raw.send(id, output);
    const sentFrom = await settledCount(
      () => world.fake.started,
      () => world.client.getRun(runId),
    );
    // What the connection and the client's own buffers hold (some hundred kilobytes) comes on top of the server's bound.
    assert.ok(sentFrom < LIMITS.executeInFlight * 2, `${sentFrom} runs were started for a client that reads nothing`);
    raw.stream.resume();
    await waitUntil("all answers", () => raw.answers.length === total);
    assert.equal(new Set(raw.answers.map(({ requestId }) => requestId)).size, total);
  });

  it("multiplexes a client's executions and gives each its own end", async () => {
    const results = await Promise.allSettled([
      ...Array.from({ length: 50 }, (_, index) => world.client.execute({ workflow: "echo", input: `${index}` })),
      world.client.execute({ workflow: "missing" }),
    ]);
    const outputs = results.map((result) => (result.status === "fulfilled" ? result.value.output : (result.reason as { code: string }).code));
    assert.deepEqual(outputs, [...Array.from({ length: 50 }, (_, index) => `${index}`), "WORKFLOW_NOT_FOUND"]);
  });

  it("rejects a client's executions when the gateway goes away, and connects again when it is back", async () => {
    const lost = world.client.execute({ workflow: "echo", input: HOLD });
    await waitUntil("the held run", () => world.fake.waiting === 1);
    world.server.stop();
    await assert.rejects(lost, { code: "NODE_STOPPING", retryable: true });
    const port = Number(world.server.address.split(":")[1]);
    const back = new GrpcServer({
      runs: world.runs,
      workflows: world.workflows,
      cluster: world.cluster,
      clock: systemClock(),
      events: world.events,
      port,
    });
    await back.start();
    const result = await waitUntil("the client to connect again", () => world.client.execute({ workflow: "echo", input: "2" }));
    assert.equal(result.output, "2");
    back.stop();
  });
});

/** The count once others were served so often in a row without its changing that the stream has had all the turns that it needs. */
async function settledCount(count: () => number, serveOther: () => Promise<unknown>): Promise<number> {
  let last = -1;
  for (let quiet = 0; quiet < QUIET_TURNS; ) {
    const now = count();
    await serveOther();
    quiet = now === last ? quiet + 1 : 0;
    last = now;
  }
  return last;
}
