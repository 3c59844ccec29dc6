/** gRPC at the level of HTTP/2, for calls that no client library would make: any path, any headers, any bytes, any order of events. */
import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from "node:http2";

/** What a call ended with. */
export interface WireStatus {
  /** `grpc-status`; undefined if the call ended without one. */
  readonly code: number | undefined;
  readonly httpStatus: number | undefined;
  /** `grpc-status-details-bin`, decoded from base64. */
  readonly details: Buffer | undefined;
  readonly message: string;
  /** Messages that were received, each with its prefix cut off. */
  readonly answers: readonly Buffer[];
}

/** A call under way. */
export interface WireCall {
  readonly stream: ClientHttp2Stream;
  readonly ended: Promise<WireStatus>;
}

/** A gRPC frame: flag, length and message. `length` may lie. */
export function frame(message: Buffer, flag = 0, length = message.length): Buffer {
  const prefix = Buffer.alloc(5);
  prefix[0] = flag;
  prefix.writeUInt32BE(length >>> 0, 1);
  return Buffer.concat([prefix, message]);
}

/** Calls on one connection. HTTP/2 servers end a connection on which very many calls are reset, so that nobody floods them. */
const CALLS_MAX = 500;

/** A connection that is made again when the server ends it, and when {@link Wire.renew} finds that it was used enough. */
export class Wire {
  readonly #address: string;
  #session: ClientHttp2Session | undefined;
  #calls = 0;

  constructor(address: string) {
    this.#address = address;
  }

  /** Begins a call. Headers that HTTP/2 itself refuses to send throw. */
  call(path: string, headers: Readonly<Record<string, string>> = {}): WireCall {
    const base = { ":method": "POST", ":path": path, "content-type": "application/grpc+proto", te: "trailers" };
    const stream = this.#connected().request({ ...base, ...headers }, { endStream: false });
    return { stream, ended: endOf(stream) };
  }

  /** To be called while no call is under way. */
  async renew(): Promise<void> {
    if (this.#calls < CALLS_MAX) return;
    await this.close();
    this.#calls = 0;
  }

  /** Ends the connection, and with it what is under way. */
  close(): Promise<void> {
    const session = this.#session;
    if (session === undefined || session.destroyed) return Promise.resolve();
    return new Promise((resolve) => {
      session.on("close", () => resolve());
      session.destroy();
    });
  }

  #connected(): ClientHttp2Session {
    this.#calls += 1;
    if (this.#session !== undefined && !this.#session.closed && !this.#session.destroyed) return this.#session;
    const session = connect(`http://${this.#address}`);
    session.setMaxListeners(0);
    session.on("error", () => session.destroy());
    this.#session = session;
    return session;
  }
}

function endOf(stream: ClientHttp2Stream): Promise<WireStatus> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let headers: Record<string, unknown> = {};
    let trailers: Record<string, unknown> = {};
    stream.on("response", (received) => {
      headers = received;
    });
    stream.on("trailers", (received) => {
      trailers = received;
    });
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    // A call is over when its status is there, as it is for every gRPC client: what was still to be written is given up.
    stream.on("end", () => stream.close(constants.NGHTTP2_CANCEL));
    stream.on("error", () => stream.close());
    stream.on("close", () => {
      const code = trailers["grpc-status"] ?? headers["grpc-status"];
      const details = trailers["grpc-status-details-bin"] ?? headers["grpc-status-details-bin"];
      resolve({
        code: code === undefined ? undefined : Number(code),
        httpStatus: headers[":status"] as number | undefined,
        details: details === undefined ? undefined : Buffer.from(String(details), "base64"),
        message: String(trailers["grpc-message"] ?? headers["grpc-message"] ?? ""),
        answers: messagesOf(Buffer.concat(chunks)),
      });
    });
  });
}

function messagesOf(bytes: Buffer): Buffer[] {
  const messages: Buffer[] = [];
  for (let at = 0; at + 5 <= bytes.length; ) {
    const length = bytes.readUInt32BE(at + 1);
    messages.push(bytes.subarray(at + 5, at + 5 + length));
    at += 5 + length;
  }
  return messages;
}
