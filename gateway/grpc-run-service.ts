/** `maestro.v1.RunService` over the service layer. */
import type { ServerUnaryCall } from "@grpc/grpc-js";
import type { HistoryEntry } from "../actors/runs.ts";
import type { RunServiceServer, StartRunRequest, StartRunResponse, WatchRunRequest, WatchRunResponse } from "../proto/gen/maestro/v1/run_service.ts";
import { fittingRun } from "./grpc-answer-size.ts";
import type { Calls, OpenCall } from "./grpc-calls.ts";
import { onCancelled } from "./grpc-deadline.ts";
import { ExecuteStream } from "./grpc-execute.ts";
import { entryMessage, listRequestOf, resultMessage, runMessage, runRowMessage } from "./grpc-messages.ts";
import { AnswerStream, type StreamSource } from "./grpc-stream.ts";
import { type Caller, callerWith } from "./service/caller.ts";
import type { RunService } from "./service/run-service.ts";

/** The handlers, one for each method. */
export function runHandlers(service: RunService, calls: Calls): RunServiceServer {
  const watching: StreamSource<WatchRunRequest, HistoryEntry, WatchRunResponse> = {
    method: "RunService/Watch",
    answers: (request, signal) => service.watch(request, signal),
    response: (entry) => ({ entry: entryMessage(entry) }),
  };
  return {
    start: calls.unary("RunService/Start", async (request, call) => {
      if (request.wait) return startAndWait(service, calls, call);
      return { ...(await service.start(request, callerOf(call))), result: undefined };
    }),
    get: calls.unary("RunService/Get", async (request, call) => {
      const found = request.wait ? waiting(calls, call, (signal) => service.getEnded(request.runId, signal)) : service.get(request.runId);
      return { run: fittingRun(runMessage(await found), request.part) };
    }),
    list: calls.unary("RunService/List", async (request) => {
      const { rows, nextPageToken } = await service.list(listRequestOf(request));
      return { runs: rows.map(runRowMessage), nextPageToken };
    }),
    watch: (call) => void new AnswerStream(watching, calls, call).serve(),
    getHistory: calls.unary("RunService/GetHistory", async (request) => {
      const { entries, nextSeq } = await service.history(request);
      return { entries: entries.map(entryMessage), nextSeq };
    }),
    signal: calls.unary("RunService/Signal", async (request) => {
      const { nameUnknown, knownNames } = await service.signal(request);
      return { nameUnknown, knownNames: [...knownNames] };
    }),
    cancel: calls.unary("RunService/Cancel", (request) => acknowledged(service.cancel(request))),
    terminate: calls.unary("RunService/Terminate", (request) => acknowledged(service.terminate(request))),
    release: calls.unary("RunService/Release", ({ runId }) => acknowledged(service.release(runId))),
    execute: (call) => new ExecuteStream(service, calls, call, callerOf(call)).start(),
  };
}

/** The run's end, waited for until the call is cancelled, its deadline passes, or the server's time for draining is over. */
async function waiting<Request, Response, T>(
  calls: Calls,
  call: ServerUnaryCall<Request, Response>,
  wait: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const patience = new AbortController();
  const open: OpenCall = { drain: () => undefined, stop: (reason) => patience.abort(reason) };
  let isAnswered = false;
  onCancelled(call, calls.clock, (reason) => {
    if (!isAnswered) patience.abort(reason());
  });
  calls.open(open);
  try {
    return await wait(patience.signal);
  } catch (error) {
    throw patience.signal.aborted ? patience.signal.reason : error;
  } finally {
    isAnswered = true;
    calls.close(open);
  }
}

async function startAndWait(service: RunService, calls: Calls, call: ServerUnaryCall<StartRunRequest, StartRunResponse>): Promise<StartRunResponse> {
  const { runId, created, outcome } = await waiting(calls, call, (signal) => service.startAndWait(call.request, callerOf(call), signal));
  return { runId, created, result: resultMessage(outcome) };
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
