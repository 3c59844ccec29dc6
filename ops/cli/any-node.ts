/**
 * The nodes of a local cluster as one gateway: whichever is ready is asked. Owns the connections.
 */
import { MaestroError } from "../../runtime/errors.ts";
import type { LocalNode } from "../local-cluster/local-node.ts";
import type { Deployer } from "./deploy-latest.ts";
import type { Gateway } from "./gateway-port.ts";

/** See the file header. */
export class AnyNode implements Deployer, Pick<Gateway, "nodes">, Disposable {
  readonly #nodes: readonly LocalNode[];
  readonly #connect: (address: string) => Gateway;
  readonly #connections = new Map<string, Gateway>();

  constructor(nodes: readonly LocalNode[], connect: (address: string) => Gateway) {
    this.#nodes = nodes;
    this.#connect = connect;
  }

  deploy: Gateway["deploy"] = (document, isDryRun) => this.#ready().deploy(document, isDryRun);
  workflow: Gateway["workflow"] = (ref) => this.#ready().workflow(ref);
  nodes: Gateway["nodes"] = () => this.#ready().nodes();

  [Symbol.dispose](): void {
    for (const connection of this.#connections.values()) connection.close();
  }

  /** @throws NODE_UNREACHABLE no node is ready */
  #ready(): Gateway {
    const node = this.#nodes.find(({ isReady }) => isReady);
    if (node === undefined)
      throw new MaestroError("NODE_UNREACHABLE", { facts: { address: this.#nodes[0]?.address ?? "", reason: "no node is ready." } });
    const connection = this.#connections.get(node.address) ?? this.#connect(node.address);
    this.#connections.set(node.address, connection);
    return connection;
  }
}
