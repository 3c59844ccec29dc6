/**
 * Workload W3: runs that only wait, half of them for a time far away, half for a signal. What it costs to start them, to keep them, to start
 * a node on them, and how late they go on when very many fall due at one moment.
 */
import { pause } from "../../runtime/storage/pause.ts";
import { type Benchmark, type BenchSetting, type Figure, figureOf, percentile, type Round } from "./benchmark.ts";
import type { LoadReport } from "./closed-loop.ts";
import { type Installation, install } from "./installation.ts";
import type { NodeMemory } from "./node-process.ts";
import type { EndsReport } from "./storm-watch.ts";
import { PARKED_DOCUMENTS, STORM_DOCUMENT } from "./workflows.ts";
import type { Deployed } from "./workload.ts";

const IN_FLIGHT = 300;
/** Runs of the first figure, which other engines are measured by too. */
const FEW = 10_000;
/** Runs parked in all, and in the long form. */
const MANY = 100_000;
const VERY_MANY = 1_000_000;
/** Runs that fall due at one moment: after their start, and after a restart of the node, which must first read each of them. */
const STORM = 50_000;
const COLD_STORM = 5_000;
const LONG_COLD_STORM = 50_000;
/** A run that does nothing for ten seconds leaves memory; a node that is quiet then gives memory back within ten more. */
const SETTLING_MS = 25_000;
/** Time for a node to stop and start before a storm. */
const RESTART_MS = 20_000;
/** How much slower the machine may become while the runs of a storm are started. */
const MACHINE_SWING = 3;
const START_ROUNDS = 5;
const STORM_TIMEOUT_MS = 240_000;
const LONGEST_MS = 3_600_000;
const MIB = 2 ** 20;

/** `npm run bench -- parked`. */
export const parked: Benchmark = {
  name: "parked",
  about: "Runs that wait (W3): starting them, keeping them, starting a node on them, and a storm of timers.",
  async measure(setting) {
    setting.progress("starting PostgreSQL, a node and a client");
    await using installation = await install(setting);
    const workflows = await Promise.all(PARKED_DOCUMENTS.map((document) => installation.deploy(document)));
    const storm = await installation.deploy(STORM_DOCUMENT);
    await installation.stop();
    const emptyStartMs = await installation.start();
    const bench = new Parked(setting, installation, workflows, storm);
    await installation.load({ workload: "w1", driver: "in process", inFlight: IN_FLIGHT, durationMs: setting.roundMs });
    await installation.load({ workload: "w1", driver: "unary", inFlight: IN_FLIGHT, durationMs: setting.roundMs });
    const figures = [...(await bench.park()), ...(await bench.storm())];
    return [...figures, ...(await bench.restart(emptyStartMs))];
  },
};

class Parked {
  readonly #setting: BenchSetting;
  readonly #installation: Installation;
  readonly #workflows: readonly Deployed[];
  readonly #storm: Deployed;
  #count = 0;
  #startsPerMs = 1;

  constructor(setting: BenchSetting, installation: Installation, workflows: readonly Deployed[], storm: Deployed) {
    this.#setting = setting;
    this.#installation = installation;
    this.#workflows = workflows;
    this.#storm = storm;
  }

