/** `maestro.v1.WorkflowService` over the service layer. */
import type { WorkflowServiceServer } from "../proto/gen/maestro/v1/workflow_service.ts";
import type { Calls } from "./grpc-calls.ts";
import { workflowMessage } from "./grpc-messages.ts";
import type { WorkflowService } from "./service/workflow-service.ts";

/** The handlers, one for each method. */
export function workflowHandlers(service: WorkflowService, calls: Calls): WorkflowServiceServer {
  return {
    deploy: calls.unary("WorkflowService/Deploy", async ({ document, dryRun }) => {
      const { record, created } = await service.deploy(document, dryRun);
      return { workflow: workflowMessage(record), created };
    }),
    get: calls.unary("WorkflowService/Get", async (request) => ({ workflow: workflowMessage(await service.get(request)) })),
    list: calls.unary("WorkflowService/List", async (request) => {
      const { rows, nextPageToken } = await service.list(request);
      return { workflows: rows.map(workflowMessage), nextPageToken };
    }),
    delete: calls.unary("WorkflowService/Delete", async (request) => ({ deleted: await service.remove(request) })),
  };
}
