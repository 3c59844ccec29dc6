/** Writing to the event stream, with JetStream played by the test. */
import assert from "node:assert/strict";
import type { Frame, Wire } from "../../../runtime/bus/wire.ts";
import { virtualClock } from "../../../runtime/clock.ts";
import { LIMITS } from "../../../runtime/limits.ts";
import { seededRandom } from "../../../runtime/random.ts";
import { JetStreamWriter } from "../../../runtime/stream/jetstream-writer.ts";
import { nextTurn } from "../../support/next-turn.ts";

/** A writer that is ready, the reply subjects of what it sent, the tokens of what it takes for stored, and JetStream's word for one of the subjects. */
async function readyWriter() {
  const listeners = new Map<string, (frame: Frame) => void>();
  const answer = (subject: string, text: string): void => {
    const [, receive] = [...listeners].find(([pattern]) => subject.startsWith(pattern.replace("*", ""))) ?? [];
    receive?.({ subject, reply: "", payload: Buffer.from(text), headers: {}, isNoResponder: false, status: 0 });
  };
  const replies: string[] = [];
  const stored: number[] = [];
  let isReady = false;
  const wire: Wire = {
    maxPayloadBytes: 1 << 20,
    listen(subject, _queue, receive) {
      listeners.set(subject, receive);
      return { stop: () => void listeners.delete(subject), drain: async () => undefined };
    },
    flush: async () => undefined,
    send(subject, reply) {
      if (subject.startsWith("$JS")) setImmediate(() => answer(reply, "{}"));
      else replies.push(reply);
    },
  };
  const writer = new JetStreamWriter({
    ...{ clock: virtualClock(), random: seededRandom(1), subjects: "maestro.events" },
    listener: {
      onReady: () => {
        isReady = true;
      },
      onLost: assert.fail,
      onStored: (token) => stored.push(token),
      onRefused: assert.fail,
    },
    start: (user) => void user.attach(wire),
    stop: async () => undefined,
  });
  while (!isReady) await nextTurn();
  return { writer, replies, stored, store: (reply = "") => answer(reply, '{"stream":"MAESTRO_EVENTS","seq":1}') };
}

describe("events whose acknowledgements never come", () => {
  it("are given up when they are many, and what answers them late is taken for no other's", async () => {
    const { writer, replies, stored, store } = await readyWriter();
    const count = LIMITS.eventReplySubjects;
    for (let token = 1; token <= count + 1; token += 1) writer.send(token, "maestro.events.a", `id-${token}`, "{}");
    const numbers = replies.map((reply) => Number(reply.slice(reply.lastIndexOf(".") + 1)));
    assert.ok(Math.max(...numbers) < count, "no more subjects than that");
    store(replies[0]);
    assert.deepEqual(stored, []);
    store(replies[count]);
    assert.deepEqual(stored, [count + 1]);
  });

  it("leave the subjects of those that came to be used again", async () => {
    const { writer, replies, stored, store } = await readyWriter();
    for (let token = 1; token <= 3; token += 1) {
      writer.send(token, "maestro.events.a", `id-${token}`, "{}");
      store(replies[token - 1]);
    }
    assert.deepEqual([stored, new Set(replies).size], [[1, 2, 3], 1]);
  });
});
