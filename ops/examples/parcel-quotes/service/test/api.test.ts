import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { AddressInfo } from "node:net";
import { createService } from "../src/server.ts";

describe("the API", () => {
  let healthy = true;
  const server = createService({ version: "1.2.3", instance: "test" }, () => healthy);
  let base = "";
  before(
    () =>
      new Promise<void>((resolve) => {
        server.listen(0, "127.0.0.1", () => {
          base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
          resolve();
        });
      }),
  );
  after(() => {
    server.close();
    server.closeAllConnections();
  });

  const get = async (path: string): Promise<{ status: number; body: Record<string, unknown> }> => {
    const response = await fetch(base + path);
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };

  it("quotes a parcel and says which version did", async () => {
    const { status, body } = await get("/quote?weightGrams=1500&distanceKm=120");
    assert.equal(status, 200);
    assert.equal(body.total, 680);
    assert.equal(body.version, "1.2.3");
  });

  it("answers 400 with a reason to a bad parcel", async () => {
    const { status, body } = await get("/quote?weightGrams=heavy&distanceKm=1");
    assert.equal(status, 400);
    assert.match(String(body.error), /weightGrams/);
  });

  it("tells its health", async () => {
    assert.equal((await get("/health")).status, 200);
    healthy = false;
    assert.equal((await get("/health")).status, 503);
  });

  it("tells its version", async () => {
    assert.deepEqual((await get("/version")).body, { version: "1.2.3", instance: "test" });
  });

  it("answers 404 to what it does not have", async () => {
    assert.equal((await get("/nothing")).status, 404);
  });
});
