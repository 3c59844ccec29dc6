/** The port of the event stream, in memory. */
import { systemClock } from "../../runtime/clock.ts";
import { MemoryStream } from "../../runtime/stream/memory-stream.ts";
import { streamConformance } from "./stream.ts";

describe("memory stream", () => {
  streamConformance(async () => {
    const stream = new MemoryStream(systemClock());
    return {
      openWriter: (listener) => stream.openWriter(listener),
      openReader: () => stream.openReader(),
      stop: async () => stream.stop(),
      restart: async (isWiped) => stream.start(isWiped),
      close: async () => undefined,
    };
  });
});
