/**
 * Everything around the processes of a simulated world: database, network, event stream; and how a process reaches each of them.
 */
import type { Bus } from "../../runtime/bus/bus.ts";
import { MemoryNetwork } from "../../runtime/bus/memory-network.ts";
import type { EventHub } from "../../runtime/events.ts";
import type { Random } from "../../runtime/random.ts";
import { MemoryStream } from "../../runtime/stream/memory-stream.ts";
import type { StreamListener, StreamWriter } from "../../runtime/stream/stream.ts";
import { Database } from "./database.ts";
import { DatabaseLink } from "./database-link.ts";
import type { Faults } from "./faults.ts";
import type { Plant } from "./plant.ts";
import type { SimulatedProcess } from "./process.ts";
import type { Trace } from "./trace.ts";
import type { WorldTime } from "./world-time.ts";

const STREAM_WAY_MS = 1;

/** What they are made from. */
export interface SurroundingsOptions {
  readonly time: WorldTime;
  readonly faults: Faults;
  readonly random: Random;
  readonly trace: Trace;
  /** A defect. Default: none. */
  readonly plant?: Plant | undefined;
}

/** The surroundings. */
export class Surroundings {
  readonly database: Database;
  readonly network: MemoryNetwork;
  readonly stream: MemoryStream;
  readonly plant: Plant;
  readonly #options: SurroundingsOptions;

  constructor(options: SurroundingsOptions) {
    const { time, faults, random } = options;
    this.#options = options;
    this.plant = options.plant ?? {};
    this.database = new Database(time);
    this.network = new MemoryNetwork({ clock: time, random });
    this.stream = new MemoryStream(time);
    this.stream.faultOf = () => {
      if (faults.strikes("eventAckLost", 0.2)) return "ackLost";
      return faults.strikes("eventRefused", 0.2) ? "refused" : "none";
    };
    const store = this.stream.store.bind(this.stream);
    this.stream.store = (...message) => {
      if (this.plant.keepsEvent?.() !== false) store(...message);
    };
    this.spoilNetwork();
  }

  /** Has messages meet what the levels of the moment say. */
  spoilNetwork(): void {
    const { faults } = this.#options;
    this.network.setFaults({
      loss: faults.level("loss") * 0.2,
      duplication: faults.level("duplication") * 0.3,
      reordering: faults.level("reordering") * 0.3,
      delayMs: [0.1, 1 + faults.level("delay") * 200],
    });
  }

  /** A process's way to the database. */
  link(process: SimulatedProcess): DatabaseLink {
    return new DatabaseLink({ ...this.#options, plant: this.plant, process, database: this.database });
  }

  /** A process's connection to the network. */
  joinBus(process: SimulatedProcess, events: EventHub): Bus {
    const { trace } = this.#options;
    process.onDeath(() => this.network.cutOff(process.name));
    return this.network.join(process.name, events, {
      clock: process.clock,
      take: (frame, callback) => {
        if (frame !== undefined) trace.note(process.name, `hears ${frame.subject} ${frame.payload.length}`);
        process.enter(callback);
      },
    });
  }

  /** How a process opens its writer of the event stream. */
  streamOf(process: SimulatedProcess): (listener: StreamListener) => StreamWriter {
    const { time, trace } = this.#options;
    return (listener) => {
      const writer = this.stream.openWriter({
        onReady: () => process.enter(() => listener.onReady()),
        onLost: (reason) => process.enter(() => listener.onLost(reason)),
        onStored: (token) => process.enter(() => listener.onStored(token)),
        onRefused: (token, reason) => process.enter(() => listener.onRefused(token, reason)),
      });
      process.onDeath(() => void writer.close());
      return {
        send: (token, subject, id, text) =>
          process.leave(() => {
            trace.note(process.name, `tells ${id}`);
            time.schedule(STREAM_WAY_MS, () => writer.send(token, subject, id, text));
          }),
        close: () => writer.close(),
      };
    };
  }

  /** Puts everything right again. */
  heal(): void {
    this.database.heal();
    this.network.start();
    this.network.heal();
    if (!this.stream.isUp) this.stream.start();
    this.spoilNetwork();
  }
}
