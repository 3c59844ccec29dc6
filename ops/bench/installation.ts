/**
 * What the benchmark of the whole product measures: an embedded PostgreSQL in a temporary folder, a node and a client, each a process of its
 * own. Owns all of them, and the folder.
 */
import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "../../gateway/grpc-client.ts";
import { messageOf } from "../../runtime/errors.ts";
import { startEmbeddedPg } from "../../runtime/storage/embedded-pg.ts";
import type { BenchSetting } from "./benchmark.ts";
import type { ClientArgument } from "./client.ts";
import type { LoadReport } from "./closed-loop.ts";
import type { NodeArgument, NodeOrder, NodeUsage } from "./node-process.ts";
import { Peer } from "./peer.ts";
import { openPgMeter, type PgMeter } from "./pg-meter.ts";
import { type LoadOrder, W1_DOCUMENT } from "./workload.ts";

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

/** Installs everything, and deploys W1. */
export async function install(setting: BenchSetting): Promise<Installation> {
  const { clock, random, profileFolder } = setting;
  await using owned = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), "maestro-bench-"));
  owned.defer(() => rm(folder, { recursive: true, force: true }));
  const server = await startEmbeddedPg({ folder: join(folder, "data"), clock, random });
  owned.defer(() => server.stop());
  const logFile = join(folder, "node.log");
  const argument: NodeArgument = { pgUrl: server.url, logFile };
  if (profileFolder !== undefined) await mkdir(profileFolder, { recursive: true });
  const flags = profileFolder === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${profileFolder}`];
  const node = owned.use(new Peer(new URL("./node-process.ts", import.meta.url), clock, argument, flags));
  const address = await node.ask<string>({ kind: "address" } satisfies NodeOrder);
  const client = owned.use(new Peer(new URL("./client.ts", import.meta.url), clock, { address } satisfies ClientArgument));
  const meter = owned.use(await openPgMeter(server));
  const workflowId = await deploy(address);
  return new Installation({ node, client, meter, workflowId, logFile, owned: owned.move() });
}

interface Parts {
  readonly node: Peer;
  readonly client: Peer;
  readonly meter: PgMeter;
  readonly workflowId: string;
  readonly logFile: string;
  readonly owned: AsyncDisposableStack;
}

/** Runs, waiting to be started. */
export class Installation implements AsyncDisposable {
  readonly #parts: Parts;

  /** Use {@link install}. */
  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Makes one load. @throws Error a run did not end with its result; it shows what the node last complained about. */
  async load(order: Omit<LoadOrder, "kind" | "workflowId">): Promise<LoadCost> {
    try {
      return await this.#load(order);
    } catch (error) {
      throw new Error(`${messageOf(error)}\n${await lastComplaints(this.#parts.logFile)}`, { cause: error });
    }
  }

  async #load(order: Omit<LoadOrder, "kind" | "workflowId">): Promise<LoadCost> {
    const { node, client, meter, workflowId } = this.#parts;
    const maker = order.driver === "in process" ? node : client;
    const usage = (): Promise<NodeUsage> => node.ask<NodeUsage>({ kind: "usage" } satisfies NodeOrder);
    const [nodeBefore, pgBefore] = [await usage(), await meter.read()];
    const load = await maker.ask<LoadReport>({ kind: "load", workflowId, ...order } satisfies LoadOrder);
    const [nodeAfter, pgAfter] = [await usage(), await meter.read()];
    return {
      load,
      nodeCpuUs: nodeAfter.cpuUs - nodeBefore.cpuUs,
      pgCpuUs: pgAfter.cpuUs - pgBefore.cpuUs,
      commits: nodeAfter.commits - nodeBefore.commits,
      writes: nodeAfter.writes - nodeBefore.writes,
      walBytes: pgAfter.walBytes - pgBefore.walBytes,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#parts.owned.disposeAsync();
  }
}

/** The last warnings and errors of a node's log, which goes with the temporary folder. */
async function lastComplaints(logFile: string): Promise<string> {
  const lines = (await readFile(logFile, "utf8")).split("\n").filter((line) => /^\{"level":"(warn|error)"/.test(line));
  return lines.length === 0 ? "The node's log has no complaints." : `The node's log ends with:\n${lines.slice(-COMPLAINTS).join("\n")}`;
}

async function deploy(address: string): Promise<string> {
  using client = connect(address);
  const { workflow } = await client.deploy(W1_DOCUMENT);
  if (workflow === undefined) throw new Error("the gateway deployed the workflow of the benchmark and did not say its id");
  return workflow.id;
}
