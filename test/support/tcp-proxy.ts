/**
 * A TCP proxy in front of a server, for tests. What it does with what is sent is its subclasses' part; it owns the sockets, and ends one side of a connection
 * with the other.
 */
import { connect, createServer, type Server, type Socket } from "node:net";

/** The proxy. */
export abstract class TcpProxy {
  readonly #server: Server = createServer();
  readonly #target: URL;
  readonly #sockets = new Set<Socket>();

  /** `url`: the server's. */
  constructor(url: string) {
    this.#target = new URL(url);
    this.#server.on("connection", (client) => this.serve(client, connect(Number(this.#target.port), this.#target.hostname)));
  }

  /** The URL through the proxy. */
  get url(): string {
    const address = this.#server.address();
    const url = new URL(this.#target);
    url.port = String(address !== null && typeof address === "object" ? address.port : 0);
    return url.href;
  }

  /** Begins to take connections. */
  protected async listen(): Promise<this> {
    await new Promise<void>((resolve) => void this.#server.listen(0, "127.0.0.1", resolve));
    return this;
  }

  /** Cuts every connection and stops. */
  async stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => void this.#server.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  /** Passes on what both sides of a new connection say, and calls {@link join}. */
  protected abstract serve(client: Socket, server: Socket): void;

  /** Ends either side with the other. A server whose client was cut off is left to notice by itself, as on a real network: then `isCut` says true. */
  protected join(client: Socket, server: Socket, isCut: () => boolean): void {
    this.#pair(client, server, () => !isCut());
    this.#pair(server, client, () => true);
  }

  #pair(socket: Socket, other: Socket, mayEnd: () => boolean): void {
    this.#sockets.add(socket);
    socket.on("error", () => other.destroy());
    socket.on("close", () => {
      this.#sockets.delete(socket);
      if (mayEnd()) other.destroy();
    });
  }
}
