/** `maestro.v1.EventService` over the service layer. */
import type { EventServiceServer, SubscribeRequest, SubscribeResponse } from "../proto/gen/maestro/v1/event_service.ts";
import type { StoredMessage } from "../runtime/stream/stream.ts";
import type { Calls } from "./grpc-calls.ts";
import { eventMessage, eventQueryOf } from "./grpc-messages.ts";
import { AnswerStream, type StreamSource } from "./grpc-stream.ts";
import type { EventService } from "./service/event-service.ts";

/** The handlers, one for each method. */
export function eventHandlers(service: EventService, calls: Calls): EventServiceServer {
  const subscribing: StreamSource<SubscribeRequest, StoredMessage, SubscribeResponse> = {
    method: "EventService/Subscribe",
    answers: (request, signal) => service.subscribe(eventQueryOf(request), signal),
    response: (message) => ({ event: eventMessage(message) }),
  };
  return { subscribe: (call) => void new AnswerStream(subscribing, calls, call).serve() };
}
