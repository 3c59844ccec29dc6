/** Reading the event stream from a time, with JetStream played by the test. */
import assert from "node:assert/strict";
import type { Frame, Wire } from "../../../runtime/bus/wire.ts";
import { virtualClock } from "../../../runtime/clock.ts";
import { seededRandom } from "../../../runtime/random.ts";
import { JetStreamLink } from "../../../runtime/stream/jetstream-link.ts";
import { JetStreamReader } from "../../../runtime/stream/jetstream-reader.ts";
import { nextTurn } from "../../support/next-turn.ts";

const LAST = 100;
const EXPIRED = 408;

/** A reader, and what it asks of JetStream: `consumers` are the places where it has consumers begin, `pulls` are its requests for messages. */
function readerOf(pending: number) {
  const [clock, random] = [virtualClock(), seededRandom(1)];
  const listeners = new Map<string, (frame: Frame) => void>();
  const consumers: (number | "a time")[] = [];
  const pulls: string[] = [];
  const deliver = (subject: string, body: object | undefined, status = 0): void => {
    const [, receive] = [...listeners].find(([pattern]) => pattern === subject || subject.startsWith(pattern.replace("*", ""))) ?? [];
    const payload = Buffer.from(body === undefined ? "" : JSON.stringify(body));
    setImmediate(() => receive?.({ subject, reply: "", payload, headers: {}, isNoResponder: false, status }));
  };
  const wire: Wire = {
    maxPayloadBytes: 1 << 20,
    listen(subject, _queue, receive) {
      listeners.set(subject, receive);
      return { stop: () => void listeners.delete(subject), drain: async () => undefined };
    },
    flush: async () => undefined,
    send(subject, reply, payload) {
      if (subject.includes("STREAM.INFO")) return deliver(reply, { state: { first_seq: 1, last_seq: LAST } });
      if (subject.includes("MSG.NEXT")) return void pulls.push(reply);
      const { config } = JSON.parse(Buffer.from(payload).toString()) as { config: { opt_start_seq?: number } };
      consumers.push(config.opt_start_seq ?? "a time");
      deliver(reply, { name: "c", num_pending: pending });
    },
  };
  const reader = new JetStreamReader({
    ...{ clock, random, address: "test" },
    makeLink: (onReady, onLost) => new JetStreamLink({ clock, random, subjects: "maestro.events", onReady, onLost, onAnswer: () => undefined }),
    start: (user) => void user.attach(wire),
    stop: async () => undefined,
  });
  const over = new AbortController();
  const read = (async () => {
    for await (const _ of reader.read({ start: { timeMs: 1 }, subject: "maestro.events.>", signal: over.signal }))
      assert.fail("nothing was delivered");
  })();
  const until = async (condition: () => boolean): Promise<void> => {
    for (let turn = 0; !condition(); turn += 1) {
      assert.ok(turn < 10_000, "it must come to that");
      clock.advance(1);
      await nextTurn();
    }
  };
  const expire = (): void => deliver(pulls.shift() ?? assert.fail("nothing was asked for"), undefined, EXPIRED);
  const end = async (): Promise<void> => {
    over.abort();
    let isOver = false;
    void read.finally(() => {
      isOver = true;
    });
    await until(() => isOver);
    await read;
  };
  return { consumers, pulls, until, expire, end };
}

describe("reading events from a time", () => {
  it("asks again where that is while JetStream knows of messages and brings none", async () => {
    const { consumers, pulls, until, expire, end } = readerOf(60);
    await until(() => pulls.length === 1);
    expire();
    await until(() => consumers.length === 2);
    assert.deepEqual(consumers, ["a time", "a time"]);
    await end();
  });

  it("goes on behind the last message if there is none since", async () => {
    const { consumers, until, end } = readerOf(0);
    await until(() => consumers.length === 2);
    assert.deepEqual(consumers, ["a time", LAST + 1]);
    await end();
  });
});