  /**
   * Starts the runs; some at first, and some when the others are parked, by themselves. The long form does so for either amount. What is started in one go with
   * very many others is a figure of its own: the store's own work on what was written (checkpoints, vacuum) is then under way.
   */
  async park(): Promise<readonly Figure[]> {
    const { scale, long } = this.#setting;
    const few = FEW * scale;
    const unary = await this.#start("client", few, this.#workflows);
    const first = await this.#start("node", few, this.#workflows);
    await this.#settle();
    const rate = await this.#startRate(few);
    const figures = [
      once(`start ${few}, unary`, "s", "time to start this many runs, each by a unary gRPC call", secondsOf(unary)),
      once(`start ${few}, in process`, "s", "the same inside the node, without gateway and client", secondsOf(first)),
    ];
    for (const amount of long ? [MANY, VERY_MANY] : [MANY]) figures.push(...(await this.#parkUpTo(amount * scale, rate)));
    return figures;
  }

  /** Both rates are taken after it: a node that gave its memory back has to grow again. */
  async #settle(): Promise<void> {
    this.#setting.progress("waiting until the parked runs have left memory, and the node gave back what it can");
    await pause(SETTLING_MS, this.#setting.clock);
  }

  /** The median of some rounds, in starts per second. */
  async #startRate(operations: number): Promise<number> {
    const rates: number[] = [];
    for (let round = 0; round < START_ROUNDS; round++) rates.push(rateOf(await this.#start("node", operations, this.#workflows)));
    return percentile(
      rates.sort((a, b) => a - b),
      0.5,
    );
  }

  async #parkUpTo(total: number, firstRate: number): Promise<readonly Figure[]> {
    const few = FEW * this.#setting.scale;
    await this.#start("node", total - this.#count - few, this.#workflows);
    const last = await this.#start("node", few, this.#workflows);
    const atOnce = await this.#memory();
    await this.#settle();
    const after = await this.#memory();
    const rate = await this.#startRate(few);
    const value = after.residentBytes / MIB;
    const details = { "heap MiB": after.heapBytes / MIB, "reserved MiB": after.reservedBytes / MIB, "peak MiB": atOnce.peakBytes / MIB };
    return [
      once(`start ${few} of ${total}, in process`, "s", "the same for the last of this many, started in one go", secondsOf(last)),
      once(`memory, ${total} parked`, "MiB", "resident memory of the node once the runs have left it", { value, details }),
      once(`start rate, ${total} / none`, "x", "start rate with them against that before them, medians of rounds", {
        value: rate / firstRate,
        details: { "starts/s": rate, "before them": firstRate },
      }),
    ];
  }

  /** Very many timers at one moment, of runs that were just started: the last of them are in memory. */
  async storm(): Promise<readonly Figure[]> {
    const count = STORM * this.#setting.scale;
    const dueAtMs = await this.#prepareStorm(count, 1_000);
    const report = await this.#awaitEnds(count, dueAtMs);
    return [
      stormFigure(`storm of ${count}`, `${count} runs that were just started fall due at one moment: time until all have gone on and ended`, report),
    ];
  }

  /** The node starts on all of it; then timers fire of runs that are not in memory. */
  async restart(emptyStartMs: number): Promise<readonly Figure[]> {
    const count = (this.#setting.long ? LONG_COLD_STORM : COLD_STORM) * this.#setting.scale;
    const dueAtMs = await this.#prepareStorm(count, RESTART_MS);
    this.#setting.progress("starting the node again");
    await this.#installation.stop();
    const startMs = await this.#installation.start();
    const { residentBytes } = await this.#memory();
    const report = await this.#awaitEnds(count, dueAtMs);
    const about = "time from the start of the process to ready";
    return [
      once(`start-up, ${this.#count} parked`, "ms", about, {
        value: startMs,
        details: { "on none": emptyStartMs, "memory MiB": residentBytes / MIB },
      }),
      stormFigure(`storm of ${count} after a restart`, `${count} runs fall due at one moment, each of which is first read from the store`, report),
    ];
  }

  async #start(by: "client" | "node", operations: number, workflows: readonly Deployed[], input = "{}"): Promise<LoadReport> {
    this.#setting.signal.throwIfAborted();
    this.#setting.progress(`starting ${operations} runs by the ${by}, on ${this.#count}`);
    const order = { kind: "start", workflows, input, inFlight: IN_FLIGHT, operations, durationMs: LONGEST_MS } as const;
    const load = by === "client" ? this.#installation.askClient<LoadReport>(order) : this.#installation.askNode<LoadReport>(order);
    this.#count += operations;
    const report = await load;
    this.#startsPerMs = report.operations / report.elapsedMs;
    return report;
  }

  /** Starts runs that are due when all of them have been started for at least `marginMs`. */
  async #prepareStorm(count: number, marginMs: number): Promise<number> {
    const { clock } = this.#setting;
    const dueAtMs = clock.now() + Math.ceil((MACHINE_SWING * count) / this.#startsPerMs) + marginMs;
    await this.#start("node", count, [this.#storm], JSON.stringify({ dueAtMs }));
    if (clock.now() >= dueAtMs) throw new Error("the runs of the storm could not be started before they were due");
    this.#count -= count;
    return dueAtMs;
  }

  #awaitEnds(count: number, dueAtMs: number): Promise<EndsReport> {
    this.#setting.progress(`waiting for a storm of ${count}`);
    return this.#installation.askNode<EndsReport>({ kind: "ends", count, dueAtMs, timeoutMs: STORM_TIMEOUT_MS });
  }

  #memory(): Promise<NodeMemory> {
    return this.#installation.askNode<NodeMemory>({ kind: "memory" });
  }
}

function stormFigure(name: string, about: string, { lastMs, p50Ms, p99Ms, early }: EndsReport): Figure {
  return once(name, "ms", about, { value: lastMs, details: { "late p50 ms": p50Ms, "late p99 ms": p99Ms, early } });
}

function once(name: string, unit: string, about: string, round: Round): Figure {
  return figureOf({ name: `W3 ${name}`, unit, about }, [round]);
}

function secondsOf(load: LoadReport): Round {
  return { value: load.elapsedMs / 1000, details: { "starts/s": rateOf(load), "p99 ms": load.p99Ms } };
}

function rateOf({ operations, elapsedMs }: LoadReport): number {
  return (operations / elapsedMs) * 1000;
}
