/**
 * A simulated world: machines that run nodes, what is around them, clients, and everything that goes wrong, in one thread on one clock out of one
 * seed. The same seed gives the same world, to the last message.
 */
import type { Workflow } from "../../actors/language/model.ts";
import type { Runs, RunView } from "../../actors/runs.ts";
import { MaestroError, messageOf } from "../../runtime/errors.ts";
import { type BootId, type RunId, shardOf } from "../../runtime/ids.ts";
import { ENDED, WAKE } from "../../runtime/storage/journal.ts";
import type { MemoryRun } from "../../runtime/storage/memory-store.ts";
import type { Findable } from "./checkers/checker.ts";
import { areEventsComplete } from "./checkers/events.ts";
import { judge, type Violation } from "./checkers/index.ts";
import { Client } from "./client.ts";
import { Disturber } from "./disturber.ts";
import { ExecutionLog } from "./execution-log.ts";
import { between, type FaultKind, type FaultLevels, Faults, faultLevels, happens, pick, randomFor } from "./faults.ts";
import { readStored } from "./findable.ts";
import { Gateway } from "./gateway.ts";
import { interpret } from "./interpreter.ts";
import { Machine } from "./machine.ts";
import { isLeftAlone, type Order } from "./order.ts";
import type { Plant } from "./plant.ts";
import { WALL_SKEW_MS } from "./process.ts";
import { DESKS, signalsOf } from "./program.ts";
import { rolesOf } from "./roles.ts";
import type { SimulatedNode } from "./simulated-node.ts";
import { Surroundings } from "./surroundings.ts";
import { Trace } from "./trace.ts";
import { type Deployed, deployedOf, programId } from "./workflows.ts";
import { WorldTime } from "./world-time.ts";

/** `safety`: faults to the end, and nothing forbidden may have happened. `liveness`: faults end, and then everything has to end well. */
export type Mode = "safety" | "liveness";

/** Which world. */
export interface WorldPlan {
  readonly seed: number;
  readonly mode: Mode;
  /** Faults that are left out. Default: none. */
  readonly without?: readonly FaultKind[];
  /** How many runs clients want at most. Default: as the seed says. */
  readonly orders?: number;
  /** A defect that the product is given. Default: none. */
  readonly plant?: Plant;
  /** The lines of the trace can be read afterwards. Default false. */
  readonly isTraced?: boolean;
}

/** What became of a world. */
export interface WorldResult {
  readonly plan: WorldPlan;
  readonly violations: readonly Violation[];
  readonly trace: Trace;
  readonly levels: FaultLevels;
  readonly faults: Faults;
  readonly orders: number;
  readonly runs: number;
  readonly boots: number;
  readonly virtualMs: number;
  readonly events: number;
}

/** Usually three: what goes wrong between two goes wrong there as well, and costs half as much as with five. */
const NODES = [3, 3, 3, 4, 5] as const;
const ORDERS = [22, 28] as const;
/** When the first clients come, and the last, in milliseconds. */
const LOAD_MS = [500, 30_000] as const;
/** How long things go wrong, and how long everything may take to end well after that. */
const FAULTS_MS = 40_000;
const SAFETY_MS = 60_000;
const LIVENESS_MS = 400_000;
/** How often it is looked whether all is over. */
const LOOK_MS = 500;
/** How long the answers of the inspector may take, and the last events and slots, and how often it is looked for these. */
const INSPECTION_MS = 10_000;
const LAST_MS = 60_000;
const LAST_LOOK_MS = 2_000;
const POISON_SHARE = 0.1;
/** Chance that at the end of the faults one machine is gone for good. */
const GONE_SHARE = 0.3;

/** The world. */
export class World {
  readonly plan: WorldPlan;
  readonly time = new WorldTime();
  readonly levels: FaultLevels;
  readonly faults: Faults;
  readonly trace: Trace;
  readonly surroundings: Surroundings;
  readonly gateway: Gateway;
  readonly machines: Machine[] = [];
  readonly orders: Order[] = [];
  readonly #workflows = new Map<string, Workflow>();
  readonly #log: ExecutionLog;
  readonly #withoutWakeup: string[] = [];
  readonly #broken: string[] = [];
  readonly #views = new Map<RunId, RunView>();

