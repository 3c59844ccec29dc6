/** Requests for every method of the gateway: of the right type, with values that are right, nearly right, or far from it. */
import {
  CancelRunRequest,
  ExecuteRequest,
  GetRunHistoryRequest,
  GetRunRequest,
  ListRunsRequest,
  ReleaseRunRequest,
  RunPart,
  RunServiceService,
  SignalRunRequest,
  StartRunRequest,
  TerminateRunRequest,
  WatchRunRequest,
} from "../../../proto/gen/maestro/v1/run_service.ts";
import {
  DeleteWorkflowRequest,
  DeployRequest,
  GetWorkflowRequest,
  ListWorkflowsRequest,
  WorkflowServiceService,
} from "../../../proto/gen/maestro/v1/workflow_service.ts";
import { HEAD } from "../../support/compile-document.ts";
import { type Chance, PROTOTYPE_NAMES } from "../chance.ts";

/** What requests may refer to. */
export interface Known {
  /** Ids of runs: some that go on, some that have ended. */
  readonly runIds: readonly string[];
}

/** A method: its path and how a request of it is made, encoded. */
export interface Method {
  readonly path: string;
  request(chance: Chance, known: Known): Buffer;
}

const INPUTS = [
  "",
  "{}",
  '{"hold":true}',
  "null",
  "[",
  '{"__proto__":{"a":1}}',
  "\ud800",
  '"\\ud800"',
  "1e999",
  `${"[".repeat(200)}${"]".repeat(200)}`,
  "{}\0",
  "\ufeff{}",
];

function name(chance: Chance): string {
  return chance.oneIn(3) ? anyText(chance) : chance.pick(["echo", "echo", "echo", "nowhere", "", "default", "Echo"]);
}

function anyText(chance: Chance): string {
  const kind = chance.below(6);
  if (kind < 2) return "";
  if (kind < 3) return chance.pick(PROTOTYPE_NAMES);
  return chance.text(chance.size(kind < 5 ? 300 : 5_000));
}

function runId(chance: Chance, { runIds }: Known): string {
  if (!chance.oneIn(3) && runIds.length > 0) return chance.pick(runIds);
  return chance.oneIn(2) ? anyText(chance) : `0198${chance.bytes(2).toString("hex")}-${chance.bytes(2).toString("hex")}-7000-8000-000000000000`;
}

function start(chance: Chance): StartRunRequest {
  return {
    namespace: chance.oneIn(4) ? anyText(chance) : "",
    workflow: name(chance),
    version: chance.oneIn(4) ? anyText(chance) : "",
    input: chance.oneIn(3) ? anyText(chance) : chance.pick(INPUTS),
    idempotencyKey: chance.oneIn(3) ? anyText(chance) : "",
    labels: Object.fromEntries(chance.list(chance.size(40) - 1, () => [anyText(chance), anyText(chance)])),
    wait: chance.oneIn(10),
  };
}

function time(chance: Chance): { seconds: number; nanos: number } | undefined {
  if (chance.oneIn(2)) return undefined;
  return { seconds: Math.trunc(chance.pick([0, 1, -1, 1.7e9, 2 ** 52, -(2 ** 52)])), nanos: chance.pick([0, -1, 999_999_999, 2 ** 31 - 1]) };
}

function int(chance: Chance, most: number): number {
  return chance.oneIn(2) ? chance.below(3) : Math.max(-most - 1, Math.min(most, Math.trunc(chance.number())));
}

function listRuns(chance: Chance): ListRunsRequest {
  const statuses = chance.list(chance.size(20), () => int(chance, 2 ** 31 - 1) as ListRunsRequest["statuses"][number]);
  const page = { pageSize: int(chance, 2 ** 31 - 1), pageToken: anyText(chance) };
  return { namespace: anyText(chance), workflow: name(chance), statuses, createdAfter: time(chance), createdBefore: time(chance), ...page };
}

