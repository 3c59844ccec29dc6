/**
 * A TCP proxy in front of a server, for tests: it forwards, until it is told to break the connection at a moment that matters.
 */
import type { Socket } from "node:net";
import { TcpProxy } from "./tcp-proxy.ts";

/** When the connection breaks: before the next request reaches the server, or after the server answered it and before the client knows. */
export type Break = "beforeRequest" | "beforeAnswer" | "afterRequest";

/** The proxy. */
export class FaultyProxy extends TcpProxy {
  #next: Break | undefined;
  #breaks = 0;
  #isSilent = false;
  #silentFrom: string | undefined;
  #swallowed = 0;

  /** Starts a proxy to the host and port of a URL. */
  static start(url: string): Promise<FaultyProxy> {
    return new FaultyProxy(url).listen();
  }

  /** How many connections were broken on demand. */
  get breaks(): number {
    return this.#breaks;
  }

  /** How many pieces of requests were swallowed. */
  get swallowed(): number {
    return this.#swallowed;
  }

  /** Breaks the connection of the next request, once. */
  breakNext(moment: Break): void {
    this.#next = moment;
  }

  /** Forwards nothing more, in either direction, and says nothing of it: as if the server's host, or the way to it, had vanished. */
  swallow(): void {
    this.#isSilent = true;
  }

  /** Forwards nothing more from the first request on that contains the text. */
  swallowFrom(text: string): void {
    this.#silentFrom = text;
  }

  /** Forwards again, on new connections; what was swallowed is lost. */
  restore(): void {
    this.#isSilent = false;
    this.#silentFrom = undefined;
  }

  protected serve(client: Socket, server: Socket): void {
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
      if (this.#silentFrom !== undefined && data.includes(this.#silentFrom)) this.#isSilent = true;
      if (isSwallowed()) {
        this.#swallowed++;
        return;
      }
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
    this.join(client, server, () => broken !== undefined);
  }
}
