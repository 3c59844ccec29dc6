/**
 * A cluster on this machine: a PostgreSQL and a NATS server, unless the configuration names others, and nodes on them, each a process of its own.
 * Owns all of these. Nothing is started again by itself; `supervision.ts` does that for people.
 */
import { mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { Clock } from "../../runtime/clock.ts";
import { MaestroError } from "../../runtime/errors.ts";
import { EventHub } from "../../runtime/events.ts";
import type { Random } from "../../runtime/random.ts";
import { type EmbeddedPg, startEmbeddedPg } from "../../runtime/storage/embedded-pg.ts";
import type { Config } from "../config.ts";
import { SETTINGS } from "../settings.ts";
import { freePort } from "./free-port.ts";
import { LocalNode } from "./local-node.ts";
import { type NatsServer, startNatsServer } from "./nats-server.ts";

/** Connections of the server: a node has about twenty, and one that is started anew meets those of the process before. */
const CONNECTIONS_PER_NODE = 40;

/** What a cluster is made from. */
export interface LocalClusterOptions {
  /** Settings of all nodes. The first node has its ports, the others those that follow, or any that are free; 0 gives all of them any. */
  readonly config: Config;
  /** How many nodes. They are called n1, n2 ... */
  readonly size: number;
  readonly clock: Clock;
  readonly random: Random;
  /** The environment that those of the nodes begin with. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Settings of the PostgreSQL server beside its own. */
  readonly pgSettings?: Readonly<Record<string, string | number>>;
  /** Flags of Node.js for the nodes. */
  readonly nodeFlags?: readonly string[];
  /** Called before NATS is installed because it is missing. Without it that is an error. */
  onInstall?(): void;
}

/** Starts the servers, and makes the nodes, which are not started yet. @throws PROGRAM_MISSING, PROGRAM_ENDED, PORT_IN_USE, DATA_FOLDER_LOCKED ... */
export async function openLocalCluster(options: LocalClusterOptions): Promise<LocalCluster> {
  const { config, size, clock, random, env, nodeFlags, pgSettings } = options;
  const folder = resolve(config.dataFolder);
  await using owned = new AsyncDisposableStack();
  const events = new EventHub();
  const [grpcPorts, opsPorts] = [
    await portsOf(config.grpcHost, config.grpcPort, size, "grpcPort"),
    await portsOf(config.opsHost, config.opsPort, size, "opsPort"),
  ];
  let pg: EmbeddedPg | undefined;
  if (config.pgUrl === undefined) {
    pg = await startEmbeddedPg({ folder, clock, random, events, settings: { max_connections: CONNECTIONS_PER_NODE * (size + 1), ...pgSettings } });
    owned.defer(() => pg?.stop());
  } else await mkdir(folder, { recursive: true });
  const { onInstall } = options;
  const natsOptions = { clock, folder: join(folder, "nats"), hasJetStream: true, ...(onInstall !== undefined && { onInstall }) };
  const nats = config.natsUrl === undefined ? owned.use(await startNatsServer(natsOptions)) : undefined;
  // With a database in the data folder its large payloads are there as well, where a node alone on the folder would have them.
  const objectsFolder = config.objectsFolder ?? (pg === undefined ? undefined : join(folder, "objects"));
  if (config.objectsFolder === undefined && objectsFolder !== undefined) await mkdir(objectsFolder, { recursive: true });
  const shared = { ...config, objectsFolder, pgUrl: pg?.url ?? config.pgUrl, natsUrl: nats?.url ?? config.natsUrl };
  const nodes = Array.from({ length: size }, (_none, index) => {
    const nodeName = `n${index + 1}`;
    const own = { ...shared, nodeName, grpcPort: grpcPorts[index] ?? 0, opsPort: opsPorts[index] ?? 0 };
    const logPath = join(folder, `${nodeName}.log`);
    return new LocalNode({ config: own, clock, env, logPath, ...(nodeFlags !== undefined && { flags: nodeFlags }) });
  });
  owned.move();
  return new LocalCluster({ pg, nats, nodes, events, pgUrl: shared.pgUrl ?? "", natsUrl: shared.natsUrl ?? "" });
}

/** Its parts. */
export interface LocalClusterParts {
  /** Undefined: it is somebody else's. */
  readonly pg: EmbeddedPg | undefined;
  /** Undefined: it is somebody else's. */
  readonly nats: NatsServer | undefined;
  readonly nodes: readonly LocalNode[];
  /** What the PostgreSQL server tells: `database.exited`. */
  readonly events: EventHub;
  /** With the password: not for logs. */
  readonly pgUrl: string;
  readonly natsUrl: string;
}

/** The cluster. */
export class LocalCluster implements AsyncDisposable {
  readonly parts: LocalClusterParts;

  /** Use {@link openLocalCluster}. */
  constructor(parts: LocalClusterParts) {
    this.parts = parts;
  }

  /** All nodes, by name. */
  get nodes(): readonly LocalNode[] {
    return this.parts.nodes;
  }

  /** Starts all nodes; resolves when they are ready. The first comes before the others, so that it does what a new database needs. */
  async start(): Promise<void> {
    const [first, ...others] = this.nodes;
    await first?.start();
    await Promise.all(others.map((node) => node.start()));
  }

  /** Stops all that was started, in order: node after node, each of which hands its shards to those that are left, then NATS, then PostgreSQL. */
  async [Symbol.asyncDispose](): Promise<void> {
    const { pg, nats, nodes } = this.parts;
    await using owned = new AsyncDisposableStack();
    if (pg !== undefined) owned.defer(() => pg.stop());
    if (nats !== undefined) owned.use(nats);
    for (const node of nodes) await node.stop();
  }
}

/** Ports for the nodes: the wanted one for the first, those that follow for the others where they are free. @throws PORT_IN_USE */
async function portsOf(host: string, wanted: number, size: number, name: "grpcPort" | "opsPort"): Promise<readonly number[]> {
  const first = await freePort(wanted, host);
  const purpose = name === "grpcPort" ? "gRPC" : "metrics and health";
  if (first === undefined) throw new MaestroError("PORT_IN_USE", { facts: { port: wanted, host, purpose, setting: SETTINGS[name].env } });
  const ports = [first];
  for (let index = 1; index < size; index++) {
    const next = wanted === 0 ? 0 : wanted + index;
    let port = await freePort(next, host);
    while (port === undefined || ports.includes(port)) port = await freePort(0, host);
    ports.push(port);
  }
  return ports;
}