  constructor(plan: WorldPlan) {
    const { seed, without, plant, isTraced = false } = plan;
    this.plan = plan;
    this.levels = faultLevels(seed, without);
    this.faults = new Faults(this.levels, randomFor(seed, "faults"));
    this.trace = new Trace(this.time, isTraced);
    this.surroundings = new Surroundings({ time: this.time, faults: this.faults, random: randomFor(seed, "ways"), trace: this.trace, plant });
    const { time, trace, surroundings } = this;
    const nodes = (): readonly SimulatedNode[] => this.machines.filter(({ isOut, isGateway }) => isGateway && !isOut).map(({ node }) => node);
    this.#log = new ExecutionLog({
      nowMs: () => time.monotonic(),
      ownerOf: (runId) => surroundings.database.memory.shards.get(shardOf(runId))?.owner,
      isGone: (bootId) => surroundings.database.memory.nodes.get(bootId)?.isFenced !== false,
      hasHeard: (listener, of) => this.#nodeOf(listener)?.hasHeardOfEnd(of) === true,
    });
    this.gateway = new Gateway({ time, trace, random: randomFor(seed, "gateway"), nodes, plant: surroundings.plant });
  }

  /** Lets the world be, and judges it. */
  async run(): Promise<WorldResult> {
    const onRejection = (error: unknown): void => void this.#broken.push(`a promise was rejected with nobody to hear of it: ${messageOf(error)}`);
    process.on("unhandledRejection", onRejection);
    try {
      await this.#placeOrders();
      this.#startMachines();
      const disturber = new Disturber({ ...this.#parts(), random: randomFor(this.plan.seed, "disturber"), machines: this.machines });
      disturber.start();
      this.#startClients();
      if (this.plan.mode === "safety") await this.time.run(SAFETY_MS);
      else {
        await this.time.run(FAULTS_MS);
        disturber.end();
        await this.#endWell();
      }
      return await this.#judge();
    } finally {
      process.off("unhandledRejection", onRejection);
    }
  }

  #nodeOf(bootId: BootId): SimulatedNode | undefined {
    return this.machines.flatMap(({ nodes }) => nodes).find(({ self }) => self === bootId);
  }

  #parts() {
    const { time, faults, trace, surroundings } = this;
    return { time, faults, trace, surroundings };
  }

  async #placeOrders(): Promise<void> {
    const random = randomFor(this.plan.seed, "orders");
    const count = Math.min(Math.round(between(random, ...ORDERS)), this.plan.orders ?? Number.POSITIVE_INFINITY);
    for (let place = 0; place < count; place += 1) {
      const isPoisonous = happens(random, POISON_SHARE * this.levels.poison);
      const deployed = await deployedOf(programId(random.uint32(), isPoisonous));
      this.#workflows.set(deployed.id, deployed.workflow);
      this.orders.push(newOrder(`order-${place + 1}`, deployed, random));
    }
  }

  #startMachines(): void {
    const random = randomFor(this.plan.seed, "machines");
    const roles = rolesOf(randomFor(this.plan.seed, "roles"), pick(random, NODES));
    for (const [place, ownRoles] of roles.entries()) {
      const machine = new Machine({
        ...this.#parts(),
        ...{ name: `n${place + 1}`, roles: ownRoles, random: randomFor(this.plan.seed, `machine ${place + 1}`) },
        workflow: async (id) => (await deployedOf(id)).workflow,
        log: this.#log,
        onBroken: (sentence) => this.#broken.push(sentence),
        onWithoutWakeup: (boot, runIds) => this.#withoutWakeup.push(...runIds.map((runId) => `run ${runId}, as ${boot} found`)),
        isTurn: () => this.machines.every((one) => one.isServing),
      });
      this.machines.push(machine);
    }
  }

  #startClients(): void {
    const { time, gateway } = this;
    for (const order of this.orders) void new Client({ order, gateway, time, random: randomFor(this.plan.seed, order.id) }).run();
  }

  /** Heals everything, and waits until nothing is to be done any more, or for long enough. */
  async #endWell(): Promise<void> {
    const random = randomFor(this.plan.seed, "healing");
    this.trace.note("world", "heals");
    const { time, surroundings } = this;
    this.faults.end();
    surroundings.heal();
    if (happens(random, GONE_SHARE)) this.machines[0]?.takeOut();
    const endMs = time.monotonic() + LIVENESS_MS;
    let nextLookMs = SAFETY_MS;
    await time.run(endMs, () => {
      if (time.monotonic() < nextLookMs) return false;
      nextLookMs = time.monotonic() + LOOK_MS;
      return this.#isAtRest();
    });
    await this.#lookAtRuns();
    const areComplete = async (): Promise<boolean> => surroundings.database.memory.slots.size === 0 && (await this.#areEventsComplete());
    for (let waitedMs = 0; waitedMs < LAST_MS && !(await areComplete()); waitedMs += LAST_LOOK_MS) await time.run(time.monotonic() + LAST_LOOK_MS);
  }

  /** Asks any nodes how all runs are, as they are at rest. */
  async #lookAtRuns(): Promise<void> {
    const { time, gateway, surroundings } = this;
    let left = surroundings.database.memory.runs.size;
    const look = async (runId: RunId): Promise<void> => {
      const ask = { client: "inspector", what: `get ${runId}`, timeoutMs: INSPECTION_MS, ask: (runs: Runs) => runs.get(runId) };
      try {
        this.#views.set(runId, await gateway.call(ask));
      } catch (error) {
        // The last nodes may be on their way up or down.
        if (error instanceof MaestroError && error.retryable) return time.pause(LOOK_MS).then(() => look(runId));
        this.#broken.push(`run ${runId} can't be shown: ${messageOf(error)}`);
      }
      left -= 1;
    };
    for (const runId of surroundings.database.memory.runs.keys()) void look(runId);
    await time.run(time.monotonic() + 5 * INSPECTION_MS, () => left === 0);
    if (left > 0) this.#broken.push(`${left} runs can't be shown although everything is well`);
  }

  async #areEventsComplete(): Promise<boolean> {
    const { database, stream } = this.surroundings;
    return areEventsComplete({ database, stored: await readStored(database, this.#workflows), events: stream.messages });
  }

  #isAtRest(): boolean {
    const { runs } = this.surroundings.database.memory;
    const leftAlone = new Set(this.orders.filter(isLeftAlone).map(({ id }) => id));
    const isDone = (run: MemoryRun): boolean =>
      ENDED.has(run.status) || run.status === "quarantined" || (leftAlone.has(run.labels.order ?? "") && this.#isStill(run));
    return this.orders.every(({ isSettled }) => isSettled) && [...runs.values()].every(isDone);
  }

  /** True if a run goes on for nobody but its client. */
  #isStill({ runId, wake }: MemoryRun): boolean {
    const { memory } = this.surroundings.database;
    const soonMs = this.time.now() + LIVENESS_MS;
    return (wake & WAKE.ready) === 0 && ![...memory.timers.values()].some((timer) => timer.runId === runId && timer.dueAtMs < soonMs);
  }

  async #judge(): Promise<WorldResult> {
    const { plan, time, trace, levels, faults, orders, machines } = this;
    const { database, stream, plant } = this.surroundings;
    const stored = await readStored(database, this.#workflows);
    const executions = this.#log.all.filter((execution) => plant.isTold?.(execution) !== false);
    const findable: Findable = {
      ...{ isFinal: plan.mode === "liveness", orders, database, committed: database.committed, stored, executions },
      ...{ events: stream.messages, skewMs: levels.wallJump > 0 ? WALL_SKEW_MS : 0, withoutWakeup: this.#withoutWakeup, broken: this.#broken },
      ...{ views: this.#views, crowds: this.#log.crowds },
    };
    const boots = machines.reduce((sum, { nodes }) => sum + nodes.length, 0);
    for (const machine of machines) machine.takeOut();
    const counts = { orders: orders.length, runs: stored.runs.length, boots, virtualMs: time.monotonic(), events: time.count };
    return { plan, violations: judge(findable), trace, levels, faults, ...counts };
  }
}

function newOrder(id: string, { id: workflowId, program }: Deployed, random: ReturnType<typeof randomFor>): Order {
  const n = random.uint32() % 1_000;
  const signals = Array.from({ length: signalsOf(program) }, () => random.uint32() % 1_000);
  const isDriven = signals.length > 0 || program.ending === "wait";
  return {
    ...{ id, workflowId, program, n, signals, desk: pick(random, DESKS) },
    expected: interpret(program, n, signals),
    key: happens(random, 0.7) ? id : undefined,
    isExecuted: !isDriven && happens(random, 0.4),
    isWatched: happens(random, 0.2),
    beginsAtMs: between(random, ...LOAD_MS),
    ...{
      acknowledged: new Set(),
      signalled: 0,
      refusals: [],
      isCancelled: false,
      isOpen: false,
      told: undefined,
      watched: [],
      trouble: undefined,
      isSettled: false,
    },
  };
}
