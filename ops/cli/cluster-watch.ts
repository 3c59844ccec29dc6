/**
 * Looks at all nodes of a cluster again and again: the table of the nodes from one of them, and from each what it does itself. Owns the connections to them.
 */
import { messageOf } from "../../runtime/errors.ts";
import type { Gateway } from "./gateway-port.ts";
import { type Activity, type ClusterNode, isMember, roleNames } from "./wire.ts";

/** A node at one moment. */
export interface NodeReading {
  readonly node: ClusterNode;
  /** Why the node did not tell what it does; empty if it did. */
  readonly problem: string;
  readonly activeRuns: number | undefined;
  /** Since the reading before. Undefined in the first one of a process. */
  readonly commitsPerSecond: number | undefined;
  readonly endedRunsPerSecond: number | undefined;
}

interface Told {
  readonly activity: Activity;
  readonly atMs: number;
}

/** What it needs. */
export interface ClusterWatchOptions {
  readonly gateway: Pick<Gateway, "nodes">;
  /** Monotonic milliseconds. */
  now(): number;
  connect(address: string): Gateway;
}

/** The watch. */
export class ClusterWatch implements Disposable {
  readonly #options: ClusterWatchOptions;
  readonly #connections = new Map<string, Gateway>();
  readonly #told = new Map<string, Told>();

  constructor(options: ClusterWatchOptions) {
    this.#options = options;
  }

  /** All members, by name. @throws MaestroError what the first node answers; others that do not answer are told of in their readings. */
  async read(): Promise<readonly NodeReading[]> {
    const nodes = (await this.#options.gateway.nodes()).filter(isMember);
    this.#forgetAllBut(nodes);
    return Promise.all(nodes.map((node) => this.#readOne(node)));
  }

  [Symbol.dispose](): void {
    for (const connection of this.#connections.values()) connection.close();
  }

  async #readOne(node: ClusterNode): Promise<NodeReading> {
    const reason = reasonNotToAsk(node);
    if (reason !== undefined) return untold(node, reason);
    try {
      const activity = await this.#connectionTo(node.grpcAddress).activity();
      const before = this.#told.get(activity.bootId);
      const atMs = this.#options.now();
      this.#told.set(activity.bootId, { activity, atMs });
      const rate = (count: "commits" | "endedRuns"): number | undefined =>
        before === undefined ? undefined : ((activity[count] - before.activity[count]) / (atMs - before.atMs)) * 1_000;
      return { node, problem: "", activeRuns: activity.activeRuns, commitsPerSecond: rate("commits"), endedRunsPerSecond: rate("endedRuns") };
    } catch (error) {
      return untold(node, messageOf(error));
    }
  }

  #connectionTo(address: string): Gateway {
    const connection = this.#connections.get(address) ?? this.#options.connect(address);
    this.#connections.set(address, connection);
    return connection;
  }

  #forgetAllBut(nodes: readonly ClusterNode[]): void {
    const [addresses, boots] = [new Set(nodes.map(({ grpcAddress }) => grpcAddress)), new Set(nodes.map(({ bootId }) => bootId))];
    for (const bootId of this.#told.keys()) if (!boots.has(bootId)) this.#told.delete(bootId);
    for (const [address, connection] of this.#connections) {
      if (addresses.has(address)) continue;
      connection.close();
      this.#connections.delete(address);
    }
  }
}

/** Connecting without an address would ask whoever has the default one; and one that hangs would keep all the others from being shown. */
function reasonNotToAsk(node: ClusterNode): string | undefined {
  if (node.silentFor !== undefined) return "It is not heard on the message bus.";
  if (node.grpcAddress !== "") return undefined;
  return roleNames(node).includes("gateway") ? "It has not started yet." : "It has no gateway that could be asked.";
}

function untold(node: ClusterNode, problem: string): NodeReading {
  return { node, problem, activeRuns: undefined, commitsPerSecond: undefined, endedRunsPerSecond: undefined };
}
