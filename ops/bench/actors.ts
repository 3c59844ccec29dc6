/**
 * Benchmark of the actor kernel on one core: messages told, asks answered, actors spawned, and heap per idle actor. Run it alone with
 *
 *   node --expose-gc ops/bench/actors.ts [--quick]
 *
 * Each figure is the median of three runs in one process, the first of which also warms the compiler up.
 */
import { pathToFileURL } from "node:url";
import { systemClock } from "../../runtime/clock.ts";
import { EventHub } from "../../runtime/events.ts";
import type { Actor, ActorFactory } from "../../runtime/kernel/actor.ts";
import type { ActorRef, ReplyTo } from "../../runtime/kernel/reference.ts";
import { ActorSystem } from "../../runtime/kernel/system.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { systemRandom } from "../../runtime/random.ts";

/** What the kernel does on this machine. */
export interface ActorFigures {
  /** Messages told and handled, per second. */
  readonly tellsPerSecond: number;
  /** Questions asked and answered, per second, 1,000 in flight. */
  readonly asksPerSecond: number;
  /** Children spawned, each with its own name, per second. */
  readonly spawnsPerSecond: number;
  /** Heap per idle actor with its name and without state of its own; undefined without `--expose-gc`. */
  readonly bytesPerActor: number | undefined;
}

type CounterMessage = { readonly kind: "add" } | { readonly kind: "count"; readonly replyTo: ReplyTo<number> };

class Counter implements Actor<CounterMessage> {
  #count = 0;

  receive(message: CounterMessage): void {
    if (message.kind === "add") this.#count++;
    else message.replyTo.reply(this.#count);
  }
}

const IDLE: Actor<never> = { receive: () => undefined };
const ASKS_IN_FLIGHT = 1_000;
const RUNS = 3;

/** Measures everything. `quick` takes a tenth of the messages: about a second instead of ten. */
export async function benchActors(options: { readonly quick?: boolean } = {}): Promise<ActorFigures> {
  const scale = options.quick === true ? 0.1 : 1;
  return {
    tellsPerSecond: await medianRate(5_000_000 * scale, tells),
    asksPerSecond: await medianRate(2_000_000 * scale, asks),
    spawnsPerSecond: await medianRate(400_000 * scale, spawns),
    bytesPerActor: await heapPerActor(200_000),
  };
}

async function tells(system: ActorSystem, count: number): Promise<void> {
  const counter = system.spawn("counter", () => new Counter());
  for (let sent = 0; sent < count; ) {
    for (let batch = 0; batch < LIMITS.mailboxLength - 1 && sent < count; batch++, sent++) counter.tell({ kind: "add" });
    await askCount(counter);
  }
  const handled = await askCount(counter);
  if (handled !== count) throw new Error(`${handled} of ${count} messages were handled`);
}

async function asks(system: ActorSystem, count: number): Promise<void> {
  const counter = system.spawn("counter", () => new Counter());
  for (let asked = 0; asked < count; asked += ASKS_IN_FLIGHT) {
    const answers: Promise<number>[] = [];
    for (let flight = 0; flight < ASKS_IN_FLIGHT; flight++) answers.push(askCount(counter));
    await Promise.all(answers);
  }
}

async function spawns(system: ActorSystem, count: number): Promise<void> {
  spawnIdle(system, count);
}

function spawnIdle(system: ActorSystem, count: number): void {
  const factory: ActorFactory<never> = () => IDLE;
  for (let index = 0; index < count; index++) system.spawn(`run-${index}`, factory);
}

function askCount(counter: ActorRef<CounterMessage>): Promise<number> {
  return counter.ask<number>((replyTo) => ({ kind: "count", replyTo }), { timeoutMs: 10_000 });
}

async function medianRate(count: number, work: (system: ActorSystem, count: number) => Promise<void>): Promise<number> {
  const clock = systemClock();
  const rates: number[] = [];
  for (let run = 0; run < RUNS; run++) {
    const system = newSystem();
    globalThis.gc?.();
    const startMs = clock.monotonic();
    await work(system, count);
    rates.push((count / (clock.monotonic() - startMs)) * 1_000);
    await system.stop();
  }
  return median(rates);
}

async function heapPerActor(count: number): Promise<number | undefined> {
  const { gc } = globalThis;
  if (gc === undefined) return undefined;
  const sizes: number[] = [];
  for (let run = 0; run < RUNS; run++) {
    const system = newSystem();
    gc();
    const before = process.memoryUsage().heapUsed;
    spawnIdle(system, count);
    gc();
    sizes.push((process.memoryUsage().heapUsed - before) / count);
    await system.stop();
  }
  return median(sizes);
}

function newSystem(): ActorSystem {
  return new ActorSystem({ name: "bench", clock: systemClock(), random: systemRandom(), events: new EventHub() });
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const figures = await benchActors({ quick: process.argv.includes("--quick") });
  const rate = (value: number): string => `${(value / 1e6).toFixed(2)} million/s`;
  console.log(`tell          ${rate(figures.tellsPerSecond)}`);
  console.log(`ask           ${rate(figures.asksPerSecond)}`);
  console.log(`spawn         ${rate(figures.spawnsPerSecond)}`);
  console.log(`idle actor    ${figures.bytesPerActor === undefined ? "unknown: run with --expose-gc" : `${figures.bytesPerActor.toFixed(0)} bytes`}`);
}
