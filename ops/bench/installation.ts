/**
 * What the benchmarks of the whole product measure: an embedded PostgreSQL in a temporary folder, a node and a client, each a process of its
 * own. Owns all of them, and the folder.
 */
import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "../../gateway/grpc-client.ts";
import { messageOf } from "../../runtime/errors.ts";
import { type EmbeddedPgOptions, startEmbeddedPg } from "../../runtime/storage/embedded-pg.ts";
import type { BenchSetting } from "./benchmark.ts";
import type { ClientArgument, ClientOrder } from "./client.ts";
import type { LoadReport } from "./closed-loop.ts";
import type { NodeArgument, NodeOrder, NodeUsage } from "./node-process.ts";
import { Peer } from "./peer.ts";
import { openPgMeter, type PgMeter } from "./pg-meter.ts";
import { type Deployed, type LoadOrder, WORKLOADS, type WorkloadName } from "./workload.ts";

/** Lines of the node's log that are shown after a failure. */
const COMPLAINTS = 3;

/** What one load cost, by process. */
export interface LoadCost {
  readonly load: LoadReport;
  readonly nodeCpuUs: number;
  readonly pgCpuUs: number;
  readonly commits: number;
  /** Writes of runs in these commits. */
  readonly writes: number;
  readonly walBytes: number;
}

/** A load of runs in a closed loop. */
export type Load = Omit<LoadOrder, "kind" | "workflowId">;

/** What an installation may differ in. */
export interface InstallOptions extends Pick<NodeArgument, "flags"> {
  /** Server settings that replace the product's. */
  readonly pgSettings?: EmbeddedPgOptions["settings"];
}

/** Installs everything, and deploys the workloads. */
export async function install(setting: BenchSetting, { flags, pgSettings: settings }: InstallOptions = {}): Promise<Installation> {
  const { clock, random, profileFolder } = setting;
  await using owned = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), "maestro-bench-"));
  owned.defer(() => rm(folder, { recursive: true, force: true }));
  const server = await startEmbeddedPg({ folder: join(folder, "data"), clock, random, ...(settings && { settings }) });
  owned.defer(() => server.stop());
  if (profileFolder !== undefined) await mkdir(profileFolder, { recursive: true });
  const logFile = join(folder, "node.log");
  const meter = owned.use(await openPgMeter(server));
  const installation = owned.use(new Installation({ setting, meter, node: { pgUrl: server.url, logFile, ...(flags && { flags }) } }));
  await installation.start();
  for (const name of Object.keys(WORKLOADS) as WorkloadName[]) await installation.deploy(WORKLOADS[name].document);
  installation.own(owned.move());
  return installation;
}

interface Parts {
  readonly setting: BenchSetting;
  readonly meter: PgMeter;
  readonly node: NodeArgument;
}

/** A node that runs, and a client to it. */
export class Installation implements AsyncDisposable {
  readonly #parts: Parts;
  readonly #workflowIds = new Map<string, string>();
  #processes: { readonly node: Peer; readonly client: Peer; readonly address: string } | undefined;
  #owned: AsyncDisposableStack | undefined;
  /** Rejects when the user interrupts: nobody waits for a load then, and all of this is stopped. */
  readonly #interrupted: Promise<never>;

  /** Use {@link install}. */
  constructor(parts: Parts) {
    this.#parts = parts;
    const { signal } = parts.setting;
    this.#interrupted = new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true }));
    // Whoever waits races against it; an interruption while nobody waits is no unhandled one.
    this.#interrupted.catch(() => undefined);
  }

  /** Gateway of the node, as `host:port`. */
  get address(): string {
    return this.#running.address;
  }

  /** Where the server is. */
  get pgUrl(): string {
    return this.#parts.node.pgUrl;
  }

  /** The server's meter. */
  get meter(): PgMeter {
    return this.#parts.meter;
  }

