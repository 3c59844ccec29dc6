/** The port of the event stream, on a real NATS server with JetStream. */
import assert from "node:assert/strict";
import { EVENT_SUBJECTS } from "../../actors/events/event-names.ts";
import { systemClock } from "../../runtime/clock.ts";
import { EventHub } from "../../runtime/events.ts";
import { systemRandom } from "../../runtime/random.ts";
import { type NatsStreamOptions, openNatsStreamReader, openNatsStreamWriter } from "../../runtime/stream/nats-stream.ts";
import type { StreamReader } from "../../runtime/stream/stream.ts";
import { type NatsServer, startNatsServer } from "../support/nats-server.ts";
import { waitUntil } from "../support/wait-until.ts";
import { streamConformance } from "./stream.ts";

function optionsOf(server: NatsServer): NatsStreamOptions {
  return { url: server.url, name: "test", clock: systemClock(), random: systemRandom(), events: new EventHub(), subjects: EVENT_SUBJECTS };
}

describe("NATS stream", () => {
  streamConformance(async () => {
    const server = await startNatsServer({ hasJetStream: true });
    const readers: StreamReader[] = [];
    return {
      openWriter: (listener) => openNatsStreamWriter(optionsOf(server), listener),
      openReader() {
        const reader = openNatsStreamReader(optionsOf(server));
        readers.push(reader);
        return reader;
      },
      stop: () => server.kill(),
      restart: (isWiped) => server.restart(isWiped),
      async close() {
        await Promise.all(readers.map((reader) => reader.close()));
        await server.close();
      },
    };
  });

  it("says why a server without JetStream is of no use", async function () {
    this.timeout(60_000);
    const server = await startNatsServer();
    const reasons: string[] = [];
    const ignore = (): void => undefined;
    const listener = { onReady: ignore, onStored: ignore, onRefused: ignore, onLost: (reason: string) => void reasons.push(reason) };
    const writer = openNatsStreamWriter(optionsOf(server), listener);
    try {
      await waitUntil("two attempts to fail", () => reasons.length >= 2);
      assert.match(reasons[0] ?? "", /no JetStream/);
    } finally {
      await writer.close();
      await server.close();
    }
  });
});
