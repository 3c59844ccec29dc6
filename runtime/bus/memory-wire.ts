/**
 * One node's connection to a network in memory, for tests and simulation.
 */
import type { BusHeaders } from "./bus.ts";
import type { BusHost, MemoryNetwork } from "./memory-network.ts";
import type { Delivery } from "./memory-path.ts";
import { subjectMatcher } from "./subject.ts";
import type { Frame, Wire, WireListener } from "./wire.ts";

interface Listening extends Delivery {
  readonly matches: (subject: string) => boolean;
  isDraining: boolean;
}

/** A wire of a network in memory. */
export class MemoryWire implements Wire {
  readonly nodeName: string;
  readonly maxPayloadBytes: number;
  /** Resolves with the reason when this connection has ended. */
  readonly ended: Promise<string>;
  readonly #network: MemoryNetwork;
  readonly #host: BusHost;
  readonly #listening = new Set<Listening>();
  readonly #end: (reason: string) => void;
  readonly #waiting = new Set<(error: Error) => void>();
  #isClosed = false;

  constructor(network: MemoryNetwork, nodeName: string, maxPayloadBytes: number, host: BusHost) {
    this.#network = network;
    this.#host = host;
    this.nodeName = nodeName;
    this.maxPayloadBytes = maxPayloadBytes;
    const { promise, resolve } = Promise.withResolvers<string>();
    this.ended = promise;
    this.#end = resolve;
  }

  send(subject: string, reply: string, payload: Uint8Array, headers: BusHeaders = {}): void {
    // As on a real wire, the receiver has bytes of its own.
    if (!this.#isClosed)
      this.#network.route(this, { subject, reply, payload: payload.slice(), headers: { ...headers }, isNoResponder: false, status: 0 });
  }

  listen(subject: string, queue: string | undefined, receive: (frame: Frame) => void): WireListener {
    const listening: Listening = {
      nodeName: this.nodeName,
      queue,
      matches: subjectMatcher(subject),
      isDraining: false,
      receive: (frame) => {
        this.#host.take(frame, () => {
          if (this.#listening.has(listening)) receive(frame);
        });
      },
    };
    this.#listening.add(listening);
    return {
      stop: () => void this.#listening.delete(listening),
      drain: async () => {
        listening.isDraining = true;
        await this.flush();
        this.#listening.delete(listening);
      },
    };
  }

  flush(): Promise<void> {
    if (this.#isClosed) return Promise.reject(new Error("the connection was closed"));
    return new Promise((resolve, reject) => {
      this.#waiting.add(reject);
      this.#network.roundTrip(this, () => {
        this.#host.take(undefined, () => {
          this.#waiting.delete(reject);
          resolve();
        });
      });
    });
  }

  /** The subscriptions that take a subject. */
  matching(subject: string): readonly Delivery[] {
    return [...this.#listening].filter((listening) => !listening.isDraining && listening.matches(subject));
  }

  /** Ends the connection. */
  close(reason: string): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#listening.clear();
    this.#network.forget(this);
    for (const reject of this.#waiting) reject(new Error(reason));
    this.#end(reason);
  }
}
