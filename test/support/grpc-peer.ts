/**
 * Clients of the standard services that every gRPC server may have, made from the published contracts: health checking and reflection.
 */
import { fileURLToPath } from "node:url";
import { type Client, credentials, makeGenericClientConstructor, type ServiceDefinition } from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";

const HEALTH = "grpc.health.v1.Health";
const REFLECTION = "grpc.reflection.v1.ServerReflection";

/** A message of the health service. */
export interface HealthAnswer {
  readonly status: string;
}

function clientOf(address: string, file: string, service: string): Client {
  const path = fileURLToPath(import.meta.resolve(file));
  const definition = loadSync(path, { enums: String, defaults: true, oneofs: true })[service];
  return new (makeGenericClientConstructor(definition as ServiceDefinition, service))(address, credentials.createInsecure());
}

/** Follows what a server says about the health of a service. `answers` grows until the server ends the stream, which sets `ended`. */
export function watchHealth(address: string, service: string): { readonly answers: string[]; isEnded: boolean; close(): void } {
  const client = clientOf(address, "../../node_modules/grpc-health-check/proto/health/v1/health.proto", HEALTH);
  const watch = (client as unknown as { watch(request: object): NodeJS.ReadableStream }).watch({ service });
  const state = { answers: [] as string[], isEnded: false, close: () => client.close() };
  watch.on("data", (answer: unknown) => state.answers.push((answer as HealthAnswer).status));
  watch.on("end", () => {
    state.isEnded = true;
  });
  watch.on("error", () => undefined);
  return state;
}

/** What a server says about the health of a service, once; rejects with its status. */
export function checkHealth(address: string, service: string): Promise<string> {
  const client = clientOf(address, "../../node_modules/grpc-health-check/proto/health/v1/health.proto", HEALTH);
  type Check = (request: object, callback: (error: Error | null, answer: HealthAnswer) => void) => void;
  const check = (client as unknown as { check: Check }).check.bind(client);
  return new Promise<string>((resolve, reject) => {
    check({ service }, (error, answer) => {
      client.close();
      if (error === null) resolve(answer.status);
      else reject(error);
    });
  });
}

/** One answer of the reflection service. */
export interface ReflectionAnswer {
  readonly listServicesResponse?: { readonly service: readonly { readonly name: string }[] };
  readonly fileDescriptorResponse?: { readonly fileDescriptorProto: readonly Buffer[] };
  readonly errorResponse?: { readonly errorCode: number };
}

/** Asks the reflection service of a server one question. */
export function reflect(address: string, question: Readonly<Record<string, string>>): Promise<ReflectionAnswer> {
  const client = clientOf(address, "../../node_modules/@grpc/reflection/build/proto/grpc/reflection/v1/reflection.proto", REFLECTION);
  const stream = (client as unknown as { ServerReflectionInfo(): NodeJS.ReadWriteStream }).ServerReflectionInfo();
  return new Promise<ReflectionAnswer>((resolve, reject) => {
    stream.on("error", reject);
    stream.on("data", (answer: unknown) => resolve(answer as ReflectionAnswer));
    (stream as unknown as { write(message: object): void }).write(question);
    stream.end();
  }).finally(() => client.close());
}
