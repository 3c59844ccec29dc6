/**
 * The message bus over a real NATS server: what one message costs, and how long a call from node to node takes. Both nodes are in this process.
 */
import type { Bus } from "../../runtime/bus/bus.ts";
import { openNatsBus } from "../../runtime/bus/nats-bus.ts";
import { EventHub } from "../../runtime/events.ts";
import { type Benchmark, type BenchSetting, latencyRound, type Measured, measureInTurn } from "./benchmark.ts";

const SUBJECT = "maestro.bench.ask";
const PAYLOAD = new Uint8Array(200);
const IN_FLIGHT = 200;
const PUBLISHED_AT_ONCE = 5_000;
const TIMEOUT_MS = 5_000;

/** `MAESTRO_NATS_URL=nats://... npm run bench -- bus`. */
export const bus: Benchmark = {
  name: "bus",
  about: "The message bus on the NATS server of MAESTRO_NATS_URL.",
  async measure(setting) {
    const url = process.env.MAESTRO_NATS_URL;
    if (url === undefined) throw new Error("say where a NATS server is: MAESTRO_NATS_URL=nats://HOST:PORT");
    const [asker, responder] = ["asker", "responder"].map((name) => openBus(setting, url, name)) as [Bus, Bus];
    try {
      responder.respond(SUBJECT, (request) => request);
      await Promise.all([asker, responder].map((opened) => untilConnected(opened, setting)));
      const things = [roundTrip(setting, asker), requests(setting, asker), publishes(setting, asker)];
      // Compiles what is measured.
      for (const thing of things) await thing.round();
      return await measureInTurn(setting, things);
    } finally {
      await Promise.all([asker.close(), responder.close()]);
    }
  },
};

function openBus({ clock, random }: BenchSetting, url: string, name: string): Bus {
  return openNatsBus({ url, name: `bench-${name}`, clock, random, events: new EventHub() });
}

async function untilConnected(opened: Bus, { clock }: BenchSetting): Promise<void> {
  const giveUpMs = clock.monotonic() + TIMEOUT_MS;
  while (opened.status.state !== "connected") {
    if (clock.monotonic() > giveUpMs) throw new Error(`the NATS server can't be reached: ${opened.status.reason}`);
    await new Promise<void>((resolve) => clock.schedule(10, resolve));
  }
}

function roundTrip({ clock, scale }: BenchSetting, asker: Bus): Measured {
  const round = async () => {
    const latenciesUs: number[] = [];
    for (let asked = 0; asked < 10_000 * scale; asked++) {
      const startMs = clock.monotonic();
      await asker.request(SUBJECT, PAYLOAD, { timeoutMs: TIMEOUT_MS });
      latenciesUs.push((clock.monotonic() - startMs) * 1_000);
    }
    return latencyRound(latenciesUs);
  };
  return { label: { name: "round trip", unit: "us", about: "a request and its answer, one at a time, 200 bytes each way" }, round };
}

function requests({ clock, scale }: BenchSetting, asker: Bus): Measured {
  const round = async () => {
    let left = 100_000 * scale;
    const count = left;
    const cpu = process.cpuUsage();
    const startMs = clock.monotonic();
    const ask = async (): Promise<void> => {
      while (left-- > 0) await asker.request(SUBJECT, PAYLOAD, { timeoutMs: TIMEOUT_MS });
    };
    await Promise.all(Array.from({ length: IN_FLIGHT }, ask));
    return { value: (count / (clock.monotonic() - startMs)) * 1_000, details: { "CPU us each": cpuUsOf(cpu) / count } };
  };
  return { label: { name: "requests", unit: "requests/s", about: `${IN_FLIGHT} in flight; CPU of both ends, without the server's` }, round };
}

function publishes({ clock, scale }: BenchSetting, asker: Bus): Measured {
  const round = async () => {
    const count = 500_000 * scale;
    const cpu = process.cpuUsage();
    const startMs = clock.monotonic();
    for (let sent = 0; sent < count; ) {
      for (let batch = 0; batch < PUBLISHED_AT_ONCE; batch++, sent++) asker.publish("maestro.bench.nobody", PAYLOAD);
      await asker.flush(TIMEOUT_MS);
    }
    return { value: (count / (clock.monotonic() - startMs)) * 1_000, details: { "CPU us each": cpuUsOf(cpu) / count } };
  };
  return { label: { name: "publish", unit: "messages/s", about: "messages of 200 bytes that nobody receives" }, round };
}

function cpuUsOf(start: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(start);
  return user + system;
}
