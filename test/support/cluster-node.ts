/**
 * One node of a cluster as a process of its own, as its users start it: on free ports, with one thread for tasks.
 */
import { MaestroProcess } from "./maestro-process.ts";
import type { NatsServer } from "./nats-server.ts";

/** What it is started with. */
export interface ClusterNodeSetting {
  readonly pgUrl: string;
  readonly nats: NatsServer;
  readonly leaseMs: number;
  /** Its working folder. */
  readonly cwd: string;
  /** Default: all. */
  readonly roles?: string;
  /** The folder of its task handlers. Default: none. */
  readonly handlers?: string;
  /** More variables. Default: none. */
  readonly env?: Readonly<Record<string, string>>;
  /** Of another version: its main file. Default: that of the working tree. */
  readonly main?: string | undefined;
}

/** Starts a node. It is ready when {@link MaestroProcess.ready} says so. */
export function startClusterNode(nodeName: string, { pgUrl, nats, leaseMs, cwd, roles, handlers, env, main }: ClusterNodeSetting): MaestroProcess {
  const joins = { MAESTRO_PG_URL: pgUrl, MAESTRO_NATS_URL: nats.url, MAESTRO_LEASE_MS: String(leaseMs), ...env };
  const args = ["start", "--node-name", nodeName, "--grpc-port", "0", "--ops-port", "0", "--threads", "1"];
  if (roles !== undefined) args.push("--roles", roles);
  if (handlers !== undefined) args.push("--handlers", handlers);
  return new MaestroProcess(args, { cwd, env: joins, ...(main !== undefined && { main }) });
}
