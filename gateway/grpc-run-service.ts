/** `maestro.v1.RunService` over the service layer. */
import type { ServerUnaryCall } from "@grpc/grpc-js";
import type { GetRunRequest, GetRunResponse, RunServiceServer } from "../proto/gen/maestro/v1/run_service.ts";
import type { Calls, OpenCall } from "./grpc-calls.ts";
import { onCancelled } from "./grpc-deadline.ts";
import { ExecuteStream } from "./grpc-execute.ts";
import { entryMessage, listRequestOf, runMessage, runRowMessage } from "./grpc-messages.ts";
import { WatchStream } from "./grpc-watch.ts";
import { type Caller, callerWith } from "./service/caller.ts";
import type { RunService } from "./service/run-service.ts";

/** The handlers, one for each method. */
export function runHandlers(service: RunService, calls: Calls): RunServiceServer {
  return {
    start: calls.unary("RunService/Start", (request, call) => service.start(request, callerOf(call))),
    get: calls.unary("RunService/Get", (request, call) => (request.wait ? getEnded(service, calls, call) : getNow(service, request))),
    list: calls.unary("RunService/List", async (request) => {
      const { rows, nextPageToken } = await service.list(listRequestOf(request));
      return { runs: rows.map(runRowMessage), nextPageToken };
    }),
    watch: (call) => void new WatchStream(service, calls, call).serve(),
    getHistory: calls.unary("RunService/GetHistory", async (request) => {
      const { entries, nextSeq } = await service.history(request);
      return { entries: entries.map(entryMessage), nextSeq };
    }),
    signal: calls.unary("RunService/Signal", (request) => acknowledged(service.signal(request))),
    cancel: calls.unary("RunService/Cancel", (request) => acknowledged(service.cancel(request))),
    terminate: calls.unary("RunService/Terminate", (request) => acknowledged(service.terminate(request))),
    release: calls.unary("RunService/Release", ({ runId }) => acknowledged(service.release(runId))),
    execute: (call) => new ExecuteStream(service, calls, call, callerOf(call)).start(),
  };
}

async function getNow(service: RunService, request: GetRunRequest): Promise<GetRunResponse> {
  return { run: runMessage(await service.get(request.runId)) };
}

/** Waits for the run's end until the call is cancelled, its deadline passes, or the server's time for draining is over. */
async function getEnded(service: RunService, calls: Calls, call: ServerUnaryCall<GetRunRequest, GetRunResponse>): Promise<GetRunResponse> {
  const waiting = new AbortController();
  const open: OpenCall = { drain: () => undefined, stop: (reason) => waiting.abort(reason) };
  onCancelled(call, calls.clock, (reason) => waiting.abort(reason));
  calls.open(open);
  try {
    return { run: runMessage(await service.getEnded(call.request.runId, waiting.signal)) };
  } catch (error) {
    throw waiting.signal.aborted ? waiting.signal.reason : error;
  } finally {
    calls.close(open);
  }
}

function callerOf(call: { readonly metadata: { get(key: string): readonly (string | Buffer)[] } }): Caller {
  const [traceParent] = call.metadata.get("traceparent");
  return callerWith(typeof traceParent === "string" ? traceParent : undefined);
}

/** The answer of a method that only acknowledges. */
async function acknowledged(done: Promise<void>): Promise<Record<string, never>> {
  await done;
  return {};
}
