/** The gateway under fire: a real server, the real compiler, and fake runs that are replaced from time to time, as they never forget. */
import type { Runs } from "../../../actors/runs.ts";
import { GrpcServer } from "../../../gateway/grpc-server.ts";
import { ClusterService } from "../../../gateway/service/cluster-service.ts";
import { RunService } from "../../../gateway/service/run-service.ts";
import { WorkflowDirectory } from "../../../gateway/service/workflow-directory.ts";
import { WorkflowFilter } from "../../../gateway/service/workflow-filter.ts";
import { WorkflowService } from "../../../gateway/service/workflow-service.ts";
import { countActivity } from "../../../ops/node-activity.ts";
import { systemClock } from "../../../runtime/clock.ts";
import { EventHub } from "../../../runtime/events.ts";
import { newBootId } from "../../../runtime/ids.ts";
import { LimitWatch } from "../../../runtime/limit-watch.ts";
import { seededRandom } from "../../../runtime/random.ts";
import { MemoryDocuments } from "../../../runtime/storage/memory-documents.ts";
import { MemoryOwnership } from "../../../runtime/storage/memory-ownership.ts";
import { MemoryStore } from "../../../runtime/storage/memory-store.ts";
import { compileText, HEAD } from "../../support/compile-document.ts";
import { FakeRuns } from "../../support/fake-runs.ts";

/** See the file header. */
export interface HostileWorld {
  readonly address: string;
  /** Calls that the server has open, as far as it says. */
  readonly waitingCalls: number;
  /** Runs that go on and runs that have ended. */
  readonly runIds: readonly string[];
  /** True if nobody waits for a run any more, of those before {@link HostileWorld.renew} too. */
  readonly isIdle: boolean;
  /** Errors that no code of the registry says: each is a defect. */
  readonly broken: unknown[];
  /** Begins with a few new runs: those that there are do not go on for long. */
  renew(): Promise<void>;
  close(): Promise<void>;
}

const KNOWN_RUNS = 6;

/** Opens it. `change` replaces the runs that the gateway sees. */
export async function openHostileWorld(change: (runs: Runs) => Runs = (runs) => runs): Promise<HostileWorld> {
  const clock = systemClock();
  const events = new EventHub();
  const documents = new MemoryDocuments(new MemoryStore(clock));
  const directory = new WorkflowDirectory(documents);
  const workflows = new WorkflowService({
    documents,
    directory,
    compile: (text) => compileText(text),
    clock,
    limits: new LimitWatch(clock, events),
    random: seededRandom(2),
  });
  const state = { fake: new FakeRuns(), runIds: [] as string[] };
  const busy = new Set<FakeRuns>();
  const runs = new RunService({
    runs: change(delegating(() => state.fake)),
    directory,
    filter: new WorkflowFilter(documents),
    signalsOf: async () => undefined,
  });
  const broken: unknown[] = [];
  events.on("request.broken", ({ error }) => broken.push(error));
  const cluster = new ClusterService(
    new MemoryOwnership(new MemoryStore(clock)),
    countActivity(newBootId(seededRandom(3)), events, () => 0),
    { queues: () => [], silenceMsOf: () => undefined },
  );
  const server = new GrpcServer({ runs, workflows, cluster, clock, events, port: 0 });
  const address = await server.start();
  server.setServing(true);
  const { record } = await workflows.deploy(`${HEAD.replace("test", "default").replace("sample", "echo")}do: [{ t: { set: { a: 1 } } }]\n`, false);
  const renew = async (): Promise<void> => {
    busy.add(state.fake);
    for (const fake of busy) if (fake.waiting + fake.watching === 0) busy.delete(fake);
    state.fake = new FakeRuns();
    const start = { workflowId: record.id, userId: "tester", labels: {}, traceParent: "" };
    const inputs = Array.from({ length: KNOWN_RUNS }, (_, at) => (at % 2 === 0 ? '{"hold":true}' : "{}"));
    const started = await Promise.all(inputs.map((input) => state.fake.start({ ...start, input })));
    state.runIds = started.map(({ runId }) => runId);
  };
  await renew();
  return {
    ...{ address, broken, renew },
    close: async () => server.stop(),
    get waitingCalls() {
      return server.waitingCalls;
    },
    get runIds() {
      return state.runIds;
    },
    get isIdle() {
      return [...busy, state.fake].every((fake) => fake.waiting + fake.watching === 0);
    },
  };
}

function delegating(current: () => FakeRuns): Runs {
  return {
    get intake() {
      return current().intake;
    },
    start: (request) => current().start(request),
    execute: (request, signal) => current().execute(request, signal),
    outcome: (runId, signal) => current().outcome(runId, signal),
    get: (runId) => current().get(runId),
    list: (filter, limit, after) => current().list(filter, limit, after),
    history: (runId, fromSeq, limit) => current().history(runId, fromSeq, limit),
    watch: (runId, fromSeq, signal) => current().watch(runId, fromSeq, signal),
    signal: (runId, signal) => current().signal(runId, signal),
    cancel: (runId, reason) => current().cancel(runId, reason),
    terminate: (runId, reason) => current().terminate(runId, reason),
    release: (runId) => current().release(runId),
  };
}
