/**
 * Nodes that exchange tasks, in one thread on a virtual clock: real exchanges over a network in memory, with pools that execute by waiting. The test
 * says who is there; the world notices what must never happen.
 */
import assert from "node:assert/strict";
import { TaskAnswer, TaskCall } from "../../proto/gen/maestro/cluster/v1/task_call.ts";
import type { Bus } from "../../runtime/bus/bus.ts";
import { MemoryNetwork } from "../../runtime/bus/memory-network.ts";
import { type VirtualClock, virtualClock } from "../../runtime/clock.ts";
import type { ClusterNode } from "../../runtime/cluster/cluster-view.ts";
import { MaestroError } from "../../runtime/errors.ts";
import { EventHub, type RuntimeEvents } from "../../runtime/events.ts";
import { Exchange } from "../../runtime/exchange/exchange.ts";
import { type BootId, newBootId } from "../../runtime/ids.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { type Random, seededRandom } from "../../runtime/random.ts";
import { type Attempt, type AttemptOutcome, type HandlerInfo, type HandlerOptions, tierOf, type WorkerPool } from "../../runtime/workers/pool.ts";
import { nextTurn } from "./next-turn.ts";
import { attemptOf } from "./worker-attempts.ts";

const STEP_MS = 5;

/** A pool that executes an attempt by waiting, for as long as its input says in milliseconds, and answers with its own name. */
class WaitingPool implements WorkerPool {
  readonly handlers: ReadonlyMap<string, HandlerInfo>;
  /** What is executed, by the pool's own names. */
  readonly running = new Map<string, { readonly attempt: Attempt; readonly settle: (outcome: AttemptOutcome) => void }>();
  /** Most that were executed at a time. */
  peak = 0;
  readonly executed: Attempt[] = [];
  /** Whether attempts end by themselves. */
  isFrozen = false;
  /** How long a cancelled attempt goes on, in milliseconds. */
  stopsAfterMs = 1;
  readonly #clock: VirtualClock;
  readonly #name: string;
  #isStopped = false;

  constructor(clock: VirtualClock, name: string, handlers: Readonly<Record<string, Partial<HandlerOptions>>>) {
    this.#clock = clock;
    this.#name = name;
    this.handlers = new Map(
      Object.entries(handlers).map(([handler, more]) => [handler, { name: handler, file: "", options: { tier: "thread", ...more } }]),
    );
  }

  get state() {
    return { threads: 1, active: this.running.size, queued: 0 };
  }

  waitingSinceMs(): undefined {
    return undefined;
  }

  submit(attempt: Attempt, settle: (outcome: AttemptOutcome) => void): void {
    if (this.#isStopped) throw new MaestroError("NODE_STOPPING");
    assert.ok(!this.running.has(attempt.id), `${attempt.id} is executed once at a time on ${this.#name}`);
    if (!this.handlers.has(attempt.handler)) {
      setImmediate(() => settle({ kind: "failed", error: { kind: "unknown", message: "no such handler" } }));
      return;
    }
    this.executed.push(attempt);
    this.running.set(attempt.id, { attempt, settle });
    this.peak = Math.max(this.peak, this.running.size);
    const { durationMs } = JSON.parse(attempt.input) as { durationMs: number };
    this.#clock.schedule(durationMs, () => this.end(attempt.id, { kind: "completed", output: JSON.stringify(this.#name) }));
  }

  cancel(attemptId: string): void {
    this.#clock.schedule(this.stopsAfterMs, () => this.end(attemptId, { kind: "cancelled" }));
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    for (const id of [...this.running.keys()]) this.end(id, { kind: "cancelled" });
  }

  /** Ends an attempt, if it is executed. */
  end(id: string, outcome: AttemptOutcome): void {
    const found = this.running.get(id);
    if (found === undefined || this.isFrozen) return;
    this.running.delete(id);
    found.settle(outcome);
  }
}

/** The loans that an executor may count on, by what it asked and was answered: each from when it asked, so that it ends here before it ends with the lender. */
class LeasesOfExecutor {
  /** The executor's bus, listened to. */
  readonly bus: Bus;
  readonly #clock: VirtualClock;
  readonly #untilMs = new Map<string, number>();