  /** Starts node and client. Answers the milliseconds until the node was ready, the start of its process included. */
  async start(): Promise<number> {
    const { setting, node: argument } = this.#parts;
    const { clock, profileFolder } = setting;
    const flags = profileFolder === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${profileFolder}`];
    const startMs = clock.monotonic();
    await using owned = new AsyncDisposableStack();
    const node = owned.use(new Peer(new URL("./node-process.ts", import.meta.url), clock, argument, ["--expose-gc", ...flags]));
    const address = await node.ask<string>({ kind: "address" } satisfies NodeOrder);
    const readyMs = clock.monotonic() - startMs;
    const client = owned.use(new Peer(new URL("./client.ts", import.meta.url), clock, { address } satisfies ClientArgument, flags));
    this.#processes = { node, client, address };
    owned.move();
    return readyMs;
  }

  /** Stops node and client in order. */
  async stop(): Promise<void> {
    const { client, node } = this.#running;
    this.#processes = undefined;
    await client[Symbol.asyncDispose]();
    await node[Symbol.asyncDispose]();
  }

  /** Deploys a workflow of the namespace of the benchmarks. */
  async deploy(document: string): Promise<Deployed> {
    using client = connect(this.address);
    const { workflow } = await client.deploy(document);
    if (workflow === undefined) throw new Error("the gateway deployed the workflow of the benchmark and did not say its id");
    this.#workflowIds.set(workflow.name, workflow.id);
    return { workflow: workflow.name, workflowId: workflow.id };
  }

  /** Gives the node an order. */
  askNode<Answer>(order: NodeOrder): Promise<Answer> {
    return this.#withComplaints(() => this.#running.node.ask<Answer>(order));
  }

  /** Gives the client an order. */
  askClient<Answer>(order: ClientOrder): Promise<Answer> {
    return this.#withComplaints(() => this.#running.client.ask<Answer>(order));
  }

  /** Makes one load. @throws Error a run did not end with its result. */
  async load(load: Load): Promise<LoadCost> {
    const order: LoadOrder = { kind: "load", workflowId: this.#workflowIds.get(load.workload) ?? "", ...load };
    return this.costOf(() => (load.driver === "in process" ? this.askNode<LoadReport>(order) : this.askClient<LoadReport>(order)));
  }

  /** What a load costs. */
  async costOf(load: () => Promise<LoadReport>): Promise<LoadCost> {
    const { meter } = this.#parts;
    const usage = (): Promise<NodeUsage> => this.askNode<NodeUsage>({ kind: "usage" });
    const [nodeBefore, pgBefore] = [await usage(), await meter.read()];
    const report = await load();
    const [nodeAfter, pgAfter] = [await usage(), await meter.read()];
    return {
      load: report,
      nodeCpuUs: nodeAfter.cpuUs - nodeBefore.cpuUs,
      pgCpuUs: pgAfter.cpuUs - pgBefore.cpuUs,
      commits: nodeAfter.commits - nodeBefore.commits,
      writes: nodeAfter.writes - nodeBefore.writes,
      walBytes: pgAfter.walBytes - pgBefore.walBytes,
    };
  }

  /** Takes what has to go after the processes. */
  own(owned: AsyncDisposableStack): void {
    this.#owned = owned;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#processes !== undefined) await this.stop();
    const owned = this.#owned;
    this.#owned = undefined;
    await owned?.disposeAsync();
  }

  get #running(): { readonly node: Peer; readonly client: Peer; readonly address: string } {
    if (this.#processes === undefined) throw new Error("the node of the benchmark is stopped");
    return this.#processes;
  }

  /** A failure shows what the node last complained about. */
  async #withComplaints<Answer>(ask: () => Promise<Answer>): Promise<Answer> {
    try {
      return await Promise.race([ask(), this.#interrupted]);
    } catch (error) {
      this.#parts.setting.signal.throwIfAborted();
      throw new Error(`${messageOf(error)}\n${await lastComplaints(this.#parts.node.logFile)}`, { cause: error });
    }
  }
}

/** The last warnings and errors of a node's log, which goes with the temporary folder. */
async function lastComplaints(logFile: string): Promise<string> {
  const lines = (await readFile(logFile, "utf8")).split("\n").filter((line) => /^\{"level":"(warn|error)"/.test(line));
  return lines.length === 0 ? "The node's log has no complaints." : `The node's log ends with:\n${lines.slice(-COMPLAINTS).join("\n")}`;
}
