/** What every message bus must do when its server fails. */
import assert from "node:assert/strict";
import type { Bus } from "../../runtime/bus/bus.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { nextTurn } from "../support/next-turn.ts";
import { code } from "../support/runs-bed.ts";
import { waitUntil } from "../support/wait-until.ts";
import { type BusBed, type BusNode, connected, listenTo } from "./bus-bed.ts";

const TIMEOUT_MS = 2_000;
const EMPTY = new Uint8Array(0);

/** Declares the suite. */
export function busFailureConformance(makeBed: () => Promise<BusBed>): void {
  describe("bus whose server fails", function () {
    this.timeout(60_000);
    let bed: BusBed;
    let first: BusNode;
    let second: BusNode;
    let a: Bus;
    let b: Bus;
    let heard: string[];

    beforeEach(async function () {
      this.timeout(120_000);
      bed = await makeBed();
      [first, second] = [listenTo(bed, "a"), listenTo(bed, "b")];
      [a, b] = [first.bus, second.bus];
      heard = [];
      b.subscribe("t.plain", () => void heard.push("plain"));
      b.subscribe("t.>", () => void heard.push("queue"), { queue: "q" });
      b.respond("t.ask", (request) => request);
      await connected(a, b);
    });
    afterEach(async () => {
      await Promise.all([a.close(), b.close()]);
      await bed.close();
    });

    const isDown = (...buses: readonly Bus[]) =>
      waitUntil("the loss to be noticed", () => buses.every(({ status }) => status.state === "disconnected"));

    /** Every subscription lives, and requests succeed both ways. */
    const works = async (): Promise<void> => {
      await connected(a, b);
      await a.request("t.ask", EMPTY, { timeoutMs: TIMEOUT_MS });
      heard = [];
      a.publish("t.plain", EMPTY);
      await waitUntil("both subscriptions to hear", () => heard.length === 2);
      assert.deepEqual(heard.sort(), ["plain", "queue"]);
      await b.request("t.ask", EMPTY, { timeoutMs: TIMEOUT_MS });
    };

    for (const [kind, isWiped] of [
      ["restarted", false],
      ["wiped", true],
    ] as const) {
      it(`lives on when the server is ${kind}, with what was subscribed before and meanwhile`, async () => {
        await works();
        const sinceMs = a.status.sinceMs;
        await bed.stop();
        await isDown(a, b);
        assert.ok(a.status.sinceMs >= sinceMs);
        assert.notEqual(a.status.reason, undefined);
        const meanwhile: string[] = [];
        b.subscribe("t.meanwhile", () => void meanwhile.push("heard"));
        await bed.restart(isWiped);
        await works();
        a.publish("t.meanwhile", EMPTY);
        await waitUntil("the new subscription to hear", () => meanwhile.length > 0);
        assert.deepEqual(meanwhile, ["heard"]);
        assert.deepEqual([first.connections.length, first.losses.length], [2, 1]);
      });
    }

    it("refuses at once while the server is away, and fails what was asked before", async () => {
      b.respond("t.never", () => new Promise(() => undefined));
      await b.flush(TIMEOUT_MS);
      const asked = assert.rejects(a.request("t.never", EMPTY, { timeoutMs: 60_000 }), { code: "BUS_UNAVAILABLE" });
      await a.flush(TIMEOUT_MS);
      await bed.stop();
      await asked;
      assert.throws(() => a.publish("t.plain", EMPTY), { code: "BUS_UNAVAILABLE" });
      await assert.rejects(a.request("t.ask", EMPTY, { timeoutMs: 60_000 }), { code: "BUS_UNAVAILABLE" });
      await assert.rejects(a.flush(60_000), { code: "BUS_UNAVAILABLE" });
      await bed.restart(false);
      await works();
    });

    it("starts without a server, and connects when there is one", async () => {
      await bed.stop();
      const late = listenTo(bed, "late");
      try {
        let count = 0;
        late.bus.subscribe("t.late", () => void count++);
        await waitUntil("the first attempt to fail", () => late.losses.length > 0);
        assert.equal(late.bus.status.state, "disconnected");
        await bed.restart(false);
        await connected(late.bus, a);
        a.publish("t.late", EMPTY);
        await waitUntil("the message", () => count === 1);
      } finally {
        await late.bus.close();
      }
    });

    it("notices a server that stands still, and recovers when it goes on", async () => {
      bed.freeze();
      try {
        const asked = assert.rejects(a.request("t.ask", EMPTY, { timeoutMs: 60_000 }), { code: "BUS_UNAVAILABLE" });
        await isDown(a, b);
        await asked;
        assert.throws(() => a.publish("t.plain", EMPTY), { code: "BUS_UNAVAILABLE" });
      } finally {
        bed.thaw();
      }
      await works();
    });

    it("refuses to pile up messages for a server that stands still", async () => {
      bed.freeze();
      try {
        const payload = new Uint8Array(bed.maxPayloadBytes);
        const refused = await waitUntil("a refusal", () => {
          try {
            for (let count = 0; count < 16; count++) a.publish("t.flood", payload);
            return undefined;
          } catch (error) {
            return (error as { code: string }).code;
          }
        });
        assert.equal(refused, "BUS_OVERLOADED");
        await isDown(a, b);
      } finally {
        bed.thaw();
      }
      await works();
    });

    it("never says of a request that was carried out that it was not, also when its answer can't be sent", async () => {
      const begun = Promise.withResolvers<void>();
      const over = Promise.withResolvers<void>();
      b.respond("t.act", async (request) => {
        begun.resolve();
        await over.promise;
        return request;
      });
      await b.flush(TIMEOUT_MS);
      const failure = a.request("t.act", new Uint8Array(bed.maxPayloadBytes), { timeoutMs: TIMEOUT_MS }).then(
        () => "an answer",
        (error: unknown) => (error as { code: string }).code,
      );
      await begun.promise;
      bed.freeze();
      try {
        const payload = new Uint8Array(bed.maxPayloadBytes);
        assert.throws(() => {
          for (let bytes = 0; bytes <= LIMITS.busPendingBytes; bytes += payload.length) b.publish("t.flood", payload);
        }, code("BUS_OVERLOADED"));
        over.resolve();
        await nextTurn();
      } finally {
        bed.thaw();
      }
      assert.ok(["TIMED_OUT", "BUS_UNAVAILABLE"].includes(await failure), `who asked heard ${await failure}`);
      await works();
    });

    it("closes and drains in time while the server is away or stands still", async () => {
      bed.freeze();
      try {
        await a.drain(100);
        assert.equal(a.status.state, "closed");
        await isDown(b);
        await b.close();
        assert.equal(b.status.state, "closed");
      } finally {
        bed.thaw();
      }
    });
  });
}
