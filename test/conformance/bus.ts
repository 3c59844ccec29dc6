/** What every message bus must do while nothing fails. */
import assert from "node:assert/strict";
import type { Bus, BusMessage } from "../../runtime/bus/bus.ts";
import { MaestroError } from "../../runtime/errors.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { waitUntil } from "../support/wait-until.ts";
import { type BusBed, type BusNode, connected, listenTo } from "./bus-bed.ts";

const TIMEOUT_MS = 5_000;
const bytes = (text: string) => new TextEncoder().encode(text);
const text = ({ payload }: Pick<BusMessage, "payload">) => new TextDecoder().decode(payload);

/** Declares the suite. */
export function busConformance(makeBed: () => Promise<BusBed>): void {
  describe("bus", () => {
    let bed: BusBed;
    let first: BusNode;
    let second: BusNode;
    let third: BusNode;
    let a: Bus;
    let b: Bus;
    let c: Bus;

    before(async function () {
      this.timeout(120_000);
      bed = await makeBed();
    });
    beforeEach(async () => {
      first = listenTo(bed, "a");
      second = listenTo(bed, "b");
      third = listenTo(bed, "c");
      [a, b, c] = [first.bus, second.bus, third.bus];
      await connected(a, b, c);
    });
    afterEach(() => Promise.all([a, b, c].map((bus) => bus.close())));
    after(() => bed.close());

    const collect = async (bus: Bus, subject: string, queue?: string): Promise<string[]> => {
      const received: string[] = [];
      bus.subscribe(subject, (message) => void received.push(`${message.subject} ${text(message)}`), queue === undefined ? {} : { queue });
      await bus.flush(TIMEOUT_MS);
      return received;
    };

    it("delivers what one node publishes to every subscriber, itself too, in order", async () => {
      const all = await Promise.all([a, b, c].map((bus) => collect(bus, "t.order")));
      const sent = Array.from({ length: 1_000 }, (_, index) => `t.order ${index}`);
      for (const index of sent.keys()) a.publish("t.order", bytes(String(index)));
      await waitUntil("all messages", () => all.every((received) => received.length === sent.length));
      for (const received of all) assert.deepEqual(received, sent);
    });

    it("carries bytes and headers as they are", async () => {
      const received: BusMessage[] = [];
      b.subscribe("t.bytes", (message) => void received.push(message));
      await b.flush(TIMEOUT_MS);
      const payload = Uint8Array.from({ length: 256 }, (_, index) => index);
      a.publish("t.bytes", payload, { traceparent: "00-ab-cd-01", "Some-Name": "ä b: c" });
      a.publish("t.bytes", new Uint8Array(0));
      const [full, empty] = await waitUntil("both messages", () => (received.length === 2 ? received : undefined));
      assert.deepEqual(Uint8Array.from(full?.payload ?? []), payload);
      assert.deepEqual({ ...full?.headers }, { traceparent: "00-ab-cd-01", "Some-Name": "ä b: c" });
      assert.deepEqual([empty?.payload.length, { ...empty?.headers }], [0, {}]);
    });

    it("matches * with one token and a last > with one or more", async () => {
      const one = await collect(b, "t.w.*");
      const more = await collect(b, "t.w.>");
      const middle = await collect(b, "t.*.y");
      for (const subject of ["t.w", "t.w.x", "t.w.y", "t.w.x.y", "t.v.y"]) a.publish(subject, bytes("m"));
      const sorted = () => [one, more, middle].map((received) => received.map((entry) => entry.split(" ")[0]));
      await waitUntil("the last message", () => middle.length === 2);
      assert.deepEqual(sorted(), [
        ["t.w.x", "t.w.y"],
        ["t.w.x", "t.w.y", "t.w.x.y"],
        ["t.w.y", "t.v.y"],
      ]);
    });

    it("shares messages among the members of a queue, and gives each queue all of them", async () => {
      const members = await Promise.all([a, b, c].map((bus) => collect(bus, "t.queue", "q")));
      const other = await collect(a, "t.queue", "other");
      const alone = await collect(b, "t.queue");
      const count = 300;
      for (let index = 0; index < count; index++) c.publish("t.queue", bytes(String(index)));
      const shared = () => members.flat().length;
      await waitUntil("all messages", () => shared() === count && other.length === count && alone.length === count);
      assert.equal(new Set(members.flat()).size, count);
      assert.ok(
        members.every((received) => received.length > 0),
        `shares of ${members.map((received) => received.length)}`,
      );
    });

    it("stops delivering when a subscription is closed", async () => {
      const received: string[] = [];
      const subscription = b.subscribe("t.close", (message) => void received.push(text(message)));
      const after = await collect(b, "t.close");
      a.publish("t.close", bytes("1"));
      await waitUntil("the first message", () => received.length === 1 && after.length === 1);
      subscription.close();
      subscription.close();
      await b.flush(TIMEOUT_MS);
      a.publish("t.close", bytes("2"));
      await waitUntil("the second message", () => after.length === 2);
      assert.deepEqual(received, ["1"]);
    });

    it("answers requests, many at a time, each with its own answer", async () => {
      b.respond("t.ask", async (request) => ({ payload: bytes(`re ${text(request)}`), headers: { from: request.headers.to ?? "" } }));
      await b.flush(TIMEOUT_MS);
      const ask = (index: number) => a.request("t.ask", bytes(String(index)), { timeoutMs: TIMEOUT_MS, headers: { to: `h${index}` } });
      const replies = await Promise.all(Array.from({ length: 500 }, (_, index) => ask(index)));
      assert.deepEqual(
        replies.map((reply) => [text(reply), reply.headers.from]),
        Array.from({ length: 500 }, (_, index) => [`re ${index}`, `h${index}`]),
      );
    });

    it("says at once that nobody answers", async () => {
      await assert.rejects(a.request("t.nobody", bytes("?"), { timeoutMs: 60_000 }), { code: "NO_RESPONDER" });
      const responder = b.respond("t.nobody", (request) => request);
      await b.flush(TIMEOUT_MS);
      await a.request("t.nobody", bytes("?"), { timeoutMs: TIMEOUT_MS });
      responder.close();
      await b.flush(TIMEOUT_MS);
      await assert.rejects(a.request("t.nobody", bytes("?"), { timeoutMs: 60_000 }), { code: "NO_RESPONDER" });
    });

    it("gives up on an answer after the timeout, and on cancellation", async () => {
      b.respond("t.never", () => new Promise<BusMessage>(() => undefined));
      await b.flush(TIMEOUT_MS);
      await assert.rejects(a.request("t.never", bytes("?"), { timeoutMs: 30 }), { code: "TIMED_OUT" });
      const abort = new AbortController();
      const cancelled = a.request("t.never", bytes("?"), { timeoutMs: 60_000, signal: abort.signal });
      abort.abort();
      await assert.rejects(cancelled, { code: "REQUEST_CANCELLED" });
      await assert.rejects(a.request("t.never", bytes("?"), { timeoutMs: 60_000, signal: abort.signal }), { code: "REQUEST_CANCELLED" });
    });

    it("drops an answer that comes too late", async () => {
      const late = Promise.withResolvers<BusMessage>();
      b.respond("t.late", (request) => (text(request) === "slow" ? late.promise : request));
      await b.flush(TIMEOUT_MS);
      await assert.rejects(a.request("t.late", bytes("slow"), { timeoutMs: 30 }), { code: "TIMED_OUT" });
      late.resolve({ subject: "", payload: bytes("too late"), headers: {} });
      assert.equal(text(await a.request("t.late", bytes("quick"), { timeoutMs: TIMEOUT_MS })), "quick");
    });

    it("keeps what a handler throws from everybody else, and tells of it", async () => {
      b.subscribe("t.fail", () => {
        throw new Error("thrown");
      });
      b.subscribe("t.fail", () => Promise.reject(new Error("rejected")));
      const received = await collect(b, "t.fail");
      a.publish("t.fail", bytes("1"));
      a.publish("t.fail", bytes("2"));
      await waitUntil("all failures", () => second.failed.length === 4 && received.length === 2);
      assert.deepEqual(new Set(second.failed.map(({ error }) => (error as Error).message)), new Set(["thrown", "rejected"]));
      assert.equal(b.status.state, "connected");
    });

    it("tells an asker what the responder refused with, and nothing of its defects", async () => {
      b.respond("t.refuse", (request) => {
        if (text(request) === "defect") throw new Error("a secret");
        throw new MaestroError("MAILBOX_FULL", { facts: { actor: "x", queued: 3 }, retryAfterMs: 50 });
      });
      await b.flush(TIMEOUT_MS);
      const refusal = { code: "MAILBOX_FULL", facts: { actor: "x", queued: 3 }, retryAfterMs: 50 };
      await assert.rejects(a.request("t.refuse", bytes("full"), { timeoutMs: TIMEOUT_MS }), refusal);
      const isSilent = (error: MaestroError) => error.code === "INTERNAL" && !error.message.includes("secret");
      await assert.rejects(a.request("t.refuse", bytes("defect"), { timeoutMs: TIMEOUT_MS }), isSilent);
      assert.deepEqual(
        second.failed.map(({ subject }) => subject),
        ["t.refuse"],
      );
    });

    it("refuses what is too large, on the way there and back, and stays connected", async () => {
      const large = new Uint8Array(bed.maxPayloadBytes + 1);
      b.respond("t.large", () => ({ payload: large }));
      await b.flush(TIMEOUT_MS);
      const refusal = { code: "MESSAGE_TOO_LARGE" };
      assert.throws(() => a.publish("t.large", large), refusal);
      await assert.rejects(a.request("t.large", large, { timeoutMs: TIMEOUT_MS }), refusal);
      await assert.rejects(a.request("t.large", bytes("?"), { timeoutMs: TIMEOUT_MS }), refusal);
      const received = await collect(b, "t.largest");
      a.publish("t.largest", large.subarray(1));
      await waitUntil("the largest message", () => received.length === 1);
      assert.deepEqual([first.losses, second.losses], [[], []]);
    });

    it("refuses to queue more than its bound in memory, and recovers", async () => {
      const payload = new Uint8Array(bed.maxPayloadBytes);
      const publishAll = (): void => {
        for (let sent = 0; sent <= LIMITS.busPendingBytes; sent += payload.length) a.publish("t.flood", payload);
      };
      assert.throws(publishAll, { code: "BUS_OVERLOADED" });
      await a.flush(TIMEOUT_MS);
      a.publish("t.flood", payload);
    });

    it("refuses subjects, queues and headers that are malformed", async () => {
      const refusal = { code: "FIELD_INVALID" };
      for (const subject of ["", "a..b", ".a", "a.", "a b", "a.*", "a.>", "a\r\nPUB b 0", "x".repeat(300)])
        assert.throws(() => a.publish(subject, bytes("")), refusal, subject);
      for (const subject of ["", "a..b", "a.>.b", "a.b*", "a b", "a\n"]) assert.throws(() => a.subscribe(subject, () => undefined), refusal, subject);
      assert.throws(() => a.subscribe("a", () => undefined, { queue: "q r" }), refusal);
      for (const headers of [{ "a:b": "" }, { "": "x" }, { a: "b\r\nc: d" }, { "Maestro-Bus-Error": "INTERNAL" }])
        assert.throws(() => a.publish("t.headers", bytes(""), headers), refusal, JSON.stringify(headers));
      await assert.rejects(a.request("a..b", bytes(""), { timeoutMs: 10 }), refusal);
    });

    it("handles what was delivered before it drains, answers it, and takes nothing new", async () => {
      const gate = Promise.withResolvers<void>();
      const handled: string[] = [];
      b.subscribe("t.drain", async (message) => {
        await gate.promise;
        handled.push(text(message));
      });
      b.respond("t.drainAsk", async (request) => {
        await gate.promise;
        return request;
      });
      await b.flush(TIMEOUT_MS);
      for (let index = 0; index < 100; index++) a.publish("t.drain", bytes(String(index)));
      const answer = a.request("t.drainAsk", bytes("!"), { timeoutMs: TIMEOUT_MS });
      await a.flush(TIMEOUT_MS);
      const drained = b.drain(TIMEOUT_MS);
      await waitUntil("the responder to be gone", () =>
        a.request("t.drainAsk", bytes("?"), { timeoutMs: 50 }).then(
          () => false,
          (error: MaestroError) => error.code === "NO_RESPONDER",
        ),
      );
      assert.throws(() => b.subscribe("t.drain", () => undefined), { code: "BUS_UNAVAILABLE" });
      gate.resolve();
      await drained;
      assert.equal(text(await answer), "!");
      assert.equal(handled.length, 100);
      assert.equal(b.status.state, "closed");
      assert.throws(() => b.publish("t.drain", bytes("")), { code: "BUS_UNAVAILABLE" });
    });

    it("cuts a drain off after its time, and fails requests in flight when it is closed", async () => {
      b.respond("t.cut", () => new Promise<BusMessage>(() => undefined));
      await b.flush(TIMEOUT_MS);
      const answer = a.request("t.cut", bytes("?"), { timeoutMs: 60_000 });
      const outcome = assert.rejects(answer, { code: "BUS_UNAVAILABLE" });
      await a.drain(50);
      await outcome;
      assert.equal(a.status.state, "closed");
    });
  });
}
