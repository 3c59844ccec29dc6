/** The port of the message bus, on the network in memory. */
import { MemoryNetwork } from "../../runtime/bus/memory-network.ts";
import { systemClock } from "../../runtime/clock.ts";
import { seededRandom } from "../../runtime/random.ts";
import { busConformance } from "./bus.ts";
import type { BusBed } from "./bus-bed.ts";
import { busFailureConformance } from "./bus-failures.ts";

const MAX_PAYLOAD_BYTES = 1024 * 1024;

async function memoryBusBed(): Promise<BusBed> {
  const network = new MemoryNetwork({ clock: systemClock(), random: seededRandom(1), maxPayloadBytes: MAX_PAYLOAD_BYTES });
  return {
    open: (nodeName, events) => network.join(nodeName, events),
    maxPayloadBytes: MAX_PAYLOAD_BYTES,
    stop: async () => network.stop(),
    restart: async () => network.start(),
    freeze: () => network.freeze(),
    thaw: () => network.start(),
    close: async () => undefined,
  };
}

describe("memory bus", () => {
  busConformance(memoryBusBed);
  busFailureConformance(memoryBusBed);
});
