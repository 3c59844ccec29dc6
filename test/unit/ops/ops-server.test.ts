import assert from "node:assert/strict";
import { type OpsServer, openOpsServer } from "../../../ops/ops-server.ts";
import { Readiness } from "../../../ops/readiness.ts";

describe("readiness", () => {
  it("tells of each change of the whole once, not of each change of a part", () => {
    const told: boolean[] = [];
    const readiness = new Readiness(["database", "gateway"], (isReady) => told.push(isReady));
    readiness.ready("database");
    readiness.ready("gateway");
    readiness.ready("gateway");
    readiness.notReady("database", "gone");
    readiness.notReady("gateway", "gone");
    readiness.ready("database");
    assert.deepEqual(told, [true, false]);
    readiness.ready("gateway");
    assert.deepEqual(told, [true, false, true]);
  });
});

describe("the ops server", () => {
  let server: OpsServer;
  let readiness: Readiness;
  const metrics = () => Promise.resolve({ contentType: "text/plain", text: "up 1\n" });
  beforeEach(async () => {
    readiness = new Readiness(["database", "gateway"]);
    server = await openOpsServer({ host: "127.0.0.1", port: 0, readiness, metrics });
  });
  afterEach(() => server.close());

  const get = (path: string, method = "GET") => fetch(`http://127.0.0.1:${server.port}${path}`, { method });

  it("is alive before it is ready, and names what is missing", async () => {
    readiness.ready("database");
    assert.equal((await get("/healthz")).status, 200);
    const answer = await get("/readyz");
    assert.equal(answer.status, 503);
    const body = (await answer.json()) as { notReady: string[] };
    assert.deepEqual(body.notReady, ["gateway: not started"]);
  });

  it("is ready once every part is, and not when one falls away", async () => {
    readiness.ready("database");
    readiness.ready("gateway");
    assert.equal((await get("/readyz")).status, 200);
    readiness.notReady("database", "connection lost");
    assert.equal((await get("/readyz")).status, 503);
  });

  it("serves metrics with their content type", async () => {
    const answer = await get("/metrics");
    assert.equal(answer.headers.get("content-type"), "text/plain");
    assert.equal(await answer.text(), "up 1\n");
  });

  it("refuses what it does not have, in words", async () => {
    assert.equal((await get("/nothing")).status, 404);
    const answer = await get("/healthz", "POST");
    assert.equal(answer.status, 405);
    assert.equal(answer.headers.get("allow"), "GET, HEAD");
  });

  it("says which setting chooses another port when its own is taken", async () => {
    const second = openOpsServer({ host: "127.0.0.1", port: server.port, readiness, metrics });
    await assert.rejects(second, (error: { code: string; advice: string }) => error.code === "PORT_IN_USE" && /MAESTRO_OPS_PORT/.test(error.advice));
  });
});
