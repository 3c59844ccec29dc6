/** A node of small limits that is asked for more than it takes: real actors and a real gateway over a store in memory. */
import assert from "node:assert/strict";
import { type ServiceError, status } from "@grpc/grpc-js";
import { fromCallError } from "../../gateway/grpc-client-errors.ts";
import { GrpcServer } from "../../gateway/grpc-server.ts";
import { RunService } from "../../gateway/service/run-service.ts";
import { WorkflowDirectory } from "../../gateway/service/workflow-directory.ts";
import { WorkflowFilter } from "../../gateway/service/workflow-filter.ts";
import { MemoryDocuments } from "../../runtime/storage/memory-documents.ts";
import { MemoryFaults } from "../../runtime/storage/memory-faults.ts";
import { gatewayParts } from "../support/gateway-world.ts";
import { RawExecute } from "../support/raw-gateway.ts";
import { SLOW } from "../support/runs-bed.ts";
import { type RunsNode, Store, startRunsNode, Tasks } from "../support/runs-node.ts";
import { waitUntil } from "../support/wait-until.ts";

const BOUNDS = { queueLength: 64, activeRuns: 2 };
const STREAMED = 200;

describe("a node that is full", () => {
  let store: Store;
  let node: RunsNode;
  let server: GrpcServer;
  let raw: RawExecute;
  /** Lets every task end. */
  let release: () => void;

  beforeEach(async () => {
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    store = new Store();
    const tasks = new Tasks({ refund: () => gate.then(() => "refunded") });
    node = await startRunsNode(store, tasks, undefined, new MemoryFaults(), BOUNDS);
    const documents = new MemoryDocuments(store.memory);
    const names = { namespace: "default", name: "echo", version: "1.0.0", title: "", summary: "", text: "" };
    await documents.put({ id: await store.deploy(SLOW), ...names, createdAtMs: 0 });
    const runs = new RunService({
      runs: node.runs,
      directory: new WorkflowDirectory(documents),
      filter: new WorkflowFilter(documents),
      signalsOf: async () => undefined,
    });
    const { workflows, cluster } = gatewayParts(documents);
    server = new GrpcServer({ runs, workflows, cluster, clock: store.clock, events: node.events, port: 0 });
    raw = new RawExecute(await server.start());
  });

  afterEach(async () => {
    release();
    raw.close();
    server.stop();
    await node.stop();
  });

  /** Starts a run by a unary call; resolves with how the call ended. */
  function start(): Promise<ServiceError | null> {
    const request = { namespace: "", workflow: "echo", version: "", input: "{}", idempotencyKey: "", labels: {}, wait: false };
    return new Promise((resolve) => raw.client.start(request, (error) => resolve(error)));
  }

  it("refuses calls beyond its queue with RESOURCE_EXHAUSTED, says when to come back, and does what it has accepted", async () => {
    const answers: (ServiceError | null)[] = [];
    for (let call = 0; call < BOUNDS.activeRuns + BOUNDS.queueLength + 10; call += 1) void start().then((answer) => answers.push(answer));
    await waitUntil("the first runs and the refusals", () => answers.length >= BOUNDS.activeRuns + 10);
    const refusals = answers.filter((answer) => answer !== null);
    assert.equal(answers.length - refusals.length, BOUNDS.activeRuns);
    for (const refusal of refusals) {
      const { code, retryAfterMs } = fromCallError(refusal, { address: server.address, method: "Start", timeoutMs: undefined });
      assert.deepEqual([refusal.code, code, retryAfterMs], [status.RESOURCE_EXHAUSTED, "NODE_OVERLOADED", 1_000]);
    }
    release();
    await waitUntil("the runs that waited", () => answers.length === BOUNDS.activeRuns + BOUNDS.queueLength + 10);
    assert.equal(answers.filter((answer) => answer === null).length, store.memory.runs.size);
    await waitUntil("the end of every accepted run", () => [...store.memory.runs.values()].every((run) => run.status === "completed"));
  });

  it("does not read a stream beyond half of its queue, and goes on with every start when there is room", async () => {
    for (let id = 1; id <= STREAMED; id += 1) raw.send(id);
    await waitUntil("the stream to be held back", () => node.runs.intake.isCrowded);
    assert.equal(store.memory.runs.size <= BOUNDS.activeRuns, true);
    node.runs.intake.requireRoom();
    release();
    await waitUntil("every answer", () => raw.answers.length === STREAMED);
    assert.deepEqual(new Set(raw.answers.map(({ result }) => result?.$case)), new Set(["run"]));
    assert.equal(store.memory.runs.size, STREAMED);
  });
});
