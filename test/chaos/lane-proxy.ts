/**
 * A TCP proxy in front of PostgreSQL that knows a writer lane's connection from others, and a request from a part of one: so that a test can break
 * exactly before a batch reaches the server, or exactly between its COMMIT and the answer.
 */
import type { Socket } from "node:net";
import { TcpProxy } from "../support/tcp-proxy.ts";

/** What becomes of a lane's request: it passes; it never reaches the server; it does, and the client never hears of it. */
export type Fate = "pass" | "dropRequest" | "dropAnswer";

/** Decides about each batch of a lane, counted over all lanes from 1; and hears when what it decided has been done. */
export interface LaneJudge {
  judge(batch: number): Fate;
  done?(fate: Fate): void;
}

/** The last bytes of a request in the extended protocol: the message Sync. */
const SYNC = Buffer.from([0x53, 0, 0, 0, 4]);
/** What the first batch of a connection follows: the end of the lane's preparations. */
const PREPARED = "SET lock_timeout = 0";

/** The proxy. */
export class LaneProxy extends TcpProxy {
  #judge: LaneJudge | undefined;
  #batches = 0;

  /** Starts a proxy to the host and port of a URL. */
  static start(url: string): Promise<LaneProxy> {
    return new LaneProxy(url).listen();
  }

  /** Has the batches from now on judged, counted from 1 again. */
  judgeBy(judge: LaneJudge | undefined): void {
    this.#judge = judge;
    this.#batches = 0;
  }

  protected serve(client: Socket, server: Socket): void {
    const lane = new LaneTraffic();
    let fate: Fate = "pass";
    const cut = (): void => {
      client.destroy();
      this.#judge?.done?.(fate);
    };
    client.on("data", (data) => {
      if (fate !== "pass") return;
      if (lane.isBatch(data)) fate = this.#judge?.judge(++this.#batches) ?? "pass";
      if (fate === "dropRequest") cut();
      else server.write(data);
    });
    server.on("data", (data) => {
      if (client.destroyed) return;
      if (fate === "dropAnswer") cut();
      else client.write(data);
    });
    this.join(client, server, () => fate === "dropAnswer");
  }
}

/** What a connection is, by what its client sent. */
class LaneTraffic {
  #isLane: boolean | undefined;
  #isPrepared = false;
  #tail: Buffer = Buffer.alloc(0);

  /** True for the part that completes a batch. */
  isBatch(data: Buffer): boolean {
    this.#isLane ??= data.includes("maestro-lane");
    if (!this.#isLane) return false;
    if (!this.#isPrepared) {
      this.#isPrepared = data.includes(PREPARED);
      return false;
    }
    this.#tail = Buffer.concat([this.#tail, data]).subarray(-SYNC.length);
    return this.#tail.equals(SYNC);
  }
}
