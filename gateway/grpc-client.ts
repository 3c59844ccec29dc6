/**
 * A client of the gateway with types, promises and errors of the registry. The command line, the tests and the benchmarks use it, and any
 * Node.js program may. It owns one connection, which the gRPC library opens when needed and opens again when it broke.
 */
import { type ChannelOptions, credentials } from "@grpc/grpc-js";
import type { GetActivityResponse, Node, Queue, ShardGroup } from "../proto/gen/maestro/v1/cluster_service.ts";
import { ClusterServiceClient } from "../proto/gen/maestro/v1/cluster_service.ts";
import { type Event, EventServiceClient, type SubscribeRequest, type SubscribeResponse } from "../proto/gen/maestro/v1/event_service.ts";
import type {
  GetRunHistoryRequest,
  GetRunHistoryResponse,
  GetRunRequest,
  HistoryEntry,
  ListRunsRequest,
  ListRunsResponse,
  Run,
  RunResult,
  SignalRunRequest,
  SignalRunResponse,
  StartRunRequest,
  StartRunResponse,
  WatchRunResponse,
} from "../proto/gen/maestro/v1/run_service.ts";
import { RunPart, RunServiceClient } from "../proto/gen/maestro/v1/run_service.ts";
import type {
  DeployResponse,
  GetWorkflowRequest,
  ListWorkflowsRequest,
  ListWorkflowsResponse,
  Workflow,
} from "../proto/gen/maestro/v1/workflow_service.ts";
import { WorkflowServiceClient } from "../proto/gen/maestro/v1/workflow_service.ts";
import { type Clock, systemClock } from "../runtime/clock.ts";
import { MaestroError } from "../runtime/errors.ts";
import { type GatewayTarget, parseTarget } from "./address.ts";
import { type CallSettings, metadataOf, UnaryCalls } from "./grpc-client-call.ts";
import { Executions } from "./grpc-client-execute.ts";
import { askPatiently } from "./grpc-client-wait.ts";
import { resumable } from "./grpc-client-watch.ts";

/** How a client behaves. */
export interface ClientSettings {
  /** Milliseconds that a unary call may take unless it says otherwise. Default: 30,000. */
  readonly timeoutMs?: number;
  /** Aborting it cancels every unary call that has no signal of its own (REQUEST_CANCELLED), and those that follow. */
  readonly signal?: AbortSignal;
  /** Default: the machine's clock. */
  readonly clock?: Clock;
}

/** Bounds a waiting call only by what its caller says. */
const NO_DEADLINE = { timeoutMs: Number.POSITIVE_INFINITY } as const;

const TIMEOUT_MS = 30_000;
const ANSWER_BYTES_MAX = 64 * 1024 * 1024;

/** A run and a page may be larger than a request. A connection that was lost without a word is found by pings. */
const OPTIONS: ChannelOptions = {
  "grpc.max_receive_message_length": ANSWER_BYTES_MAX,
  "grpc.max_send_message_length": -1,
  "grpc.keepalive_time_ms": 30_000,
  "grpc.keepalive_timeout_ms": 10_000,
  "grpc.initial_reconnect_backoff_ms": 100,
  "grpc.max_reconnect_backoff_ms": 2_000,
  "grpc.enable_channelz": 0,
  "grpc.use_local_subchannel_pool": 1,
};

const START: StartRunRequest = { namespace: "", workflow: "", version: "", input: "", idempotencyKey: "", labels: {}, wait: false };
const RUNS: ListRunsRequest = {
  namespace: "",
  workflow: "",
  statuses: [],
  createdAfter: undefined,
  createdBefore: undefined,
  pageSize: 0,
  pageToken: "",
};

const EVENTS: SubscribeRequest = { start: undefined, namespace: "", workflow: "", types: [], runId: "", stopAtEnd: false };

/** With several gateways calls go to each in turn, and to the others while one is away: gRPC's own way, without repeating anything. */
const IN_TURN = { "grpc.service_config": JSON.stringify({ loadBalancingConfig: [{ round_robin: {} }] }) };

/**
 * A client of the gateway at an address, or of several with commas between them; see {@link parseTarget} for their forms. Connects with the first call.
 *
 * @throws FIELD_INVALID
 */
export function connect(address: string, settings: ClientSettings = {}): MaestroClient {
  return new MaestroClient(parseTarget(address), settings);
}

/**
 * The client. Every method throws MaestroError: what the gateway refused with, NODE_UNREACHABLE, TIMED_OUT, REQUEST_CANCELLED or CLIENT_CLOSED. Fields of a
 * request that are left out have the defaults of the wire contract.
 */
export class MaestroClient implements Disposable {
  /** Where the gateway is, as `host:port`; several with commas between them. */
  readonly address: string;
  readonly #clock: Clock;
  readonly #workflows: WorkflowServiceClient;
  readonly #runs: RunServiceClient;
  readonly #cluster: ClusterServiceClient;
  readonly #events: EventServiceClient;
  readonly #calls: UnaryCalls;
  readonly #executions: Executions;

