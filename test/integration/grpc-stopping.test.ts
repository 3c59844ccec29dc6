import assert from "node:assert/strict";
import { once } from "node:events";
import { type ClientHttp2Session, type ClientHttp2Stream, connect } from "node:http2";
import { GrpcServer } from "../../gateway/grpc-server.ts";
import { RunServiceService, WatchRunRequest } from "../../proto/gen/maestro/v1/run_service.ts";
import { systemClock } from "../../runtime/clock.ts";
import type { RunId } from "../../runtime/ids.ts";
import { frame } from "../fuzz/gateway/wire.ts";
import { type GatewayWorld, openGateway } from "../support/gateway-world.ts";
import { waitUntil } from "../support/wait-until.ts";

/** Longer than a test may last: a connection that waits for the end of this time is never cut. */
const LONG_MS = 600_000;

/** Connections that would never end by themselves, and the ways in which a server ends them. */
describe("a gRPC server that stops while something stays open on a connection", () => {
  let world: GatewayWorld;
  let server: GrpcServer;
  let session: ClientHttp2Session;
  let broken: Promise<void>;
  let saidGoaway: boolean;

  beforeEach(async () => {
    world = await openGateway();
    const { runs, workflows, cluster, events } = world;
    server = new GrpcServer({ runs, workflows, cluster, clock: systemClock(), events, port: 0 });
    session = connect(`http://${await server.start()}`);
    session.on("error", () => undefined);
    saidGoaway = false;
    session.on("goaway", () => {
      saidGoaway = true;
    });
    broken = new Promise((resolve) => session.once("close", () => resolve()));
    await once(session, "connect");
  });
  afterEach(() => {
    session.destroy();
    server.stop();
    world.close();
  });

  function request(path: string): ClientHttp2Stream {
    const stream = session.request({ ":method": "POST", ":path": path, "content-type": "application/grpc", te: "trailers" }, { endStream: false });
    stream.on("error", () => undefined);
    return stream;
  }
  /** Once this is answered, the server has read what came before. */
  const heard = (): Promise<unknown> => new Promise((resolve) => session.ping(resolve));

  const openings: Readonly<Record<string, () => Promise<void>>> = {
    "half a request": async () => {
      // A request that never comes to its end: no handler knows of it.
      request(RunServiceService.start.path).write(Buffer.of(0));
      await heard();
    },
    "a watch whose client does not read": async () => {
      const runId = (await world.client.start({ workflow: "echo", input: '{"hold":true}' })).runId as RunId;
      for (let index = 0; index < 3_000; index += 1) world.fake.note(runId, `task.started ${"x".repeat(200)}`);
      const stream = request(RunServiceService.watch.path);
      stream.end(frame(Buffer.from(WatchRunRequest.encode({ runId, fromSeq: 1 }).finish())));
      await once(stream, "response");
      stream.pause();
      // The window of the stream is full when no more is asked of the history.
      let before = -1;
      await waitUntil("the watch to wait for its client", async () => {
        await heard();
        const isQuiet = world.fake.delivered > 0 && world.fake.delivered === before;
        before = world.fake.delivered;
        return isQuiet;
      });
      assert.ok(before < 3_000, "the client did not read all");
    },
  };
  const endings: Readonly<Record<string, () => Promise<void>>> = {
    "cuts it when the time for draining is over": () => server.drain(50),
    "cuts it when a drain is hurried": async () => {
      const hurried = new AbortController();
      const drained = server.drain(LONG_MS, hurried.signal);
      await waitUntil("the word to connect elsewhere", () => saidGoaway);
      assert.equal(session.destroyed, false, "the drain alone leaves the connection to its client");
      hurried.abort();
      await drained;
    },
    "cuts it when a drain is in a hurry from its start": () => server.drain(LONG_MS, AbortSignal.abort()),
    "cuts it when it stops while it drains": async () => {
      const drained = server.drain(LONG_MS);
      await waitUntil("the word to connect elsewhere", () => saidGoaway);
      server.stop();
      await drained;
    },
    "cuts it when it stops without a drain": async () => server.stop(),
  };
  for (const [opening, open] of Object.entries(openings)) {
    for (const [ending, end] of Object.entries(endings)) {
      it(`${ending}: ${opening}`, async () => {
        await open();
        await end();
        await broken;
        assert.deepEqual([server.waitingCalls, world.fake.watching], [0, 0]);
      });
    }
  }
});
