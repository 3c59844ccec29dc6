import assert from "node:assert/strict";
import { once } from "node:events";
import { type ClientHttp2Session, connect } from "node:http2";
import { GetRunRequest, RunServiceService, WatchRunRequest } from "../../proto/gen/maestro/v1/run_service.ts";
import { frame } from "../fuzz/gateway/wire.ts";
import { type GatewayWorld, openGateway } from "../support/gateway-world.ts";
import { waitUntil } from "../support/wait-until.ts";

/** Calls that the gRPC library has answered before it calls their handler: nobody tells that one that they are over. */
describe("a call that is over before its handler begins", () => {
  let world: GatewayWorld;
  let session: ClientHttp2Session;

  beforeEach(async () => {
    world = await openGateway();
    session = connect(`http://${world.server.address}`);
  });
  afterEach(() => {
    session.destroy();
    world.close();
  });

  const requests: Readonly<Record<string, (runId: string) => readonly [path: string, message: Uint8Array]>> = {
    get: (runId) => [RunServiceService.get.path, GetRunRequest.encode({ runId, wait: true, part: 0 }).finish()],
    watch: (runId) => [RunServiceService.watch.path, WatchRunRequest.encode({ runId, fromSeq: 0 }).finish()],
  };
  for (const [name, request] of Object.entries(requests)) {
    for (const timeout of ["1m", "soon"]) {
      it(`leaves nothing open: ${name}, grpc-timeout: ${timeout}`, async () => {
        const { runId } = await world.client.start({ workflow: "echo", input: '{"hold":true}' });
        const [path, message] = request(runId);
        const headers = { ":method": "POST", ":path": path, "content-type": "application/grpc", te: "trailers", "grpc-timeout": timeout };
        const stream = session.request(headers, { endStream: false });
        stream.write(frame(Buffer.from(message)));
        const [answer] = (await once(stream, "response")) as [Record<string, string>];
        assert.notEqual(answer["grpc-status"], "0");
        // Only now the request is complete.
        stream.end();
        await world.client.listWorkflows();
        await waitUntil("nothing to be open", () => world.server.waitingCalls === 0 && world.fake.waiting === 0 && world.fake.watching === 0, 1_000);
      });
    }
  }
});
