/**
 * Clients of a cluster's gateways that repeat nothing: one gRPC channel, which knows all addresses and uses them in turn, and calls of which each
 * counts as it ended. What the gRPC library does by itself (a call that a server has refused unread goes to another one) is the only help that they
 * have.
 */
import { type ClientReadableStream, credentials, Metadata, type ServiceError } from "@grpc/grpc-js";
import { parseTarget } from "../../gateway/address.ts";
import { fromCallError, fromStatusMessage } from "../../gateway/grpc-client-errors.ts";
import {
  type ExecuteResponse,
  RunPart,
  RunServiceClient,
  type StartRunRequest,
  type WatchRunResponse,
} from "../../proto/gen/maestro/v1/run_service.ts";
import { systemClock } from "../../runtime/clock.ts";

type CallKind = "start" | "get" | "list" | "signal" | "wait" | "startAndWait" | "watch" | "execute";
/** Those that wait for nothing: no gateway has a reason to refuse one. */
const BRIEF: ReadonlySet<CallKind> = new Set(["start", "get", "list", "signal"]);
/** Any call that has not ended by then has hung. */
const DEADLINE_MS = 60_000;

/** Workflows that the callers start: they must be deployed. */
export const CALLERS_DOCUMENTS = [
  `document: { dsl: 1.0.3, namespace: default, name: brief, version: 1.0.0 }
do:
  - rest: { wait: { milliseconds: 200 } }
  - one: { set: { n: 1 } }
`,
  `document: { dsl: 1.0.3, namespace: default, name: asking, version: 1.0.0 }
do:
  - decision: { call: signal@default, with: { name: go } }
`,
  `document: { dsl: 1.0.3, namespace: default, name: ticking, version: 1.0.0 }
do:
  - ticks:
      for: { in: "\${ [range(0; 3000)] }" }
      do:
        - tick: { wait: { milliseconds: 100 } }
`,
] as const;

const startOf = (workflow: string, wait = false): StartRunRequest => ({
  ...{ namespace: "", workflow, version: "", input: "{}", idempotencyKey: "", labels: {}, wait },
});

type Unary<Request, Response> = (
  request: Request,
  metadata: Metadata,
  options: { readonly deadline: number },
  callback: (error: ServiceError | null, response: Response) => void,
) => { cancel(): void };

/** See the file header. */
export class PlainCallers {
  /** Calls that ended as none may: an error that is not an answer of a stopping gateway, or that a brief call was given. */
  readonly findings: string[] = [];
  /** How often calls of a kind ended with a code. */
  readonly ends = new Map<string, number>();
  readonly #clock = systemClock();
  readonly #client: RunServiceClient;
  readonly #underWay = new Set<() => void>();
  readonly #loops: Promise<void>[] = [];
  #isOver = false;

  constructor(addresses: readonly string[]) {
    const policy = { loadBalancingConfig: [{ round_robin: {} }] };
    const options = { "grpc.service_config": JSON.stringify(policy), "grpc.use_local_subchannel_pool": 1, "grpc.initial_reconnect_backoff_ms": 100 };
    this.#client = new RunServiceClient(parseTarget(addresses.join()).target, credentials.createInsecure(), options);
  }

