import assert from "node:assert/strict";
import { credentials } from "@grpc/grpc-js";
import { RunStatus } from "../../proto/gen/maestro/v1/common.ts";
import { type Run, RunPart, RunServiceClient } from "../../proto/gen/maestro/v1/run_service.ts";
import { MaestroError } from "../../runtime/errors.ts";
import { isUuid, type RunId } from "../../runtime/ids.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { documentOf, type GatewayWorld, openGateway } from "../support/gateway-world.ts";
import { waitUntil } from "../support/wait-until.ts";

const UNKNOWN = "01900000-0000-7000-8000-000000000000";

describe("gRPC run service", () => {
  let world: GatewayWorld;

  beforeEach(async () => {
    world = await openGateway();
  });

  afterEach(() => world.close());

  const held = async (): Promise<RunId> => (await world.client.start({ workflow: "echo", input: '{"hold":true}' })).runId as RunId;

  it("starts a run with everything that the request says", async () => {
    const traceParent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    const request = { workflow: "echo", input: '{"a":1}', labels: { team: "blue" }, idempotencyKey: "k1" };
    const { runId, created } = await world.client.start(request, { traceParent });
    assert.equal(created, true);
    const started = world.fake.requestOf(runId);
    assert.equal(isUuid(started.workflowId), true);
    assert.deepEqual(started, {
      workflowId: started.workflowId,
      input: '{"a":1}',
      userId: "anonymous",
      labels: { team: "blue" },
      idempotencyKey: "default/k1",
      traceParent,
    });
    assert.deepEqual(await world.client.start(request), { runId, created: false, result: undefined });
  });

  it("starts the version that is asked for, and the latest without one", async () => {
    await world.client.deploy(documentOf("echo", "2.0.0"));
    const first = await world.client.start({ workflow: "echo", version: "1.0.0" });
    const latest = await world.client.start({ workflow: "echo" });
    assert.equal((await world.client.getRun(first.runId)).version, "1.0.0");
    assert.equal((await world.client.getRun(latest.runId)).version, "2.0.0");
    assert.equal(world.fake.requestOf(latest.runId).input, "{}");
  });

  it("answers a run with its names, times, input, output and error", async () => {
    const { runId } = await world.client.start({ workflow: "echo", input: "[1]" });
    const run = await world.client.getRun(runId.toUpperCase());
    assert.equal(run.status, RunStatus.COMPLETED);
    assert.deepEqual([run.namespace, run.workflow, run.version, run.input, run.output, run.lastSeq], ["default", "echo", "1.0.0", "[1]", "[1]", 2]);
    assert.equal((run.endedAt?.seconds ?? 0) >= (run.createdAt?.seconds ?? 1), true);
    const cancelled = await held();
    await world.client.cancel(cancelled, "not needed");
    assert.equal((await world.client.getRun(cancelled)).error?.detail, "not needed");
  });

  it("waits for a run's end", async () => {
    const runId = await held();
    const ended = world.client.awaitRun(runId);
    await waitUntil("the wait to reach the runs", () => world.fake.waiting === 1);
    await world.client.signal({ runId, name: "finish", payload: '"done"' });
    assert.equal((await ended).output, '"done"');
  });

  it("starts and waits with one call, also for the run that a key has started before", async () => {
    const first = await world.client.startAndWait({ workflow: "echo", input: '{"a":1}' });
    assert.equal(first.output, '{"a":1}');
    const [keyed, again] = await Promise.all([
      world.client.startAndWait({ workflow: "echo", input: "7", idempotencyKey: "once" }),
      world.client.startAndWait({ workflow: "echo", input: "7", idempotencyKey: "once" }),
    ]);
    assert.equal(keyed.runId, again.runId);
    await assert.rejects(world.client.startAndWait({ workflow: "echo", input: '{"hold":true}' }, { timeoutMs: 50 }), { code: "TIMED_OUT" });
  });

  it("lists runs page by page, by name, status and time", async () => {
    await world.client.deploy(documentOf("other", "1.0.0"));
    for (let index = 0; index < 5; index += 1) await world.client.start({ workflow: "echo" });
    await world.client.start({ workflow: "other" });
    await held();
    const first = await world.client.listRuns({ workflow: "echo", statuses: [RunStatus.COMPLETED], pageSize: 3 });
    assert.equal(first.runs.length, 3);
    const second = await world.client.listRuns({ workflow: "echo", statuses: [RunStatus.COMPLETED], pageSize: 3, pageToken: first.nextPageToken });
    assert.deepEqual([second.runs.length, second.nextPageToken], [2, ""]);
    assert.equal(new Set([...first.runs, ...second.runs].map((run) => run.runId)).size, 5);
    assert.equal((await world.client.listRuns({ namespace: "nobody" })).runs.length, 0);
    assert.equal((await world.client.listRuns({ createdBefore: { seconds: 1, nanos: 0 } })).runs.length, 0);
    await assert.rejects(world.client.listRuns({ workflow: "other", pageToken: first.nextPageToken }), { code: "PAGE_TOKEN_INVALID" });
  });

  it("answers a run with the largest input and output to clients that take what gRPC takes by default", async () => {
    const input = JSON.stringify("x".repeat(LIMITS.payloadBytes - 2));
    const { runId } = await world.client.start({ workflow: "echo", input, wait: true });
    const plain = new RunServiceClient(world.client.address, credentials.createInsecure());
    const get = (part: RunPart): Promise<Run> =>
      new Promise((resolve, reject) => {
        plain.get({ runId, wait: false, part }, (error, answer) =>
          error === null && answer.run !== undefined ? resolve(answer.run) : reject(error),
        );
      });
    const run = await get(RunPart.UNSPECIFIED);
    assert.deepEqual([run.input, run.inputBytes, run.output], ["", input.length, input]);
    assert.deepEqual([(await get(RunPart.INPUT)).input, (await get(RunPart.OUTPUT)).output], [input, input]);
    plain.close();
    const whole = await world.client.getRun(runId);
    assert.deepEqual([whole.input, whole.output], [input, input]);
  });

  it("gives history in pages and says where to go on", async () => {
    const runId = await held();
    for (let index = 0; index < 4; index += 1) world.fake.note(runId, "task.started");
    const first = await world.client.history({ runId, pageSize: 3 });
    assert.deepEqual([first.entries.map(({ seq }) => seq), first.nextSeq], [[1, 2, 3], 4]);
    const rest = await world.client.history({ runId, pageSize: 3, fromSeq: first.nextSeq });
    assert.deepEqual([rest.entries.map(({ seq }) => seq), rest.nextSeq], [[4, 5], 0]);
  });

  it("says of a signal, if asked, that no task waits for its name", async () => {
    const { runId } = await world.client.start({ workflow: "echo", input: '{"hold":true}' });
    const signal = (name: string, checkName: boolean) => world.client.signal({ runId, name, checkName });
    assert.deepEqual(await signal("aprove", true), { nameUnknown: true, knownNames: ["approve", "finish"] });
    for (const answer of [await signal("approve", true), await signal("aprove", false)])
      assert.deepEqual(answer, { nameUnknown: false, knownNames: [] });
  });

  it("delivers signals once per id, with null for no payload", async () => {
    const runId = await held();
    await world.client.signal({ runId, name: "approve", signalId: "s1" });
    await world.client.signal({ runId, name: "approve", signalId: "s1" });
    assert.deepEqual(world.fake.signalsOf(runId), [{ name: "approve", payload: "null", signalId: "s1" }]);
  });

  it("cancels, terminates and releases", async () => {
    const [cancelled, terminated, released] = [await held(), await held(), await held()];
    await world.client.cancel(cancelled);
    await world.client.terminate(terminated, "enough");
    world.fake.quarantine(released);
    await world.client.release(released);
    const statuses = await Promise.all([cancelled, terminated, released].map(async (id) => (await world.client.getRun(id)).status));
    assert.deepEqual(statuses, [RunStatus.CANCELLED, RunStatus.TERMINATED, RunStatus.RUNNING]);
    await world.client.cancel(cancelled);
    await assert.rejects(world.client.terminate(cancelled), { code: "RUN_ENDED", facts: { runId: cancelled, status: "cancelled" } });
    await assert.rejects(world.client.release(cancelled), { code: "RUN_NOT_QUARANTINED" });
  });

  it("says of a request that the gRPC library itself refuses how large it may be", async () => {
    const input = JSON.stringify("x".repeat(6_000_000));
    await assert.rejects(world.client.start({ workflow: "echo", input }), (error) => {
      assert.ok(error instanceof MaestroError && error.code === "MESSAGE_TOO_LARGE", String(error));
      assert.match(error.message, /^The request has 6\d{6} bytes; at most 4194304 are taken\.$/);
      return true;
    });
  });

  it("refuses ids that are no run's, on every method that takes one", async () => {
    const { client } = world;
    const calls = (runId: string): Promise<unknown>[] => [
      client.getRun(runId),
      client.awaitRun(runId),
      client.history({ runId }),
      client.signal({ runId, name: "x" }),
      client.cancel(runId),
      client.terminate(runId),
      client.release(runId),
      client.watch(runId).next(),
    ];
    for (const call of calls("no-id")) {
      await assert.rejects(call, { code: "FIELD_INVALID", violations: [{ field: "run_id", description: "must be a UUID of version 7." }] });
    }
    for (const call of calls(UNKNOWN)) await assert.rejects(call, { code: "RUN_NOT_FOUND", facts: { runId: UNKNOWN } });
  });

  it("names all mistakes of a request at once", async () => {
    const request = { workflow: "no name", version: "1 0", input: "{", labels: { "": "x" }, idempotencyKey: "a\nb" };
    await assert.rejects(world.client.start(request), (error: MaestroError) => {
      assert.equal(error.code, "FIELD_INVALID");
      assert.deepEqual(
        error.violations.map(({ field }) => field),
        ["workflow", "version", "input", "idempotency_key", "labels"],
      );
      return true;
    });
    await assert.rejects(world.client.start({ workflow: "missing" }), { code: "WORKFLOW_NOT_FOUND", facts: { workflow: "default/missing" } });
  });

  it("tells a client when to try again, and nothing of a defect", async () => {
    world.fake.failure = new MaestroError("NODE_OVERLOADED", { facts: { active: 3 }, retryAfterMs: 1250 });
    await assert.rejects(world.client.start({ workflow: "echo" }), { code: "NODE_OVERLOADED", retryAfterMs: 1250, facts: { active: "3" } });
    const broken: unknown[] = [];
    world.events.on("request.broken", ({ error }) => broken.push(error));
    world.fake.failure = new TypeError("secret of the inside");
    await assert.rejects(world.client.start({ workflow: "echo" }), (error: MaestroError) => {
      assert.equal(error.code, "INTERNAL");
      assert.doesNotMatch(`${error.message} ${JSON.stringify(error.facts)} ${JSON.stringify(error.cause)}`, /secret|gateway\//);
      return true;
    });
    assert.deepEqual(broken, [world.fake.failure]);
  });

  it("ends waiting at the call's deadline and when it is cancelled; the run goes on", async () => {
    const runId = await held();
    await assert.rejects(world.client.awaitRun(runId, { timeoutMs: 50 }), { code: "TIMED_OUT" });
    await waitUntil("the deadline to reach the runs", () => world.fake.waiting === 0);
    const gone = new AbortController();
    const waiting = world.client.awaitRun(runId, { signal: gone.signal });
    await waitUntil("the wait to reach the runs", () => world.fake.waiting === 1);
    gone.abort();
    await assert.rejects(waiting, { code: "REQUEST_CANCELLED" });
    await waitUntil("the cancellation to reach the runs", () => world.fake.waiting === 0);
    assert.deepEqual(world.fake.held(), [runId]);
  });

  it("reports every call with its method and code", async () => {
    const ended: string[] = [];
    world.events.on("request.ended", ({ method, code }) => ended.push(`${method} ${code}`));
    await world.client.start({ workflow: "echo" });
    await assert.rejects(world.client.getRun(UNKNOWN));
    assert.deepEqual(ended, ["RunService/Start OK", "RunService/Get RUN_NOT_FOUND"]);
  });
});
