/**
 * A gateway in a process of its own, in front of runs that end at once and documents in memory.
 */
import { compileWorkflow } from "../../actors/language/compile-workflow.ts";
import { jqWasmEvaluator } from "../../actors/language/jq/jq-wasm-evaluator.ts";
import { GrpcServer } from "../../gateway/grpc-server.ts";
import { ClusterService } from "../../gateway/service/cluster-service.ts";
import { RunService } from "../../gateway/service/run-service.ts";
import { WorkflowDirectory } from "../../gateway/service/workflow-directory.ts";
import { WorkflowFilter } from "../../gateway/service/workflow-filter.ts";
import { WorkflowService } from "../../gateway/service/workflow-service.ts";
import { systemClock } from "../../runtime/clock.ts";
import { EventHub } from "../../runtime/events.ts";
import { newBootId } from "../../runtime/ids.ts";
import { LimitWatch } from "../../runtime/limit-watch.ts";
import { systemRandom } from "../../runtime/random.ts";
import { MemoryDocuments } from "../../runtime/storage/memory-documents.ts";
import { MemoryOwnership } from "../../runtime/storage/memory-ownership.ts";
import { MemoryStore } from "../../runtime/storage/memory-store.ts";
import { countActivity } from "../node-activity.ts";
import { InstantRuns } from "./instant-runs.ts";
import { servePeer } from "./peer.ts";
import { WORKLOADS } from "./workload.ts";

/** CPU of the process since its start. */
export interface GatewayUsage {
  readonly cpuUs: number;
}

const clock = systemClock();
const events = new EventHub();
const random = systemRandom();
const evaluator = jqWasmEvaluator(clock);
const instant = new InstantRuns(clock, random);
const documents = new MemoryDocuments(new MemoryStore(clock));
const directory = new WorkflowDirectory(documents);
const runs = new RunService({ runs: instant, directory, filter: new WorkflowFilter(documents), signalsOf: async () => undefined });
const compile = (text: string) => compileWorkflow(text, { handlers: undefined, allowShell: false, evaluator });
const workflows = new WorkflowService({ documents, directory, compile, clock, limits: new LimitWatch(clock, events), random });
const cluster = new ClusterService(
  new MemoryOwnership(new MemoryStore(clock)),
  countActivity(newBootId(random), events, () => 0),
  { queues: () => [], silenceMsOf: () => undefined },
);
const server = new GrpcServer({ runs, workflows, cluster, clock, events, port: 0 });
const address = await server.start();
server.setServing(true);
instant.workflowId = (await workflows.deploy(WORKLOADS.w1.document, false)).record.id;

async function answer(order: "address" | "usage"): Promise<unknown> {
  if (order === "address") return address;
  const { user, system } = process.cpuUsage();
  return { cpuUs: user + system } satisfies GatewayUsage;
}

servePeer(answer, async () => {
  server.stop();
  await evaluator.close();
});
