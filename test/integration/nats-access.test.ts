/** How a node shows itself to a NATS server, and what it says when it is not let in. */
import assert from "node:assert/strict";
import type { Bus } from "../../runtime/bus/bus.ts";
import { openNatsBus } from "../../runtime/bus/nats-bus.ts";
import { systemClock } from "../../runtime/clock.ts";
import { EventHub, type RuntimeEvents } from "../../runtime/events.ts";
import { systemRandom } from "../../runtime/random.ts";
import { type NatsServer, startNatsServer } from "../support/nats-server.ts";
import { waitUntil } from "../support/wait-until.ts";

const RIGHT = "right-secret";
const WRONG = "wrong-secret";
const CONFIGURATION = `authorization {
  users: [
    { user: "node", password: "${RIGHT}", permissions: { publish: ["open.>", "_INBOX.>"], subscribe: ["open.>", "_INBOX.>"] } }
  ]
}`;

describe("access to NATS", function () {
  this.timeout(60_000);
  let server: NatsServer;
  let bus: Bus | undefined;
  let told: unknown[];
  let refused: RuntimeEvents["bus.refused"][];

  before(async function () {
    this.timeout(120_000);
    server = await startNatsServer({ configuration: CONFIGURATION });
  });
  beforeEach(() => {
    told = [];
    refused = [];
  });
  afterEach(() => bus?.close());
  after(() => server.close());

  const open = (credentials: string, scheme = "nats"): Bus => {
    const events = new EventHub();
    for (const name of ["bus.connected", "bus.disconnected", "bus.refused"] as const) events.on(name, (event) => told.push(event));
    events.on("bus.refused", (event) => refused.push(event));
    const url = `${scheme}://${credentials}127.0.0.1:${server.port}`;
    bus = openNatsBus({ url, name: "node", clock: systemClock(), random: systemRandom(), events });
    return bus;
  };

  it("connects with user and password", async () => {
    const { status } = open(`node:${RIGHT}@`);
    assert.equal(status.state, "disconnected");
    await waitUntil("the bus to be connected", () => bus?.status.state === "connected");
  });

  for (const [what, credentials, scheme] of [
    ["a wrong password", `node:${WRONG}@`, "nats"],
    ["a token", `${WRONG}@`, "nats"],
    ["nothing", "", "nats"],
    ["a demand for encryption that the server can't meet", `node:${RIGHT}@`, "tls"],
  ] as const) {
    it(`is refused with ${what}, tries on, and tells no secret`, async () => {
      const tried = open(credentials, scheme);
      await waitUntil("the refusal", () => told.length > 0);
      assert.equal(tried.status.state, "disconnected");
      assert.doesNotMatch(JSON.stringify([told, tried.status]), new RegExp(`${RIGHT}|${WRONG}`));
      assert.throws(() => tried.publish("open.x", new Uint8Array(0)), { code: "BUS_UNAVAILABLE" });
    });
  }

  it("tells of subjects that the server does not allow, and goes on", async () => {
    const allowed = open(`node:${RIGHT}@`);
    allowed.subscribe("closed.x", () => undefined);
    await waitUntil("the bus to be connected", () => allowed.status.state === "connected");
    allowed.publish("closed.y", new Uint8Array(0));
    await waitUntil("both refusals", () => refused.length >= 2);
    assert.deepEqual(new Set(refused.map(({ subject }) => subject)), new Set(["closed.x", "closed.y"]));
    allowed.respond("open.x", (request) => request);
    await allowed.request("open.x", new Uint8Array(0), { timeoutMs: 5_000 });
  });
});
