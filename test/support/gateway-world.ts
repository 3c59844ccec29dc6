/**
 * A gateway in front of fake runs and documents in memory, and a client of it, for tests.
 */
import type { Workflow } from "../../actors/language/model.ts";
import { connect, type MaestroClient } from "../../gateway/grpc-client.ts";
import { GrpcServer } from "../../gateway/grpc-server.ts";
import { ClusterService } from "../../gateway/service/cluster-service.ts";
import { RunService } from "../../gateway/service/run-service.ts";
import { WorkflowDirectory } from "../../gateway/service/workflow-directory.ts";
import { WorkflowFilter } from "../../gateway/service/workflow-filter.ts";
import { WorkflowService } from "../../gateway/service/workflow-service.ts";
import { countActivity } from "../../ops/node-activity.ts";
import { systemClock } from "../../runtime/clock.ts";
import { MaestroError } from "../../runtime/errors.ts";
import { EventHub } from "../../runtime/events.ts";
import { newBootId } from "../../runtime/ids.ts";
import { LimitWatch } from "../../runtime/limit-watch.ts";
import { seededRandom } from "../../runtime/random.ts";
import type { DocumentStore } from "../../runtime/storage/documents.ts";
import { MemoryDocuments } from "../../runtime/storage/memory-documents.ts";
import { MemoryOwnership } from "../../runtime/storage/memory-ownership.ts";
import { MemoryStore } from "../../runtime/storage/memory-store.ts";
import type { Ownership } from "../../runtime/storage/ownership.ts";
import { FakeRuns } from "./fake-runs.ts";

/** The parts of a gateway without its server. */
export interface GatewayParts {
  readonly fake: FakeRuns;
  readonly runs: RunService;
  readonly workflows: WorkflowService;
  readonly directory: WorkflowDirectory;
  readonly cluster: ClusterService;
  /** What the cluster service shows; nobody has joined. */
  readonly ownership: Ownership;
}

/** A gateway that listens, and its client. */
export interface GatewayWorld extends GatewayParts {
  readonly server: GrpcServer;
  readonly events: EventHub;
  readonly client: MaestroClient;
  /** Closes both. */
  close(): void;
}

/** The service layer over fakes. */
export function gatewayParts(documents: DocumentStore = new MemoryDocuments(new MemoryStore(systemClock())), events = new EventHub()): GatewayParts {
  const clock = systemClock();
  const fake = new FakeRuns();
  const directory = new WorkflowDirectory(documents);
  const workflows = new WorkflowService({
    documents,
    directory,
    compile: fakeCompile,
    clock,
    limits: new LimitWatch(clock, events),
    random: seededRandom(2),
  });
  const ownership = new MemoryOwnership(new MemoryStore(clock));
  const runs = new RunService({ runs: fake, directory, filter: new WorkflowFilter(documents), signalsOf: async () => ["approve", "finish"] });
  return {
    fake,
    directory,
    workflows,
    runs,
    ownership,
    cluster: new ClusterService(
      ownership,
      countActivity(newBootId(seededRandom(3)), events, () => 7),
      {
        queues: () => [
          { queue: "default", waiting: 2, active: 1, oldestWaitMs: 1_500, executors: [newBootId(seededRandom(2)), newBootId(seededRandom(1))] },
        ],
        silenceMsOf: (bootId) => (bootId === newBootId(seededRandom(2)) ? 1_750 : undefined),
      },
    ),
  };
}

/** A gateway with the workflow `default/echo:1.0.0` on a free port, serving. */
export async function openGateway(): Promise<GatewayWorld> {
  const clock = systemClock();
  const events = new EventHub();
  const parts = gatewayParts(undefined, events);
  const server = new GrpcServer({ runs: parts.runs, workflows: parts.workflows, cluster: parts.cluster, clock, events, port: 0 });
  const client = connect(await server.start(), { timeoutMs: 10_000 });
  server.setServing(true);
  await parts.workflows.deploy(documentOf("echo", "1.0.0"), false);
  const close = (): void => {
    client.close();
    server.stop();
  };
  return { ...parts, server, events, client, close };
}

/** The text of a document that {@link fakeCompile} takes. */
export function documentOf(name: string, version: string, namespace = "default", summary = ""): string {
  return JSON.stringify({ namespace, name, version, summary });
}

/** Compiles documents as {@link documentOf} makes them; anything else has two mistakes. */
async function fakeCompile(text: string): Promise<Workflow> {
  if (!text.startsWith("{")) {
    const violations = [
      { field: "/do (line 3, column 1)", description: "is required." },
      { field: "/document/dsl (line 1, column 1)", description: "is required." },
    ];
    throw new MaestroError("DOCUMENT_INVALID", { facts: { count: 2, first: "/do is required." }, violations });
  }
  return { title: "", summary: "", ...(JSON.parse(text) as object) } as Workflow;
}