  constructor(bus: Bus, clock: VirtualClock) {
    this.#clock = clock;
    const request: Bus["request"] = async (subject, payload, options) => {
      const { call } = TaskCall.decode(payload);
      const untilMs = clock.monotonic() + LIMITS.taskLoanMs;
      if (call?.$case === "giveBack") for (const { id } of call.value.loans) this.#untilMs.delete(id);
      const reply = await bus.request(subject, payload, options);
      this.#note(call, TaskAnswer.decode(reply.payload).answer, untilMs);
      return reply;
    };
    this.bus = new Proxy(bus, {
      get(target, name) {
        if (name === "request") return request;
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
  }

  /** True while a loan lasts. */
  has(id: string): boolean {
    return (this.#untilMs.get(id) ?? 0) > this.#clock.monotonic();
  }

  #note(call: TaskCall["call"], answer: TaskAnswer["answer"], untilMs: number): void {
    if (answer?.$case === "taken") for (const { id } of answer.value.attempts) this.#untilMs.set(id, untilMs);
    if (answer?.$case !== "renewed" || call?.$case !== "renew") return;
    for (const { id } of call.value.held) this.#untilMs.set(id, untilMs);
    for (const { id } of answer.value.unwanted) this.#untilMs.delete(id);
  }
}

/** What a node of the world is. */
export interface ExchangeNodeOptions {
  /** Of each tier. Default 4; 0: it is no executor. */
  readonly slots?: number;
  readonly serves?: readonly string[];
  readonly handlers?: Readonly<Record<string, Partial<HandlerOptions>>>;
}

/** A node of the world. */
export interface ExchangeNode {
  readonly name: string;
  readonly bootId: BootId;
  readonly slots: number;
  readonly bus: Bus;
  readonly events: EventHub;
  readonly leases: LeasesOfExecutor;
  readonly pool: WaitingPool;
  readonly exchange: Exchange;
  readonly outcomes: Map<string, AttemptOutcome>;
  readonly lentEvents: RuntimeEvents["tasks.takenBack"][];
  readonly unserved: string[];
  readonly view: { state: ClusterNode["state"] };
}

/** See the file header. */
export class ExchangeWorld {
  readonly clock = virtualClock();
  readonly random: Random;
  readonly network: MemoryNetwork;
  readonly nodes: ExchangeNode[] = [];
  /** Things that happened and must never. */
  readonly conflicts: string[] = [];
  readonly #guests: BootId[] = [];
  #version = 0;

  constructor(seed = 1) {
    this.random = seededRandom(seed);
    this.network = new MemoryNetwork({ clock: this.clock, random: this.random });
  }

  /** Starts a node, and lets all know. */
  async start(name: string, { slots = 4, serves = [], handlers = { work: {} } }: ExchangeNodeOptions = {}): Promise<ExchangeNode> {
    const { clock, network } = this;
    const bootId = newBootId(this.random);
    const events = new EventHub();
    const leases = new LeasesOfExecutor(network.join(name, events), clock);
    const { bus } = leases;
    const pool = new WaitingPool(clock, name, handlers);
    const knows = (handler: string): boolean => pool.handlers.has(handler);
    const random = seededRandom(this.random.uint32());
    const exchange = new Exchange({ bus, clock, random, events, clusterName: "test", self: bootId, local: pool, slots, serves, knows });
    const node: ExchangeNode = {
      ...{ name, bootId, slots, bus, events, leases, pool, exchange },
      ...{ outcomes: new Map(), lentEvents: [], unserved: [], view: { state: "live" } },
    };
    events.on("tasks.takenBack", (event) => node.lentEvents.push(event));
    events.on("tasks.callFailed", ({ reason }) => this.conflicts.push(`a call of ${name} failed: ${reason}`));
    events.on("bus.handlerFailed", ({ error }) => this.conflicts.push(`a handler of ${name} failed: ${String(error)}`));
    events.on("queue.unserved", ({ queue }) => node.unserved.push(queue));
    exchange.start();
    this.nodes.push(node);
    this.show();
    await this.pass(STEP_MS);
    return node;
  }

  /** Has a member that is no node of the world: the test speaks for it. Answers its boot id. */
  admit(): BootId {
    const bootId = newBootId(this.random);
    this.#guests.push(bootId);
    this.show();
    return bootId;
  }

  /** Submits an attempt on a node; answers its id. */
  submit(node: ExchangeNode, durationMs: number, more: Partial<Attempt> = {}): string {
    const attempt = attemptOf("work", { durationMs }, more);
    node.exchange.pool.submit(attempt, (outcome) => {
      if (node.outcomes.has(attempt.id)) this.conflicts.push(`${attempt.id} settled twice`);
      node.outcomes.set(attempt.id, outcome);
    });
    return attempt.id;
  }

  /** Every node that lives sees the cluster as it is. */
  show(): void {
    this.#version += 1;
    const nodes = this.nodes.map(({ name, bootId, slots, view }) => ({
      ...{ bootId, nodeName: name, state: view.state },
      roles: slots > 0 ? ["engine", "executor"] : ["engine"],
    }));
    const guests = this.#guests.map((bootId) => ({ bootId, nodeName: bootId, state: "live" as const, roles: ["executor"] }));
    const view = { version: this.#version, nodes: [...nodes, ...guests], ownerOf: () => undefined };
    for (const node of this.nodes) if (node.view.state !== "lost") node.exchange.show(view);
  }

  /** Ends a node without a word: nothing of it reaches anyone any more. */
  kill(node: ExchangeNode): void {
    node.view.state = "lost";
    node.pool.isFrozen = true;
    node.exchange.stop();
    this.network.cutOff(node.name);
  }

  /** Lets time go by. */
  async pass(durationMs: number, stepMs = STEP_MS): Promise<void> {
    for (let passedMs = 0; passedMs < durationMs; passedMs += stepMs) {
      this.clock.advance(stepMs);
      await nextTurn();
      await nextTurn();
      this.#check();
    }
  }

  /** Lets time go by until something is so. */
  async passUntil(what: string, condition: () => boolean, timeoutMs = 60_000): Promise<void> {
    const startMs = this.clock.monotonic();
    while (!condition()) {
      if (this.clock.monotonic() - startMs >= timeoutMs) assert.fail(`after ${timeoutMs} ms of virtual time: not ${what}`);
      await this.pass(STEP_MS);
    }
  }

  /** Ends all that is left. */
  async end(): Promise<void> {
    for (const { exchange, bus, view } of this.nodes) {
      exchange.stop();
      if (view.state !== "lost") await exchange.pool.stop(0);
      await bus.close();
    }
    assert.deepEqual(this.conflicts, []);
  }

  /** Nobody executes more than it has slots, and no two the same attempt while each may believe that it has it alone. */
  #check(): void {
    const holders = new Map<string, string>();
    for (const { name, slots, pool, leases, view } of this.nodes) {
      for (const [tier, attempts] of Map.groupBy(pool.running.values(), ({ attempt }) => tierOf(attempt, pool.handlers))) {
        if (attempts.length > slots) this.conflicts.push(`${name} executes ${attempts.length} attempts of the tier ${tier} with ${slots} slots`);
      }
      if (view.state === "lost") continue;
      for (const poolId of pool.running.keys()) {
        const [id = "", grant] = poolId.split("@");
        if (grant === undefined || !leases.has(id)) continue;
        const other = holders.get(id);
        if (other !== undefined) this.conflicts.push(`${id} is executed by ${other} and ${name}`);
        holders.set(id, name);
      }
    }
  }
}

/** How long a loan lasts, for tests that wait for its end. */
export const LOAN_MS = LIMITS.taskLoanMs;
