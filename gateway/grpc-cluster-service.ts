/** `maestro.v1.ClusterService` over the service layer. */
import type { ClusterServiceServer } from "../proto/gen/maestro/v1/cluster_service.ts";
import type { Calls } from "./grpc-calls.ts";
import { nodeMessage, queueMessage, shardGroupMessage } from "./grpc-cluster-messages.ts";
import type { ClusterService } from "./service/cluster-service.ts";

/** The handlers, one for each method. */
export function clusterHandlers(service: ClusterService, calls: Calls): ClusterServiceServer {
  return {
    listNodes: calls.unary("ClusterService/ListNodes", async () => ({ nodes: (await service.nodes()).map(nodeMessage) })),
    listShards: calls.unary("ClusterService/ListShards", async () => ({ groups: (await service.shards()).map(shardGroupMessage) })),
    listQueues: calls.unary("ClusterService/ListQueues", async () => ({ queues: (await service.queues()).map(queueMessage) })),
    drain: calls.unary("ClusterService/Drain", async ({ node }) => ({ node: nodeMessage(await service.drain(node)) })),
    getActivity: calls.unary("ClusterService/GetActivity", async () => service.activity()),
    undrain: calls.unary("ClusterService/Undrain", async ({ node }) => ({ node: nodeMessage(await service.undrain(node)) })),
  };
}
