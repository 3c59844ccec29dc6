/**
 * What the benchmarks of clusters measure: nodes on this machine with their default settings, in a temporary folder, as `maestro dev --nodes` starts
 * them. Owns all of it.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, type MaestroClient } from "../../gateway/grpc-client.ts";
import { SHARD_COUNT } from "../../runtime/ids.ts";
import { loadConfig } from "../config.ts";
import { awaited } from "../local-cluster/awaited.ts";
import { type LocalCluster, openLocalCluster } from "../local-cluster/local-cluster.ts";
import type { LocalNode } from "../local-cluster/local-node.ts";
import type { BenchSetting } from "./benchmark.ts";
import { COMMIT_TIMES, JournalTimes } from "./journal-times.ts";
import { HANDLERS_FOLDER } from "./workload.ts";

const BALANCE_MS = 60_000;

/** Starts a cluster, and waits until every node has its share of the shards. */
export async function openClusterBed(setting: BenchSetting, size: number): Promise<ClusterBed> {
  const { clock, random } = setting;
  await using owned = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), "maestro-bench-cluster-"));
  owned.defer(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  const flags = { dataFolder: folder, grpcPort: "0", opsPort: "0", handlersFolder: HANDLERS_FOLDER };
  const config = loadConfig({ env: {}, flags });
  const cluster = owned.use(
    await openLocalCluster({ config, size, clock, random, env: process.env, pgSettings: COMMIT_TIMES, onInstall: () => undefined }),
  );
  await cluster.start();
  const journal = owned.use(await JournalTimes.open(cluster.parts.pgUrl));
  const bed = new ClusterBed(setting, cluster, journal, connect(cluster.nodes.map(({ address }) => address).join()));
  owned.defer(() => bed.client.close());
  await bed.balanced();
  bed.own(owned.move());
  return bed;
}

/** The cluster, and what looks at it. */
export class ClusterBed implements AsyncDisposable {
  readonly cluster: LocalCluster;
  readonly journal: JournalTimes;
  /** A client of all gateways, which goes to each in turn. */
  readonly client: MaestroClient;
  readonly #setting: BenchSetting;
  #owned: AsyncDisposableStack | undefined;

  /** Use {@link openClusterBed}. */
  constructor(setting: BenchSetting, cluster: LocalCluster, journal: JournalTimes, client: MaestroClient) {
    this.#setting = setting;
    this.cluster = cluster;
    this.journal = journal;
    this.client = client;
  }

  /** Gateways of all nodes. */
  get addresses(): readonly string[] {
    return this.cluster.nodes.map(({ address }) => address);
  }

  /** A node by its place, from 0. */
  node(index: number): LocalNode {
    const node = this.cluster.nodes[index];
    if (node === undefined) throw new Error(`there is no node ${index}`);
    return node;
  }

  /** Until each node has at least half of its share of the shards, as operators await it before they restart the next one. */
  async balanced(): Promise<void> {
    const { nodes } = this.cluster;
    const look = async (): Promise<true | undefined> => {
      const groups = await this.client.listShards();
      const shardsOf = (name: string): number => groups.filter(({ node }) => node === name).reduce((sum, { shards }) => sum + shards, 0);
      return nodes.every(({ name }) => shardsOf(name) >= SHARD_COUNT / nodes.length / 2) ? true : undefined;
    };
    await awaited("every node to have its share of the shards", look, BALANCE_MS, this.#setting.clock);
  }

  /** Deploys a document; answers the workflow's id. */
  async deploy(document: string): Promise<string> {
    return (await this.client.deploy(document)).workflow?.id ?? "";
  }

  /** Takes what has to go in the end. */
  own(owned: AsyncDisposableStack): void {
    this.#owned = owned;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#owned?.disposeAsync();
  }
}
