/**
 * The port of a server and the connections made to it: where it listens, who is connected, and the end of both. It owns the sockets, and knows nothing of
 * what is said on them.
 */
import { lookup } from "node:dns/promises";
import { createServer, type Server, type Socket } from "node:net";

/** The connections of one server. */
export class Connections {
  readonly #take: (socket: Socket) => void;
  readonly #listeners: Server[] = [];
  readonly #sockets = new Set<Socket>();

  /** `take` serves a connection that was made, and what goes wrong on it. */
  constructor(take: (socket: Socket) => void) {
    this.#take = take;
  }

  /**
   * Listens, and resolves with the port; 0 takes any free one. A name may stand for several addresses (`localhost` for one of each family, of which a
   * machine may have one only): it listens at those it can. Rejects with the system's error if it can listen nowhere.
   */
  async listen(host: string, port: number): Promise<number> {
    let boundPort = port;
    let failure: unknown;
    for (const { address } of await lookup(host, { all: true })) {
      try {
        boundPort = await this.#listenAt(address, boundPort);
      } catch (error) {
        failure ??= error;
      }
    }
    if (this.#listeners.length === 0) throw failure;
    return boundPort;
  }

  /** Takes no more connections, and leaves those that are there alone. Resolves when the last of them has ended. */
  async close(): Promise<void> {
    await Promise.all(this.#listeners.map((listener) => new Promise<void>((resolve) => listener.close(() => resolve()))));
  }

  /** Ends every connection at once, whatever is open on it and whether or not its peer reads. What was not sent yet is lost. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  #listenAt(address: string, port: number): Promise<number> {
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    const listener = createServer((socket) => {
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
      this.#take(socket);
    });
    // Once it listens, an error is a connection that could not be accepted. That is its client's to see; the others go on.
    listener.on("error", reject);
    listener.listen(port, address, () => {
      this.#listeners.push(listener);
      const bound = listener.address();
      resolve(typeof bound === "object" && bound !== null ? bound.port : port);
    });
    return promise;
  }
}