  /** Use {@link connect}. */
  constructor({ address, target, isSeveral }: GatewayTarget, settings: ClientSettings) {
    this.address = address;
    this.#clock = settings.clock ?? systemClock();
    const options = isSeveral ? { ...OPTIONS, ...IN_TURN } : OPTIONS;
    this.#workflows = new WorkflowServiceClient(target, credentials.createInsecure(), options);
    const shared = { ...options, channelOverride: this.#workflows.getChannel() };
    this.#runs = new RunServiceClient(target, credentials.createInsecure(), shared);
    this.#cluster = new ClusterServiceClient(target, credentials.createInsecure(), shared);
    this.#events = new EventServiceClient(target, credentials.createInsecure(), shared);
    this.#calls = new UnaryCalls(address, this.#clock, settings.timeoutMs ?? TIMEOUT_MS, settings.signal);
    this.#executions = new Executions(address, () => {
      this.#calls.requireOpen();
      return this.#runs.execute();
    });
  }

  /** Stores a document, or only checks it. */
  deploy(document: string, dryRun = false, settings?: CallSettings): Promise<DeployResponse> {
    return this.#calls.call("Deploy", this.#workflows.deploy.bind(this.#workflows), { document, dryRun }, settings);
  }

  /** A workflow version with its document. */
  async getWorkflow(request: Partial<GetWorkflowRequest> & { readonly name: string }, settings?: CallSettings): Promise<Workflow> {
    const named = { namespace: "", version: "", ...request };
    const { workflow } = await this.#calls.call("Get", this.#workflows.get.bind(this.#workflows), named, settings);
    return present(workflow);
  }

  /** A page of workflow versions, newest first. */
  listWorkflows(request: Partial<ListWorkflowsRequest> = {}, settings?: CallSettings): Promise<ListWorkflowsResponse> {
    const page = { namespace: "", name: "", pageSize: 0, pageToken: "", ...request };
    return this.#calls.call("List", this.#workflows.list.bind(this.#workflows), page, settings);
  }

  /** Takes a version, or all, out of use; answers how many. */
  async deleteWorkflow(request: Partial<GetWorkflowRequest> & { readonly name: string }, settings?: CallSettings): Promise<number> {
    const named = { namespace: "", version: "", ...request };
    return (await this.#calls.call("Delete", this.#workflows.delete.bind(this.#workflows), named, settings)).deleted;
  }

  /** Starts a run; resolves after it is committed. */
  start(request: Partial<StartRunRequest> & { readonly workflow: string }, settings?: CallSettings): Promise<StartRunResponse> {
    return this.#calls.call("Start", this.#runs.start.bind(this.#runs), { ...START, ...request }, settings);
  }

  /** Starts a run with one unary call and resolves when it has ended. Without a deadline unless the settings give one. A failed run resolves, too. */
  async startAndWait(request: Partial<StartRunRequest> & { readonly workflow: string }, settings: CallSettings = NO_DEADLINE): Promise<RunResult> {
    const { result } = await this.start({ ...request, wait: true }, { ...NO_DEADLINE, ...settings });
    return present(result);
  }

  /** Starts a run over the shared stream and resolves when it has ended: the cheap way to do it often. A failed run resolves, too. */
  execute(request: Partial<StartRunRequest> & { readonly workflow: string }): Promise<RunResult> {
    return this.#executions.execute({ ...START, ...request });
  }

  /** A run as it is now. */
  async getRun(runId: string, settings?: CallSettings): Promise<Run> {
    return this.#whole(await this.#get({ runId, wait: false, part: RunPart.UNSPECIFIED }, settings), settings);
  }

  /** A run once it has ended; asked again by itself where the node or the connection goes away. Without a deadline unless the settings give one. */
  async awaitRun(runId: string, settings: CallSettings = NO_DEADLINE): Promise<Run> {
    const ask = (each: CallSettings): Promise<Run> => this.#get({ runId, wait: true, part: RunPart.UNSPECIFIED }, each);
    const run = await askPatiently(ask, { ...NO_DEADLINE, ...settings }, this.#clock);
    return this.#whole(run, settings);
  }

  /** A page of runs, newest first. */
  listRuns(request: Partial<ListRunsRequest> = {}, settings?: CallSettings): Promise<ListRunsResponse> {
    return this.#calls.call("List", this.#runs.list.bind(this.#runs), { ...RUNS, ...request }, settings);
  }

  /** A page of a run's history. */
  history(request: Partial<GetRunHistoryRequest> & { readonly runId: string }, settings?: CallSettings): Promise<GetRunHistoryResponse> {
    return this.#calls.call("GetHistory", this.#runs.getHistory.bind(this.#runs), { fromSeq: 0, pageSize: 0, ...request }, settings);
  }

  /** A run's history from a sequence number on, then live until the run has ended; goes on by itself after a lost connection. */
  watch(runId: string, fromSeq = 1, settings: Pick<CallSettings, "signal" | "traceParent"> = {}): AsyncGenerator<HistoryEntry, void, undefined> {
    return resumable<WatchRunResponse, HistoryEntry>({
      ...{ method: "Watch", address: this.address, clock: this.#clock, signal: settings.signal },
      open: (last) => {
        this.#calls.requireOpen();
        return this.#runs.watch({ runId, fromSeq: last === undefined ? Math.max(fromSeq, 1) : last.seq + 1 }, metadataOf(settings));
      },
      itemOf: ({ entry }) => entry,
    });
  }

  /** Events from somewhere on (default: now), then live; goes on by itself after a lost connection. */
  subscribe(
    request: Partial<SubscribeRequest> = {},
    settings: Pick<CallSettings, "signal" | "traceParent"> = {},
  ): AsyncGenerator<Event, void, undefined> {
    return resumable<SubscribeResponse, Event>({
      ...{ method: "Subscribe", address: this.address, clock: this.#clock, signal: settings.signal },
      open: (last) => {
        this.#calls.requireOpen();
        const start: SubscribeRequest["start"] = last === undefined ? request.start : { $case: "fromSequence", value: last.sequence + 1 };
        return this.#events.subscribe({ ...EVENTS, ...request, start }, metadataOf(settings));
      },
      itemOf: ({ event }) => event,
    });
  }

  /** Hands a signal to a run; resolves after it is committed. With `checkName` it says if no task waits for signals of that name. */
  signal(
    request: Partial<SignalRunRequest> & { readonly runId: string; readonly name: string },
    settings?: CallSettings,
  ): Promise<SignalRunResponse> {
    return this.#calls.call("Signal", this.#runs.signal.bind(this.#runs), { payload: "", signalId: "", checkName: false, ...request }, settings);
  }

  /** Asks a run to stop and to undo what it did. */
  async cancel(runId: string, reason = "", settings?: CallSettings): Promise<void> {
    await this.#calls.call("Cancel", this.#runs.cancel.bind(this.#runs), { runId, reason }, settings);
  }

  /** Ends a run at once. */
  async terminate(runId: string, reason = "", settings?: CallSettings): Promise<void> {
    await this.#calls.call("Terminate", this.#runs.terminate.bind(this.#runs), { runId, reason }, settings);
  }

  /** Lets a quarantined run go on. */
  async release(runId: string, settings?: CallSettings): Promise<void> {
    await this.#calls.call("Release", this.#runs.release.bind(this.#runs), { runId }, settings);
  }

  /** The nodes of the cluster, by name; those that ended for an hour. */
  async listNodes(settings?: CallSettings): Promise<readonly Node[]> {
    return (await this.#calls.call("ListNodes", this.#cluster.listNodes.bind(this.#cluster), {}, settings)).nodes;
  }

  /** Who owns which shards, by node and epoch; free ones last. */
  async listShards(settings?: CallSettings): Promise<readonly ShardGroup[]> {
    return (await this.#calls.call("ListShards", this.#cluster.listShards.bind(this.#cluster), {}, settings)).groups;
  }

  /** The queues of tasks in the whole cluster, by name. */
  async listQueues(settings?: CallSettings): Promise<readonly Queue[]> {
    return (await this.#calls.call("ListQueues", this.#cluster.listQueues.bind(this.#cluster), {}, settings)).queues;
  }

  /** What the node at this address does itself. */
  activity(settings?: CallSettings): Promise<GetActivityResponse> {
    return this.#calls.call("GetActivity", this.#cluster.getActivity.bind(this.#cluster), {}, settings);
  }

  /** Asks a node, by name or boot id, to hand its shards over. Does not wait for that. */
  async drainNode(node: string, settings?: CallSettings): Promise<Node> {
    return present((await this.#calls.call("Drain", this.#cluster.drain.bind(this.#cluster), { node }, settings)).node);
  }

  /** Lets a node that was drained have shards again. */
  async undrainNode(node: string, settings?: CallSettings): Promise<Node> {
    return present((await this.#calls.call("Undrain", this.#cluster.undrain.bind(this.#cluster), { node }, settings)).node);
  }

  async #get(request: GetRunRequest, settings: CallSettings | undefined): Promise<Run> {
    const { run } = await this.#calls.call("Get", this.#runs.get.bind(this.#runs), request, settings);
    return present(run);
  }

  /** The run with the payloads that did not fit into its answer. */
  async #whole(run: Run, settings: CallSettings | undefined): Promise<Run> {
    const { runId, inputBytes, outputBytes } = run;
    const part = (which: RunPart): Promise<Run> => this.#get({ runId, wait: false, part: which }, settings);
    const input = run.input === "" && inputBytes > 0 ? (await part(RunPart.INPUT)).input : run.input;
    const output = run.output === "" && outputBytes > 0 ? (await part(RunPart.OUTPUT)).output : run.output;
    return { ...run, input, output };
  }

  /** Closes the connection. What waits is rejected, later calls with CLIENT_CLOSED; runs go on. */
  close(): void {
    this.#calls.close();
    this.#executions.close();
    this.#workflows.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

function present<T>(value: T | undefined): T {
  if (value === undefined) throw new MaestroError("INTERNAL", { facts: { reason: "the answer is empty." } });
  return value;
}