  /** Calls from now on, `times` of each sort at a time. */
  begin(times: number): void {
    const sorts = [() => this.#ask(), () => this.#startAndWait(), () => this.#lookAround(), () => this.#execute(), () => this.#follow()];
    for (const sort of sorts) for (let count = 0; count < times; count++) this.#loops.push(this.#repeat(sort));
  }

  /** Ends; resolves when no call is under way. What waits is cancelled, and does not count. */
  async end(): Promise<void> {
    this.#isOver = true;
    for (const cancel of this.#underWay) cancel();
    await Promise.all(this.#loops);
    this.#client.close();
  }

  async #repeat(sort: () => Promise<unknown>): Promise<void> {
    while (!this.#isOver) await sort();
  }

  /** A start, a signal that lets the run end, and a wait for its end. */
  async #ask(): Promise<void> {
    const runId = await this.#start("asking");
    if (runId === undefined) return;
    const waiting = this.#unary("wait", this.#client.get, { runId, wait: true, part: RunPart.UNSPECIFIED });
    await this.#unary("signal", this.#client.signal, { runId, name: "go", payload: "1", signalId: "", checkName: false });
    await waiting;
  }

  async #lookAround(): Promise<void> {
    const runId = await this.#start("brief");
    if (runId !== undefined) await this.#unary("get", this.#client.get, { runId, wait: false, part: RunPart.UNSPECIFIED });
    const page = { namespace: "", workflow: "brief", statuses: [], createdAfter: undefined, createdBefore: undefined, pageSize: 5, pageToken: "" };
    await this.#unary("list", this.#client.list, page);
  }

  #startAndWait(): Promise<unknown> {
    return this.#unary("startAndWait", this.#client.start, startOf("brief", true));
  }

  /** A run that goes on for as long as the test, watched by one stream after the other: each goes on after the last entry of the one before. */
  async #follow(): Promise<void> {
    const runId = await this.#start("ticking");
    for (let last = 0; runId !== undefined && !this.#isOver; ) {
      const stream = this.#client.watch({ runId, fromSeq: last + 1 });
      await this.#stream("watch", stream, ({ entry }: WatchRunResponse) => {
        if (entry?.seq !== last + 1) this.findings.push(`watch: entry ${entry?.seq} after ${last}`);
        last = entry?.seq ?? last;
      });
    }
  }

  /** A stream with one execution after the other, until the gateway takes no more on it. */
  async #execute(): Promise<void> {
    const stream = this.#client.execute();
    let requestId = 1;
    const send = (): unknown => stream.write({ requestId, start: startOf("brief") });
    send();
    await this.#stream("execute", stream, ({ result }: ExecuteResponse) => {
      this.#count("execute", result?.$case === "error" ? (fromStatusMessage(result.value)?.code ?? "INTERNAL") : "OK");
      requestId += 1;
      send();
    });
  }

  async #start(workflow: string): Promise<string | undefined> {
    return (await this.#unary("start", this.#client.start, startOf(workflow)))?.runId;
  }

  #unary<Request, Response>(kind: CallKind, method: Unary<Request, Response>, request: Request): Promise<Response | undefined> {
    return new Promise((resolve) => {
      const deadline = this.#clock.now() + DEADLINE_MS;
      const call = method.call(this.#client, request, new Metadata(), { deadline }, (error, response) => {
        this.#underWay.delete(cancel);
        this.#count(kind, error === null ? "OK" : codeOf(kind, error));
        resolve(error === null ? response : undefined);
      });
      const cancel = (): void => call.cancel();
      this.#underWay.add(cancel);
    });
  }

  #stream<Response>(kind: CallKind, stream: ClientReadableStream<Response>, take: (response: Response) => void): Promise<void> {
    return new Promise((resolve) => {
      const cancel = (): void => stream.cancel();
      this.#underWay.add(cancel);
      const end = (code: string): void => {
        if (this.#underWay.delete(cancel)) this.#count(kind, code);
        resolve();
      };
      stream.on("data", take);
      stream.on("error", (error: unknown) => end(codeOf(kind, error)));
      stream.on("end", () => end("OK"));
    });
  }

  #count(kind: CallKind, code: string): void {
    if (this.#isOver) return;
    const name = `${kind} ${code}`;
    this.ends.set(name, (this.ends.get(name) ?? 0) + 1);
    const isFine = code === "OK" || (code === "NODE_STOPPING" && !BRIEF.has(kind));
    if (!isFine) this.findings.push(name);
  }
}

function codeOf(kind: CallKind, error: unknown): string {
  return fromCallError(error, { address: "the cluster", method: kind, timeoutMs: DEADLINE_MS }).code;
}
