/** The port of the message bus, on a real NATS server. */
import { openNatsBus } from "../../runtime/bus/nats-bus.ts";
import { systemClock } from "../../runtime/clock.ts";
import { systemRandom } from "../../runtime/random.ts";
import { startNatsServer } from "../support/nats-server.ts";
import { busConformance } from "./bus.ts";
import type { BusBed } from "./bus-bed.ts";
import { busFailureConformance } from "./bus-failures.ts";

/** What a NATS server takes unless it is told otherwise. */
const MAX_PAYLOAD_BYTES = 1024 * 1024;

const bedWith = (hasJetStream: boolean) => async (): Promise<BusBed> => {
  const server = await startNatsServer({ hasJetStream });
  return {
    open: (name, events) => openNatsBus({ url: server.url, name, clock: systemClock(), random: systemRandom(), events }),
    maxPayloadBytes: MAX_PAYLOAD_BYTES,
    stop: () => server.kill(),
    restart: (isWiped) => server.restart(isWiped),
    freeze: () => server.freeze(),
    thaw: () => server.thaw(),
    close: () => server.close(),
  };
};

describe("NATS bus", () => {
  busConformance(bedWith(false));
  busFailureConformance(bedWith(true));
});
