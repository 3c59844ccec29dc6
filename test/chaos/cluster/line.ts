/**
 * The line between one node and one server: a TCP proxy that can be cut, one way or both, and made slow. What a cut line is given arrives once it is whole
 * again, as TCP sees to it on a real network; nothing is ever lost or reordered, and neither side is told of a cut.
 */
import { connect, createServer, type Server, type Socket } from "node:net";
import { systemClock } from "../../../runtime/clock.ts";

/** Which way a cut stops: from the node to the server, back, or both. */
export type Way = "there" | "back" | "both";

/** Where a line leads. */
export interface LineEnd {
  readonly host: string;
  readonly port: number;
}

/** A silent connection is asked for a sign of life after this long, as the server would ask if this were no proxy, in milliseconds. */
const KEEP_ALIVE_MS = 5_000;
const CLOCK = systemClock();

/** The line. */
export class Line {
  readonly #server: Server;
  readonly #target: LineEnd;
  readonly #sockets = new Set<Socket>();
  readonly #streams = new Set<Stream>();
  #cut: Way | undefined;
  #delayMs = 0;

  private constructor(server: Server, target: LineEnd) {
    this.#server = server;
    this.#target = target;
    server.on("connection", (client) => this.#serve(client));
  }

  /** Opens a line that takes connections on a free port of `host`. */
  static async open(target: LineEnd, host: string): Promise<Line> {
    const server = createServer();
    await new Promise<void>((resolve, reject) => void server.once("error", reject).listen(0, host, resolve));
    return new Line(server, target);
  }

  /** Where the node finds it. */
  get end(): LineEnd {
    const address = this.#server.address();
    if (address === null || typeof address === "string") throw new Error("the line is closed");
    return { host: address.address, port: address.port };
  }

  /** Lets nothing through that way until it is mended. */
  cut(way: Way): void {
    this.#cut = way;
  }

  /** Delays everything that enters from now on, each way, by this many milliseconds. */
  delay(delayMs: number): void {
    this.#delayMs = delayMs;
  }

  /** Whole and quick again; what was held arrives. */
  mend(): void {
    this.#cut = undefined;
    this.#delayMs = 0;
    for (const stream of this.#streams) stream.flush();
  }

  /** Ends every connection, and takes none any more. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => void this.#server.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #serve(client: Socket): void {
    const server = connect(this.#target);
    for (const socket of [client, server]) {
      socket.setNoDelay(true).setKeepAlive(true, KEEP_ALIVE_MS);
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
      // Its end is passed on when it closes.
      socket.on("error", () => undefined);
    }
    this.#join(client, server, "there");
    this.#join(server, client, "back");
  }

  #join(from: Socket, to: Socket, way: Way): void {
    const stream = new Stream(to, {
      isHeld: () => this.#cut === way || this.#cut === "both",
      delayMs: () => this.#delayMs,
    });
    this.#streams.add(stream);
    from.on("data", (data) => stream.push(data));
    from.on("close", () => stream.push(undefined));
    to.once("close", () => this.#streams.delete(stream));
  }
}

interface StreamRules {
  isHeld(): boolean;
  delayMs(): number;
}

interface Item {
  /** Undefined: the end of the connection. */
  readonly data: Buffer | undefined;
  isDue: boolean;
}

/** What is on its way in one direction of a connection. */
class Stream {
  readonly #to: Socket;
  readonly #rules: StreamRules;
  readonly #waiting: Item[] = [];

  constructor(to: Socket, rules: StreamRules) {
    this.#to = to;
    this.#rules = rules;
  }

  push(data: Buffer | undefined): void {
    const delayMs = this.#rules.delayMs();
    const item: Item = { data, isDue: delayMs === 0 };
    this.#waiting.push(item);
    if (item.isDue) return this.flush();
    CLOCK.schedule(delayMs, () => {
      item.isDue = true;
      this.flush();
    });
  }

  /** Passes on what is due, in order. */
  flush(): void {
    if (this.#rules.isHeld()) return;
    const isHasty = this.#rules.delayMs() === 0;
    for (let next = this.#waiting[0]; next !== undefined && (isHasty || next.isDue); next = this.#waiting[0]) {
      this.#waiting.shift();
      if (next.data === undefined) this.#to.destroySoon();
      else if (!this.#to.destroyed) this.#to.write(next.data);
    }
  }
}
