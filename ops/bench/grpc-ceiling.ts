/**
 * What the gRPC library does on this machine when a call means nothing: a client here, a server in a process of its own
 * (`grpc-ceiling-server.ts`), one connection, messages of a hundred bytes, no code of ours around them.
 */
import { Client, type ClientDuplexStream, credentials } from "@grpc/grpc-js";
import type { BenchSetting, Measured, Round } from "./benchmark.ts";
import { closedLoop, type LoadReport } from "./closed-loop.ts";
import { Peer } from "./peer.ts";

/** Paths of the server's two methods. */
export const ECHO = { unary: "/bench.Echo/Unary", stream: "/bench.Echo/Stream" } as const;

/** What the server answers to the order "usage": CPU of its process since its start. */
export interface EchoUsage {
  readonly cpuUs: number;
}

/** Serializes bytes: they are what they are. */
export const asIs = (bytes: Buffer): Buffer => bytes;

const MESSAGE = Buffer.alloc(100, 0x61);
const WARM_UP = { inFlight: 300, durationMs: 1_000 };

/** Starts server and client. */
export async function openGrpcEcho(setting: BenchSetting): Promise<GrpcEcho> {
  await using owned = new AsyncDisposableStack();
  const server = owned.use(new Peer(new URL("./grpc-ceiling-server.ts", import.meta.url), setting.clock));
  const address = await server.ask<string>("address");
  const client = owned.adopt(new Client(address, credentials.createInsecure()), (opened) => opened.close());
  const echo = new GrpcEcho(setting, server, client, owned.move());
  await echo.warmUp();
  return echo;
}

/** An echo server and its client. */
class GrpcEcho implements AsyncDisposable {
  readonly #setting: BenchSetting;
  readonly #server: Peer;
  readonly #client: Client;
  readonly #owned: AsyncDisposableStack;

  constructor(setting: BenchSetting, server: Peer, client: Client, owned: AsyncDisposableStack) {
    this.#setting = setting;
    this.#server = server;
    this.#client = client;
    this.#owned = owned;
  }

  /** Lets both processes compile what they run. */
  async warmUp(): Promise<void> {
    const { clock, progress } = this.#setting;
    progress("warming up: gRPC echo");
    await closedLoop(WARM_UP, clock, () => this.#unary());
    await this.#overStream((send) => closedLoop(WARM_UP, clock, send));
  }

  /** Unary calls. */
  unary(inFlight: number): Measured {
    const label = { name: `gRPC unary echo, ${inFlight}`, unit: "calls/s", about: `unary calls that mean nothing, ${inFlight} in flight` };
    const { clock, roundMs: durationMs } = this.#setting;
    return { label, round: () => this.#round(() => closedLoop({ inFlight, durationMs }, clock, () => this.#unary())) };
  }

  /** Messages there and back over one stream. */
  stream(inFlight: number): Measured {
    const about = `messages there and back over one stream, ${inFlight} in flight`;
    const { clock, roundMs: durationMs } = this.#setting;
    const load = (): Promise<LoadReport> => this.#overStream((send) => closedLoop({ inFlight, durationMs }, clock, send));
    return { label: { name: `gRPC stream echo, ${inFlight}`, unit: "messages/s", about }, round: () => this.#round(load) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#owned.disposeAsync();
  }

  async #round(load: () => Promise<LoadReport>): Promise<Round> {
    const before = await this.#server.ask<EchoUsage>("usage");
    const { operations, elapsedMs, cpuUs, p50Ms, p99Ms } = await load();
    const after = await this.#server.ask<EchoUsage>("usage");
    const serverUs = (after.cpuUs - before.cpuUs) / operations;
    return {
      value: (operations / elapsedMs) * 1000,
      details: { "p50 ms": p50Ms, "p99 ms": p99Ms, "client us/call": cpuUs / operations, "server us/call": serverUs },
    };
  }

  #unary(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#client.makeUnaryRequest(ECHO.unary, asIs, asIs, MESSAGE, (error) => (error === null ? resolve() : reject(error)));
    });
  }

  /** Answers come in the order of the messages, so the oldest waiting is answered next. */
  async #overStream<T>(use: (send: () => Promise<void>) => Promise<T>): Promise<T> {
    const stream: ClientDuplexStream<Buffer, Buffer> = this.#client.makeBidiStreamRequest(ECHO.stream, asIs, asIs);
    const waiting: (() => void)[] = [];
    const broken = Promise.withResolvers<never>();
    stream.on("data", () => waiting.shift()?.());
    stream.on("error", (error) => broken.reject(error));
    const send = (): Promise<void> =>
      new Promise((resolve) => {
        waiting.push(resolve);
        stream.write(MESSAGE);
      });
    const result = await Promise.race([use(send), broken.promise]);
    stream.end();
    return result;
  }
}
