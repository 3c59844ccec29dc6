/**
 * Brings about what befalls whole processes, the network, the database and the event stream: each kind of fault at its own random moments, as often
 * as the seed's level of it says, until it is told to end.
 */
import type { Random } from "../../runtime/random.ts";
import { between, type FaultKind, type Faults, happens, pick } from "./faults.ts";
import type { Machine } from "./machine.ts";
import { type SimulatedProcess, WALL_OFF_MS } from "./process.ts";
import type { Surroundings } from "./surroundings.ts";
import type { Trace } from "./trace.ts";
import type { WorldTime } from "./world-time.ts";

/** Mean time between two faults of a kind at its highest level, in milliseconds. */
const EVERY_MS: Partial<Record<FaultKind, number>> = {
  ...{ partition: 6_000, oneWayPartition: 6_000, busDown: 12_000, busFreeze: 12_000, stall: 8_000, failover: 10_000 },
  ...{ crash: 6_000, crashInside: 6_000, pause: 6_000, usurper: 12_000, restart: 10_000, rollingRestart: 20_000 },
  ...{ wallJump: 6_000, streamDown: 10_000 },
};
/** How long things last, in milliseconds: usually short, sometimes longer than a lease. */
const BRIEF_MS = [50, 2_500] as const;
const LONG_MS = [2_500, 9_000] as const;
const LONG_SHARE = 0.3;
/** Chance that a wall clock jumps forwards for good, and not only to and fro. */
const FORWARD_SHARE = 0.3;
/** What leaves a process before it dies in the middle of something. */
const OUTPUTS_MAX = 40;

/** What it needs. */
export interface DisturberOptions {
  readonly time: WorldTime;
  readonly faults: Faults;
  readonly random: Random;
  readonly trace: Trace;
  readonly surroundings: Surroundings;
  readonly machines: readonly Machine[];
}

/** See the file header. */
export class Disturber {
  readonly #options: DisturberOptions;
  #isOver = false;

  constructor(options: DisturberOptions) {
    this.#options = options;
  }

  /** Begins. */
  start(): void {
    for (const kind of Object.keys(EVERY_MS) as FaultKind[]) this.#schedule(kind);
  }

  /** Nothing new befalls anything from now on. */
  end(): void {
    this.#isOver = true;
  }

  #schedule(kind: FaultKind): void {
    const { time, faults, random } = this.#options;
    const level = faults.level(kind);
    if (level === 0) return;
    const meanMs = (EVERY_MS[kind] ?? 0) / level;
    time.schedule(-Math.log(1 - random.fraction()) * meanMs, () => {
      if (this.#isOver) return;
      faults.note(kind);
      this.#strike(kind);
      this.#schedule(kind);
    });
  }

  #strike(kind: FaultKind): void {
    const { random, surroundings, machines } = this.#options;
    const { database, network, stream } = surroundings;
    const machine = pick(random, machines);
    const { process } = machine.node;
    const durationMs = this.#durationMs();
    this.#options.trace.note("world", `${kind} ${process.name} ${Math.round(durationMs)}`);
    switch (kind) {
      case "partition":
      case "oneWayPartition":
        return this.#partition(process, kind === "oneWayPartition", durationMs);
      case "busDown":
        return this.#forAWhile(
          durationMs,
          () => network.stop(),
          () => network.start(),
        );
      case "busFreeze":
        return this.#forAWhile(
          durationMs,
          () => network.freeze(),
          () => network.start(),
        );
      case "stall":
        return database.stall(durationMs);
      case "failover":
        return database.failOver(durationMs);
      case "crash":
        return process.crash();
      case "crashInside":
        return process.crashAfter(random.uint32() % OUTPUTS_MAX);
      case "pause":
        return process.standStill(durationMs);
      case "usurper":
        return machine.boot();
      case "restart":
        return process.enter(() => void machine.node.stop());
      case "rollingRestart":
        for (const one of machines) one.restartInTurn();
        return;
      case "wallJump":
        process.setWallClock(happens(random, FORWARD_SHARE) ? between(random, process.wallOffsetMs, WALL_OFF_MS) : process.wallOffsetMs);
        return;
      case "streamDown":
        return this.#forAWhile(
          durationMs,
          () => stream.stop(),
          () => stream.start(),
        );
      default:
        throw new Error(`${kind} does not befall anything by itself`);
    }
  }

  /** Parts a process from one other or from all. */
  #partition(process: SimulatedProcess, isOneWay: boolean, durationMs: number): void {
    const { random, surroundings, machines } = this.#options;
    const others = machines.map(({ node }) => node.process).filter((other) => other !== process);
    const parted = happens(random, 0.5) ? others : [pick(random, others)];
    const isOutwards = happens(random, 0.5);
    for (const { name } of parted) {
      if (isOutwards) surroundings.network.partition(process.name, name, isOneWay);
      else surroundings.network.partition(name, process.name, isOneWay);
    }
    this.#options.time.schedule(durationMs, () => surroundings.network.heal());
  }

  #forAWhile(durationMs: number, begin: () => void, end: () => void): void {
    begin();
    this.#options.time.schedule(durationMs, end);
  }

  #durationMs(): number {
    const { random } = this.#options;
    return happens(random, LONG_SHARE) ? between(random, ...LONG_MS) : between(random, ...BRIEF_MS);
  }
}
