/**
 * A network in memory for many nodes in one process, for tests and simulation. It stands for the server and for the ways to and from it. Each delivery is an
 * event of the clock of its own, and all that goes wrong is drawn from one source of chance: the same seed gives the same run.
 */
import type { Clock } from "../clock.ts";
import type { EventHub } from "../events.ts";
import type { Random } from "../random.ts";
import type { Bus } from "./bus.ts";
import { type BusConnection, BusLink, CONNECT_TIMEOUT_MS } from "./bus-link.ts";
import { type Delivery, MemoryPath, type PathFaults } from "./memory-path.ts";
import { MemoryWire } from "./memory-wire.ts";
import type { Frame } from "./wire.ts";
import { WiredBus } from "./wired-bus.ts";

const ADDRESS = "memory";

/** The process that a node lives in: it may have a clock of its own, stand still, or be gone. */
export interface BusHost {
  readonly clock: Clock;
  /** Lets the process take a message, or what it waits for from the network, now or when it goes on. `frame`: undefined for an acknowledgement. */
  take(frame: Frame | undefined, callback: () => void): void;
}

/** What a network needs. */
export interface MemoryNetworkOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** The largest message that it takes, in bytes. Default: 1 MiB, as a NATS server. */
  readonly maxPayloadBytes?: number;
}

/** The network. */
export class MemoryNetwork {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #maxPayloadBytes: number;
  readonly #wires = new Set<MemoryWire>();
  readonly #paths = new Map<string, MemoryPath>();
  readonly #cutOff = new Set<string>();
  #faults: PathFaults = {};
  #state: "up" | "down" | "frozen" = "up";

  constructor({ clock, random, maxPayloadBytes = 1024 * 1024 }: MemoryNetworkOptions) {
    this.#clock = clock;
    this.#random = random;
    this.#maxPayloadBytes = maxPayloadBytes;
  }

  /** A node's connection to the network. `host`: default, a process on the network's own clock that is always there. */
  join(nodeName: string, events: EventHub, host: BusHost = { clock: this.#clock, take: (_frame, callback) => callback() }): Bus {
    const { clock } = host;
    const link = new BusLink({ clock, random: this.#random, connect: () => this.#connect(nodeName, host) });
    const bus = new WiredBus({ clock, random: this.#random, events, address: ADDRESS, onClose: () => link.close() });
    link.start(bus);
    return bus;
  }

  /** What goes wrong from now on between any two nodes. */
  setFaults(faults: PathFaults): void {
    this.#faults = faults;
    for (const path of this.#paths.values()) path.setFaults(faults);
  }

  /** Loses all messages from one node to another, and back unless `isOneWay`. Neither is told. */
  partition(from: string, to: string, isOneWay = false): void {
    this.#path(from, to).isBroken = true;
    if (!isOneWay) this.#path(to, from).isBroken = true;
  }

  /** Ends all partitions. */
  heal(): void {
    for (const path of this.#paths.values()) path.isBroken = false;
  }

  /** Takes the network away from a node, which notices at once, until {@link restore}. */
  cutOff(nodeName: string): void {
    this.#cutOff.add(nodeName);
    for (const wire of [...this.#wires]) if (wire.nodeName === nodeName) wire.close("cut off");
  }

  /** Gives the network back to a node. */
  restore(nodeName: string): void {
    this.#cutOff.delete(nodeName);
  }

  /** Takes the network away from everybody, as a server that crashes. */
  stop(): void {
    this.#state = "down";
    for (const wire of [...this.#wires]) wire.close("the network is down");
  }

  /** Delivers nothing, and tells nobody, as a server that is stopped but still connected. What is sent meanwhile is lost. */
  freeze(): void {
    this.#state = "frozen";
  }

  /** Ends {@link stop} and {@link freeze}. */
  start(): void {
    this.#state = "up";
  }

  /** For wires: routes a message to every subscription that matches, and to one of each queue. */
  route(from: MemoryWire, frame: Frame): void {
    if (this.#state !== "up") return;
    const { alone, queues } = this.#matching(frame.subject);
    const chosen = [...alone, ...[...queues.values()].map((members) => members[this.#random.uint32() % members.length] as Delivery)];
    if (chosen.length === 0 && frame.reply !== "") this.#sayNoResponder(from, frame);
    for (const target of chosen) this.#path(from.nodeName, target.nodeName).carry(target, frame);
  }

  /** For wires: calls back after all that was sent to a node before; never while the network is frozen. */
  roundTrip(wire: MemoryWire, callback: () => void): void {
    if (this.#state !== "up") return;
    // What is on its way to the node comes before the answer, as on one connection.
    const lastDueMs = Math.max(0, ...[...this.#paths.values()].filter((path) => path.to === wire.nodeName).map((path) => path.lastDueMs));
    this.#clock.schedule(Math.max(lastDueMs - this.#clock.monotonic(), 0), callback);
  }

  /** For wires: one was closed by its own node. */
  forget(wire: MemoryWire): void {
    this.#wires.delete(wire);
  }

  #matching(subject: string): { readonly alone: readonly Delivery[]; readonly queues: ReadonlyMap<string, readonly Delivery[]> } {
    const found = [...this.#wires].flatMap((wire) => wire.matching(subject));
    const queues = Map.groupBy(
      found.filter(({ queue }) => queue !== undefined),
      ({ queue }) => queue ?? "",
    );
    return { alone: found.filter(({ queue }) => queue === undefined), queues };
  }

  /** The server itself says so, so nothing between nodes can lose it. */
  #sayNoResponder(to: MemoryWire, { reply }: Frame): void {
    const frame: Frame = { subject: reply, reply: "", payload: new Uint8Array(0), headers: {}, isNoResponder: true, status: 503 };
    for (const target of to.matching(reply)) this.#clock.schedule(0, () => target.receive(frame));
  }

  #connect(nodeName: string, host: BusHost): Promise<BusConnection> {
    return new Promise((resolve, reject) => {
      if (this.#state === "frozen") {
        this.#clock.schedule(CONNECT_TIMEOUT_MS, () => reject(new Error("no greeting")));
      } else if (this.#state === "down" || this.#cutOff.has(nodeName)) {
        reject(new Error("the network is away"));
      } else {
        const wire = new MemoryWire(this, nodeName, this.#maxPayloadBytes, host);
        this.#wires.add(wire);
        resolve({ wire, ended: wire.ended, close: async () => wire.close("closed") });
      }
    });
  }

  #path(from: string, to: string): MemoryPath {
    const key = `${from}\n${to}`;
    const path = this.#paths.get(key) ?? new MemoryPath(to, this.#clock, this.#random, this.#faults);
    this.#paths.set(key, path);
    return path;
  }
}
