import assert from "node:assert/strict";
import { createServer, connect as dial, type Server, type Socket } from "node:net";
import { credentials, status } from "@grpc/grpc-js";
import { connect } from "../../gateway/grpc-client.ts";
import { RunStatus } from "../../proto/gen/maestro/v1/common.ts";
import { RunServiceClient } from "../../proto/gen/maestro/v1/run_service.ts";
import { MaestroError } from "../../runtime/errors.ts";
import type { RunId } from "../../runtime/ids.ts";
import { type GatewayWorld, openGateway } from "../support/gateway-world.ts";
import { waitUntil } from "../support/wait-until.ts";

describe("gRPC Watch", () => {
  let world: GatewayWorld;
  let runId: RunId;

  beforeEach(async () => {
    world = await openGateway();
    runId = (await world.client.start({ workflow: "echo", input: '{"hold":true}' })).runId as RunId;
  });

  afterEach(() => world.close());

  const watch = async (fromSeq = 1): Promise<number[]> => {
    const seqs: number[] = [];
    for await (const { seq } of world.client.watch(runId, fromSeq)) seqs.push(seq);
    return seqs;
  };

  it("gives what happened, then what happens, and ends with the run", async () => {
    world.fake.note(runId, "task.started");
    const seen: [number, string, RunStatus][] = [];
    for await (const { seq, type, status: ended } of world.client.watch(runId)) {
      seen.push([seq, type, ended]);
      if (seq === 2) world.fake.end(runId, "completed", "1");
    }
    assert.deepEqual(seen, [
      [1, "run.started", RunStatus.UNSPECIFIED],
      [2, "task.started", RunStatus.UNSPECIFIED],
      [3, "run.ended", RunStatus.COMPLETED],
    ]);
    assert.deepEqual([world.fake.watching, world.server.waitingCalls], [0, 0]);
  });

  it("begins at the sequence number that is asked for", async () => {
    for (let index = 0; index < 3; index += 1) world.fake.note(runId, "task.started");
    world.fake.end(runId, "completed", "1");
    assert.deepEqual(await watch(3), [3, 4, 5]);
  });

  it("ends the watching when the client stops, by leaving the loop or by a signal", async () => {
    for await (const { seq } of world.client.watch(runId)) if (seq === 1) break;
    await waitUntil("the end of the watch", () => world.fake.watching === 0);
    const gone = new AbortController();
    for await (const { seq } of world.client.watch(runId, 1, { signal: gone.signal })) if (seq === 1) gone.abort();
    await waitUntil("the end of the watch", () => world.fake.watching === 0);
  });

  it("takes no more from the history than a client reads", async () => {
    const total = 20_000;
    for (let index = 0; index < total; index += 1) world.fake.note(runId, `task.started ${"x".repeat(200)}`);
    const raw = new RunServiceClient(world.server.address, credentials.createInsecure());
    const stream = raw.watch({ runId, fromSeq: 1 });
    let read = 0;
    stream.on("error", () => undefined);
    stream.on("data", () => {
      read += 1;
      if (read === 1) stream.pause();
    });
    await waitUntil("the first entry", () => read === 1);
    let before = -1;
    for (let quiet = 0; quiet < 10; ) {
      const now = world.fake.delivered;
      await world.client.getRun(runId);
      quiet = now === before ? quiet + 1 : 0;
      before = now;
    }
    assert.ok(before < total / 4, `${before} entries were handed out to a client that reads nothing`);
    stream.resume();
    await waitUntil("all entries", () => read === total + 1);
    stream.cancel();
    raw.close();
  });

  it("goes on after a lost connection, without a gap and without a repetition", async () => {
    const wire = await openWire(world.server.address);
    const client = connect(wire.address);
    try {
      const seqs: number[] = [];
      for await (const { seq } of client.watch(runId)) {
        seqs.push(seq);
        if (seq < 6) world.fake.note(runId, "task.started");
        if (seq === 2 || seq === 4) wire.cut();
        if (seq === 6) world.fake.end(runId, "completed", "1");
      }
      assert.deepEqual(seqs, [1, 2, 3, 4, 5, 6, 7]);
      assert.equal(wire.connections, 3);
    } finally {
      client.close();
      wire.close();
    }
  });

  it("does not try again what can't succeed", async () => {
    world.fake.failure = new MaestroError("JOURNAL_CORRUPT", { facts: { runId, seq: 1, reason: "checksum" } });
    await assert.rejects(watch(), { code: "JOURNAL_CORRUPT" });
  });

  it("tells a client that its deadline has passed", async () => {
    const raw = new RunServiceClient(world.server.address, credentials.createInsecure());
    const stream = raw.watch({ runId, fromSeq: 1 }, { deadline: Date.now() + 50 });
    const codes: number[] = [];
    stream.on("data", () => undefined);
    stream.on("error", (error: Error & { code?: number }) => codes.push(error.code ?? -1));
    await waitUntil("the end of the call", () => codes.length > 0);
    await waitUntil("the end of the watch", () => world.fake.watching === 0);
    assert.deepEqual(codes, [status.DEADLINE_EXCEEDED]);
    raw.close();
  });
});

interface Wire {
  readonly address: string;
  /** Connections made so far. */
  readonly connections: number;
  /** Breaks every connection. New ones are let through. */
  cut(): void;
  close(): void;
}

/** A plain relay to `target`, whose connections a test can break. */
async function openWire(target: string): Promise<Wire> {
  const [host, port] = target.split(":");
  const sockets = new Set<Socket>();
  let connections = 0;
  const server: Server = createServer((near) => {
    connections += 1;
    const far = dial(Number(port), host);
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.on("error", () => to.destroy());
      from.on("close", () => to.destroy());
      from.pipe(to);
    }
  });
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
    sockets.clear();
  };
  const address = await new Promise<string>((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      const bound = server.address();
      resolve(`127.0.0.1:${typeof bound === "object" && bound !== null ? bound.port : 0}`);
    });
  });
  return {
    address,
    get connections() {
      return connections;
    },
    cut,
    close() {
      cut();
      server.close();
    },
  };
}
