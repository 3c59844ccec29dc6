/**
 * A machine of a simulated world: a node's name, and the process that runs under it now. When the process ends, another one is started after a while; so does
 * whoever runs nodes in earnest.
 */
import type { Workflow } from "../../actors/language/model.ts";
import { MaestroError, messageOf } from "../../runtime/errors.ts";
import { newBootId } from "../../runtime/ids.ts";
import type { Random } from "../../runtime/random.ts";
import { seededRandom } from "../../runtime/random.ts";
import type { NodeRole } from "../../runtime/storage/ownership.ts";
import type { ExecutionLog } from "./execution-log.ts";
import { between, type Faults } from "./faults.ts";
import { SimulatedProcess, WALL_OFF_MS } from "./process.ts";
import { SimulatedNode } from "./simulated-node.ts";
import { SimulatedPool } from "./simulated-pool.ts";
import type { Surroundings } from "./surroundings.ts";
import type { Trace } from "./trace.ts";
import type { WorldTime } from "./world-time.ts";

/** How long it takes until a process that ended has a successor, in milliseconds. */
const DOWN_MS = [100, 5_000] as const;
/** How far from the right speed a monotonic clock runs at most. */
const DRIFT = 0.05;
/** Steps of a rolling restart take as long as this at least, in milliseconds. */
const ROLLING_POLL_MS = 200;

/** What a machine needs. */
export interface MachineOptions {
  readonly name: string;
  readonly roles: readonly NodeRole[];
  readonly time: WorldTime;
  readonly faults: Faults;
  readonly random: Random;
  readonly trace: Trace;
  readonly surroundings: Surroundings;
  readonly log: ExecutionLog;
  workflow(id: string): Promise<Workflow>;
  /** The auditor of a boot found runs that nothing would have woken. */
  onWithoutWakeup(boot: string, runIds: readonly string[]): void;
  /** Something broke inside of a boot that should not, whatever happens outside. */
  onBroken(sentence: string): void;
  /** True if the machine before it in a rolling restart serves again, so that it is its turn. */
  isTurn(): boolean;
}

/** The machine. */
export class Machine {
  readonly #options: MachineOptions;
  #boots = 0;
  #node: SimulatedNode;
  /** It was taken away for good. */
  isOut = false;
  /** Every boot that there was. */
  readonly nodes: SimulatedNode[] = [];

  constructor(options: MachineOptions) {
    this.#options = options;
    this.#node = this.#boot();
  }

  /** The newest boot. */
  get node(): SimulatedNode {
    return this.#node;
  }

  /** True if clients may come to it. */
  get isGateway(): boolean {
    return this.#options.roles.includes("gateway");
  }

  /** True if its node has started, and serves clients if it is a gateway. */
  get isServing(): boolean {
    return this.#node.isServing && this.#node.process.isRunning;
  }

  /** Starts a new boot, whatever becomes of the one before. */
  boot(): void {
    if (!this.isOut) this.#node = this.#boot();
  }

  /** Stops the node in order once it is its turn; its successor comes by itself. */
  restartInTurn(): void {
    const { time, isTurn } = this.#options;
    time.schedule(ROLLING_POLL_MS, () => {
      if (!isTurn()) return this.restartInTurn();
      const { process } = this.#node;
      process.enter(() => void this.#node.stop());
    });
  }

  /** Takes the machine away for good. */
  takeOut(): void {
    this.isOut = true;
    for (const { process } of this.nodes) process.crash();
  }

  #boot(): SimulatedNode {
    const { name: nodeName, roles, time, faults, trace, surroundings, workflow, log } = this.#options;
    const name = `${nodeName}/${++this.#boots}`;
    const random = seededRandom(this.#options.random.uint32());
    const rate = 1 + faults.level("drift") * between(random, -DRIFT, DRIFT);
    const process = new SimulatedProcess(name, time, random, rate);
    if (faults.level("wallJump") > 0) process.setWallClock(between(random, -WALL_OFF_MS, WALL_OFF_MS));
    const bootId = newBootId(random);
    const simulated = new SimulatedPool({ self: bootId, process, faults, random, time, log });
    const pool = surroundings.plant.pool?.(simulated) ?? simulated;
    const onTrouble = (what: string, error: unknown): void => trace.note(name, `trouble: ${what}: ${messageOf(error)}`);
    const node = new SimulatedNode({ nodeName, roles, bootId, process, random, surroundings, pool, workflow, onTrouble });
    this.#listen(node);
    this.nodes.push(node);
    trace.note("world", `boot ${name} ${bootId}`);
    process.onDeath(() => this.#ended(node));
    void node.start();
    return node;
  }

  #listen({ events, process: { name } }: SimulatedNode): void {
    const { onWithoutWakeup, onBroken } = this.#options;
    const note = (where: string, error: unknown): void => {
      if (!(error instanceof MaestroError)) onBroken(`${name}: ${where} met ${messageOf(error)}`);
    };
    events.on("run.withoutWakeup", ({ runIds }) => {
      if (runIds.length > 0) onWithoutWakeup(name, runIds);
    });
    events.on("actor.failed", ({ path, error }) => note(path, error));
    events.on("bus.handlerFailed", ({ subject, error }) => note(subject, error));
    events.on("events.skipped", ({ runId, error }) => onBroken(`${name}: the events of run ${runId} can't be told: ${messageOf(error)}`));
  }

  #ended(node: SimulatedNode): void {
    const { time, random, trace } = this.#options;
    trace.note("world", `end of ${node.process.name}`);
    time.schedule(between(random, ...DOWN_MS), () => {
      if (node === this.#node) this.boot();
    });
  }
}
