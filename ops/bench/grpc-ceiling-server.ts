/**
 * The server of `grpc-ceiling.ts`, a process of its own: sends every message back.
 */
import { Server, ServerCredentials, type ServerDuplexStream, type ServerUnaryCall, type sendUnaryData } from "@grpc/grpc-js";
import { asIs, ECHO, type EchoUsage } from "./grpc-ceiling.ts";
import { servePeer } from "./peer.ts";

const CODEC = { requestSerialize: asIs, requestDeserialize: asIs, responseSerialize: asIs, responseDeserialize: asIs };

const server = new Server();
server.addService(
  {
    unary: { path: ECHO.unary, requestStream: false, responseStream: false, ...CODEC },
    stream: { path: ECHO.stream, requestStream: true, responseStream: true, ...CODEC },
  },
  {
    unary: (call: ServerUnaryCall<Buffer, Buffer>, callback: sendUnaryData<Buffer>) => callback(null, call.request),
    stream: (call: ServerDuplexStream<Buffer, Buffer>) => {
      call.on("data", (message: Buffer) => call.write(message));
      call.on("end", () => call.end());
    },
  },
);
const port = await new Promise<number>((resolve, reject) => {
  server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) => (error === null ? resolve(bound) : reject(error)));
});

async function answer(order: "address" | "usage"): Promise<unknown> {
  if (order === "address") return `127.0.0.1:${port}`;
  const { user, system } = process.cpuUsage();
  return { cpuUs: user + system } satisfies EchoUsage;
}

servePeer(answer, () => server.forceShutdown());
