import assert from "node:assert/strict";
import { lookup } from "node:dns/promises";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { networkInterfaces } from "node:os";
import { Connections } from "../../../gateway/connections.ts";
import { waitUntil } from "../../support/wait-until.ts";

describe("connections of a server", () => {
  let taken: Socket[];
  let connections: Connections;
  let peers: Socket[];

  beforeEach(() => {
    taken = [];
    peers = [];
    connections = new Connections((socket) => {
      taken.push(socket);
      socket.on("error", () => undefined);
    });
  });
  afterEach(async () => {
    for (const peer of peers) peer.destroy();
    connections.cut();
    await connections.close();
  });

  /** A connection whose peer goes on when the server has ended its side. */
  async function dial(host: string, port: number): Promise<Socket> {
    const peer = connect({ host, port, allowHalfOpen: true });
    peer.on("error", () => undefined);
    peers.push(peer);
    await once(peer, "connect");
    return peer;
  }

  it("are taken at every address that a name stands for, at one port", async () => {
    const port = await connections.listen("localhost", 0);
    const own = new Set(Object.values(networkInterfaces()).flatMap((addresses) => addresses?.map(({ address }) => address) ?? []));
    const meant = (await lookup("localhost", { all: true })).map(({ address }) => address).filter((address) => own.has(address));
    for (const address of meant) await dial(address, port);
    await waitUntil("each to be taken", () => taken.length === meant.length);
    assert.ok(meant.length > 0);
  });

  it("are refused with the system's error where somebody else listens", async () => {
    const port = await connections.listen("127.0.0.1", 0);
    await assert.rejects(new Connections(() => undefined).listen("127.0.0.1", port), { code: "EADDRINUSE" });
  });

  it("are left alone when no more are taken, and cut when it is time, whether or not their peer ends its side", async () => {
    const port = await connections.listen("127.0.0.1", 0);
    const peer = await dial("127.0.0.1", port);
    await waitUntil("the connection to be taken", () => taken.length === 1);
    let isClosed = false;
    const closed = connections.close().then(() => {
      isClosed = true;
    });
    const stranger = connect(port, "127.0.0.1");
    await assert.rejects(once(stranger, "connect"), { code: "ECONNREFUSED" });
    taken[0]?.end("bye");
    const [bytes] = (await once(peer, "data")) as [Buffer];
    await once(peer, "end");
    assert.deepEqual([`${bytes}`, isClosed], ["bye", false]);
    connections.cut();
    await closed;
  });
});