/** A document, sometimes of a name of its own. */
function document(chance: Chance): string {
  if (chance.oneIn(2)) return anyText(chance);
  return `${HEAD.replace("sample", `fuzz-${chance.below(20)}`)}do: [{ t: { set: ${chance.pick(["{ a: 1 }", "{ a: ${ . } }", "[", `{ a: ${chance.below(9)} }`])} } }]\n`;
}

/** An Execute request with one of few ids, so that some meet. */
export function executeRequest(chance: Chance): Buffer {
  const requestId = chance.oneIn(8) ? chance.pick([0, 2 ** 53 - 1, 2 ** 32]) : 1 + chance.below(6);
  return bytes(ExecuteRequest.encode({ requestId, start: chance.oneIn(10) ? undefined : start(chance) }));
}

function bytes(writer: { finish(): Uint8Array }): Buffer {
  return Buffer.from(writer.finish());
}

const RUN = RunServiceService;
const WORKFLOW = WorkflowServiceService;

/** The methods that answer once. */
export const UNARY_METHODS: readonly Method[] = [
  { path: RUN.start.path, request: (chance) => bytes(StartRunRequest.encode(start(chance))) },
  {
    path: RUN.get.path,
    request: (chance, known) =>
      bytes(
        GetRunRequest.encode({
          runId: runId(chance, known),
          wait: chance.oneIn(2),
          part: chance.pick([RunPart.UNSPECIFIED, RunPart.INPUT, RunPart.OUTPUT, 9 as RunPart]),
        }),
      ),
  },
  { path: RUN.list.path, request: (chance) => bytes(ListRunsRequest.encode(listRuns(chance))) },
  {
    path: RUN.getHistory.path,
    request: (chance, known) =>
      bytes(GetRunHistoryRequest.encode({ runId: runId(chance, known), fromSeq: int(chance, 2 ** 53 - 1), pageSize: int(chance, 2 ** 31 - 1) })),
  },
  {
    path: RUN.signal.path,
    request: (chance, known) =>
      bytes(
        SignalRunRequest.encode({
          runId: runId(chance, known),
          name: name(chance),
          payload: chance.pick(INPUTS),
          signalId: anyText(chance),
          checkName: false,
        }),
      ),
  },
  { path: RUN.cancel.path, request: (chance, known) => bytes(CancelRunRequest.encode({ runId: runId(chance, known), reason: anyText(chance) })) },
  {
    path: RUN.terminate.path,
    request: (chance, known) => bytes(TerminateRunRequest.encode({ runId: runId(chance, known), reason: anyText(chance) })),
  },
  { path: RUN.release.path, request: (chance, known) => bytes(ReleaseRunRequest.encode({ runId: runId(chance, known) })) },
  { path: WORKFLOW.deploy.path, request: (chance) => bytes(DeployRequest.encode({ document: document(chance), dryRun: chance.oneIn(2) })) },
  {
    path: WORKFLOW.get.path,
    request: (chance) => bytes(GetWorkflowRequest.encode({ namespace: anyText(chance), name: name(chance), version: anyText(chance) })),
  },
  {
    path: WORKFLOW.list.path,
    request: (chance) =>
      bytes(
        ListWorkflowsRequest.encode({
          namespace: anyText(chance),
          name: name(chance),
          pageSize: int(chance, 2 ** 31 - 1),
          pageToken: anyText(chance),
        }),
      ),
  },
  {
    path: WORKFLOW.delete.path,
    request: (chance) =>
      bytes(DeleteWorkflowRequest.encode({ namespace: anyText(chance), name: chance.pick(["fuzz-1", anyText(chance)]), version: anyText(chance) })),
  },
];

/** The method that streams a run's history. */
export const WATCH: Method = {
  path: RUN.watch.path,
  request: (chance, known) => bytes(WatchRunRequest.encode({ runId: runId(chance, known), fromSeq: int(chance, 2 ** 53 - 1) })),
};

/** Path of the method that streams both ways. */
export const EXECUTE_PATH = RUN.execute.path;
