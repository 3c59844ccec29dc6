/**
 * A TCP proxy in front of a server, for tests: it forwards, until it is told to break the connection at a moment that matters.
 */
import { connect, createServer, type Server, type Socket } from "node:net";

/** When the connection breaks: before the next request reaches the server, or after the server answered it and before the client knows. */
export type Break = "beforeRequest" | "beforeAnswer" | "afterRequest";

/** The proxy. */
export class FaultyProxy {
  readonly #server: Server;
  readonly #target: URL;
  readonly #sockets = new Set<Socket>();
  #next: Break | undefined;
  #breaks = 0;
  #isSilent = false;

  private constructor(server: Server, target: URL) {
    this.#server = server;
    this.#target = target;
    server.on("connection", (client) => this.#serve(client));
  }

  /** Starts a proxy to the host and port of a URL. */
  static async start(url: string): Promise<FaultyProxy> {
    const server = createServer();
    await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
    return new FaultyProxy(server, new URL(url));
  }

  /** The URL through the proxy. */
  get url(): string {
    const address = this.#server.address();
    const url = new URL(this.#target);
    url.port = String(address !== null && typeof address === "object" ? address.port : 0);
    return url.href;
  }

  /** How many connections were broken on demand. */
  get breaks(): number {
    return this.#breaks;
  }

  /** Breaks the connection of the next request, once. */
  breakNext(moment: Break): void {
    this.#next = moment;
  }

  /** Forwards nothing more, in either direction, and says nothing of it: as if the server's host, or the way to it, had vanished. */
  swallow(): void {
    this.#isSilent = true;
  }

  /** Forwards again, on new connections; what was swallowed is lost. */
  restore(): void {
    this.#isSilent = false;
  }

  /** Cuts every connection and stops. */
  async stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => void this.#server.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #serve(client: Socket): void {
    const server = connect(Number(this.#target.port), this.#target.hostname);
    let broken: Break | undefined;
    const cut = (): void => {
      this.#breaks++;
      client.destroy();
    };
    let isLost = false;
    const isSwallowed = (): boolean => {
      isLost ||= this.#isSilent;
      return isLost;
    };
    client.on("data", (data) => {
      if (isSwallowed()) return;
      if (this.#next !== undefined) {
        broken = this.#next;
        this.#next = undefined;
        if (broken === "beforeRequest") return cut();
      }
      server.write(data);
      if (broken === "afterRequest") cut();
    });
    server.on("data", (data) => {
      if (isSwallowed()) return;
      if (client.destroyed) return; // What the server says to nobody.
      if (broken === "beforeAnswer") cut();
      else client.write(data);
    });
    for (const [socket, other] of [
      [client, server],
      [server, client],
    ] as const) {
      this.#sockets.add(socket);
      socket.on("error", () => other.destroy());
      socket.on("close", () => {
        this.#sockets.delete(socket);
        // A server whose client vanished is left to notice by itself, as on a real network.
        if (socket === server || broken === undefined) other.destroy();
      });
    }
  }
}
