/**
 * The actor kernel on one core: messages told, questions asked, actors spawned, and heap per idle actor.
 */

import { EventHub } from "../../runtime/events.ts";
import type { Actor, ActorFactory } from "../../runtime/kernel/actor.ts";
import type { ActorRef, ReplyTo } from "../../runtime/kernel/reference.ts";
import { ActorSystem } from "../../runtime/kernel/system.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { type Benchmark, type BenchSetting, type FigureLabel, type Measured, measureInTurn } from "./benchmark.ts";

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
const IDLE_ACTORS = 200_000;

/** `npm run bench -- actors`. */
export const actors: Benchmark = {
  name: "actors",
  about: "The actor kernel on one core, without journal or workflows.",
  async measure(setting) {
    const { scale } = setting;
    const things = [
      rate(setting, { name: "tell", unit: "messages/s", about: "messages told to one actor and handled" }, 5_000_000 * scale, tells),
      rate(setting, { name: "ask", unit: "questions/s", about: `questions answered, ${ASKS_IN_FLIGHT} in flight` }, 2_000_000 * scale, asks),
      rate(setting, { name: "spawn", unit: "actors/s", about: "children spawned, each with a name of its own" }, 400_000 * scale, spawns),
      ...heapOfIdleActors(setting),
    ];
    // Compiles what is measured.
    for (const thing of things) await thing.round();
    return measureInTurn(setting, things);
  },
};

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

function rate(setting: BenchSetting, label: FigureLabel, count: number, work: (system: ActorSystem, count: number) => Promise<void>): Measured {
  const round = async () => {
    const system = newSystem(setting);
    globalThis.gc?.();
    const startMs = setting.clock.monotonic();
    await work(system, count);
    const value = (count / (setting.clock.monotonic() - startMs)) * 1_000;
    await system.stop();
    return { value };
  };
  return { label, round };
}

/** Needs `--expose-gc`, which `npm run bench` gives; without it there is no such figure. */
function heapOfIdleActors(setting: BenchSetting): Measured[] {
  const { gc } = globalThis;
  if (gc === undefined) return [];
  const round = async () => {
    const system = newSystem(setting);
    gc();
    const before = process.memoryUsage().heapUsed;
    spawnIdle(system, IDLE_ACTORS);
    gc();
    const value = (process.memoryUsage().heapUsed - before) / IDLE_ACTORS;
    await system.stop();
    return { value };
  };
  return [{ label: { name: "idle actor", unit: "bytes", about: "heap of an actor that waits, with its name and without state of its own" }, round }];
}

function newSystem({ clock, random }: BenchSetting): ActorSystem {
  return new ActorSystem({ name: "bench", clock, random, events: new EventHub() });
}
