import assert from "node:assert/strict";
import { credentials, status } from "@grpc/grpc-js";
import { connect } from "../../gateway/grpc-client.ts";
import { GrpcServer } from "../../gateway/grpc-server.ts";
import { DETAILS_TRAILER } from "../../gateway/grpc-status.ts";
import { FILE_DESCRIPTORS } from "../../proto/gen/descriptors.ts";
import { RunServiceClient, RunServiceService } from "../../proto/gen/maestro/v1/run_service.ts";
import { WorkflowServiceService } from "../../proto/gen/maestro/v1/workflow_service.ts";
import { systemClock } from "../../runtime/clock.ts";
import type { RunId } from "../../runtime/ids.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { seededRandom } from "../../runtime/random.ts";
import { type GatewayWorld, openGateway } from "../support/gateway-world.ts";
import { checkHealth, reflect, watchHealth } from "../support/grpc-peer.ts";
import { callRaw, RawExecute } from "../support/raw-gateway.ts";
import { waitUntil } from "../support/wait-until.ts";

const SERVICE_NAMES = ["maestro.v1.WorkflowService", "maestro.v1.RunService", "maestro.v1.ClusterService", "maestro.v1.EventService"] as const;
const HOLD = '{"hold":true}';

describe("gRPC server", () => {
  let world: GatewayWorld;

  beforeEach(async () => {
    world = await openGateway();
  });

  afterEach(() => world.close());

  const serverOn = (port: number): GrpcServer =>
    new GrpcServer({ runs: world.runs, workflows: world.workflows, cluster: world.cluster, clock: systemClock(), events: world.events, port });

  it("names host, port and setting when its port is taken", async () => {
    const port = Number(world.server.address.split(":")[1]);
    const second = serverOn(port);
    await assert.rejects(second.start(), {
      code: "PORT_IN_USE",
      facts: { port, host: "127.0.0.1", purpose: "gRPC", setting: "MAESTRO_GRPC_PORT" },
    });
    second.stop();
  });

  it("tells a client that nobody answers at an address", async () => {
    const closed = serverOn(0);
    const address = await closed.start();
    closed.stop();
    const client = connect(address);
    await assert.rejects(client.getRun("x"), { code: "NODE_UNREACHABLE" });
    client.close();
  });

  it("says whether it serves, for the server and for each service", async () => {
    const watch = watchHealth(world.server.address, SERVICE_NAMES[1]);
    await waitUntil("the first answer", () => watch.answers.length === 1);
    for (const service of ["", ...SERVICE_NAMES]) assert.equal(await checkHealth(world.server.address, service), "SERVING");
    await assert.rejects(checkHealth(world.server.address, "nobody"), { code: status.NOT_FOUND });
    world.server.setServing(false);
    assert.equal(await checkHealth(world.server.address, ""), "NOT_SERVING");
    world.server.setServing(true);
    await waitUntil("three answers", () => watch.answers.length === 3);
    assert.deepEqual(watch.answers, ["SERVING", "NOT_SERVING", "SERVING"]);
    watch.close();
  });

  it("describes its services and every file that they need", async () => {
    const list = await reflect(world.server.address, { listServices: "*" });
    const names = list.listServicesResponse?.service.map(({ name }) => name).sort();
    assert.deepEqual(names, ["grpc.health.v1.Health", ...SERVICE_NAMES].sort());
    for (const name of Object.keys(FILE_DESCRIPTORS)) {
      const answer = await reflect(world.server.address, { fileByFilename: name });
      assert.equal((answer.fileDescriptorResponse?.fileDescriptorProto.length ?? 0) > 0, true, name);
    }
    for (const symbol of [
      "maestro.v1.RunService",
      "maestro.v1.ClusterService",
      "maestro.v1.EventService",
      "google.rpc.ErrorInfo",
      "google.rpc.BadRequest",
      "google.rpc.RetryInfo",
    ]) {
      const answer = await reflect(world.server.address, { fileContainingSymbol: symbol });
      assert.equal(answer.errorResponse, undefined, symbol);
    }
  });

  it("refuses a request above the size limit, and keeps serving", async () => {
    await assert.rejects(world.client.start({ workflow: "echo", input: `"${"x".repeat(5_000_000)}"` }), {
      code: "MESSAGE_TOO_LARGE",
      message: /^The request has 50000\d\d bytes; at most 4194304 are taken\.$/,
    });
    const input = `"${"x".repeat(LIMITS.payloadBytes)}"`;
    await assert.rejects(world.client.start({ workflow: "echo", input }), {
      code: "MESSAGE_TOO_LARGE",
      facts: { field: "input", bytes: `${LIMITS.payloadBytes + 2}`, limit: `${LIMITS.payloadBytes}` },
    });
    const { runId } = await world.client.start({ workflow: "echo", input: `"${"x".repeat(LIMITS.payloadBytes - 2)}"` });
    assert.equal((await world.client.getRun(runId)).output.length, LIMITS.payloadBytes);
  });

  it("answers bytes that are no message on every method, and keeps serving", async () => {
    const raw = new RunServiceClient(world.server.address, credentials.createInsecure());
    const random = seededRandom(3);
    const paths = [...Object.values(RunServiceService), ...Object.values(WorkflowServiceService)].map(({ path }) => path);
    for (const path of paths) {
      const torn = await callRaw(raw, path, Buffer.from([0x0a, 0xff, 0xff, 0xff, 0x0f]));
      assert.deepEqual([path, torn.code, torn.metadata.get(DETAILS_TRAILER).length], [path, status.INVALID_ARGUMENT, 1]);
      for (let round = 0; round < 40; round += 1) {
        const bytes = Buffer.from(Array.from({ length: random.uint32() % 48 }, () => random.uint32() & 0xff));
        const answer = await callRaw(raw, path, bytes);
        assert.notEqual(answer.code, status.UNKNOWN, `${path} ${bytes.toString("hex")}`);
        assert.notEqual(answer.code, status.UNAVAILABLE, `${path} ${bytes.toString("hex")}`);
      }
    }
    raw.close();
    assert.equal((await world.client.start({ workflow: "echo" })).created, true);
    assert.equal(world.server.waitingCalls, 0);
  });

  it("drains: watches end, what waits for a run gets its time, nothing new is taken", async () => {
    const runId = (await world.client.start({ workflow: "echo", input: HOLD })).runId as RunId;
    const health = watchHealth(world.server.address, "");
    const awaited = world.client.awaitRun(runId);
    const raw = new RawExecute(world.server.address);
    raw.send(1, HOLD);
    await waitUntil("both waits", () => world.fake.waiting === 2 && health.answers.length === 1);
    const drained = world.server.drain(60_000);
    await waitUntil("the health watch to end", () => health.isEnded);
    assert.deepEqual(health.answers, ["SERVING", "NOT_SERVING"]);
    raw.send(2);
    await waitUntil("the refusal", () => raw.answers.length === 1);
    assert.equal(raw.answers[0]?.result?.$case, "error");
    for (const held of world.fake.held()) world.fake.end(held, "completed", "1");
    assert.equal((await awaited).output, "1");
    await waitUntil("the end of the stream", () => raw.status);
    assert.equal(raw.answers[1]?.result?.$case, "run");
    assert.equal(raw.status?.code, status.UNAVAILABLE);
    await drained;
    raw.close();
    health.close();
    await assert.rejects(world.client.getRun(runId), { code: "NODE_UNREACHABLE" });
  });

  it("answers NODE_STOPPING to what still waits when the time for draining is over", async () => {
    const awaited = world.client.startAndWait({ workflow: "echo", input: HOLD });
    const executed = world.client.execute({ workflow: "echo", input: HOLD });
    await waitUntil("both waits", () => world.fake.waiting === 2);
    const stuck = Promise.withResolvers<never>();
    let isAsked = false;
    world.fake.start = () => {
      isAsked = true;
      return stuck.promise;
    };
    const started = world.client.start({ workflow: "echo" });
    await waitUntil("the start that gets no answer", () => isAsked);
    const outcomes = Promise.allSettled([awaited, executed, started]);
    await world.server.drain(50);
    stuck.reject(new Error("too late"));
    for (const outcome of await outcomes) {
      assert.equal(outcome.status === "rejected" && (outcome.reason as { code: string }).code, "NODE_STOPPING");
    }
    assert.equal(world.fake.waiting, 0);
  });

  it("ends watches for a drain with an error that a client may retry elsewhere", async () => {
    const { runId } = await world.client.start({ workflow: "echo", input: HOLD });
    const raw = new RunServiceClient(world.server.address, credentials.createInsecure());
    const stream = raw.watch({ runId, fromSeq: 1 });
    const codes: (number | undefined)[] = [];
    stream.on("data", () => undefined);
    stream.on("error", (error: Error & { code?: number }) => codes.push(error.code));
    await waitUntil("the watch", () => world.fake.watching === 1);
    await world.server.drain(10_000);
    await waitUntil("the end of the watch", () => codes.length > 0);
    assert.deepEqual(codes, [status.UNAVAILABLE]);
    raw.close();
  });
});
