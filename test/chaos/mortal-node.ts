/**
 * A node in memory that can die: from one moment on nothing of it reaches the store, its tasks or its clients any more, as if its process were gone.
 */
import { statusToWire } from "../../actors/run/core/entry.ts";
import type { Runs } from "../../actors/runs.ts";
import type { Clock } from "../../runtime/clock.ts";
import { MaestroError } from "../../runtime/errors.ts";
import type { RunId } from "../../runtime/ids.ts";
import { type Fault, MemoryFaults } from "../../runtime/storage/memory-faults.ts";
import type { Attempt, AttemptOutcome, HandlerInfo } from "../../runtime/workers/pool.ts";
import { type RunsNode, type Store, startOf, startRunsNode, Tasks } from "../support/runs-node.ts";
import { waitUntil } from "../support/wait-until.ts";
import type { Trace } from "./evidence.ts";
import type { Order } from "./order.ts";

const STUBBORN_ATTEMPTS = 2;
const STUBBORN: HandlerInfo = { name: "ship", file: "", options: { tier: "thread", retry: { attempts: 3, delayMs: 2, jitter: 0 } } };

/** Handlers of the reference run, whose attempts end with their boot. */
class MortalTasks extends Tasks {
  readonly traces: Trace[] = [];
  readonly #boot: number;
  readonly #isDead: () => boolean;

  constructor(boot: number, isDead: () => boolean) {
    super({
      charge: (input) => (input as { readonly value: number }).value,
      http: () => "page",
      shell: () => "said",
      ship: (input, attempt) => {
        if (attempt.attempt < STUBBORN_ATTEMPTS) throw new Error("not yet");
        return (input as { readonly value: number }).value + 1;
      },
    });
    this.#boot = boot;
    this.#isDead = isDead;
    (this.handlers as Map<string, HandlerInfo>).set(STUBBORN.name, STUBBORN);
  }

  override submit(attempt: Attempt, settle: (outcome: AttemptOutcome) => void): void {
    if (this.#isDead()) return;
    const { idempotencyKey: key, isolation = "tier" } = attempt;
    this.traces.push({ pid: this.#boot, isInNode: isolation === "tier", key, attempt: attempt.attempt });
    super.submit(attempt, (outcome) => {
      if (!this.#isDead()) settle(outcome);
    });
  }
}

/** Where a boot dies: at its write with this number, counted from 1. */
export interface Death {
  readonly write: number;
  readonly moment: "before" | "after";
}

/** One boot. */
export class MortalNode {
  readonly boot: number;
  readonly tasks: MortalTasks;
  readonly #clock: Clock;
  readonly #faults: MemoryFaults;
  readonly #death: Death | undefined;
  #node: RunsNode | undefined;
  #writes = 0;
  /** When it died; Infinity as long as it lives. */
  cutAtMs = Number.POSITIVE_INFINITY;

  private constructor(store: Store, boot: number, death: Death | undefined) {
    this.boot = boot;
    this.#clock = store.clock;
    this.#death = death;
    this.tasks = new MortalTasks(boot, () => this.isDead);
    this.#faults = new MemoryFaults(() => this.#fate());
  }

  /** Starts a boot, which fences the one before, dead or alive. Without a death it lives. */
  static async start(store: Store, boot: number, death: Death | undefined): Promise<MortalNode> {
    const mortal = new MortalNode(store, boot, death);
    mortal.#node = await startRunsNode(store, mortal.tasks, 60_000, mortal.#faults);
    return mortal;
  }

  get isDead(): boolean {
    return this.cutAtMs !== Number.POSITIVE_INFINITY;
  }

  /** Does for the order what a client does, until the run has ended or the boot is dead. */
  async serve(workflowId: string, order: Order): Promise<void> {
    const gone = new AbortController();
    const served = this.#serve(workflowId, order, gone.signal);
    const failed = served.then(
      () => undefined,
      (error: unknown) => {
        if (!this.isDead) throw error;
      },
    );
    await Promise.race([failed, waitUntil("the death of the boot, or the end of the run", () => this.isDead || order.told !== undefined, 20_000)]);
    gone.abort();
  }

  /** Ends what is left of it: a dead one finds the store again, like a process that stood still, and is fenced. */
  async close(): Promise<void> {
    this.#faults.isDown = false;
    await this.#node?.stop();
  }

  /** Decides about one batch. */
  #fate(): Fault {
    this.#writes += 1;
    if (this.#writes !== this.#death?.write) return { kind: "none" };
    // After this turn of the batch: one whose answer alone is lost is stored.
    queueMicrotask(() => {
      this.#faults.isDown = true;
      this.cutAtMs = this.#clock.now();
    });
    return { kind: this.#death.moment === "before" ? "lost" : "answerLost" };
  }

  async #serve(workflowId: string, order: Order, signal: AbortSignal): Promise<void> {
    const runs = this.#node?.runs;
    if (runs === undefined) return;
    const request = startOf(workflowId, { n: order.n }, { labels: { order: order.id }, idempotencyKey: order.id });
    const { runId } = await runs.start(request);
    order.acknowledged.add(runId);
    // Nothing but recovery may wake the run for a client who has nothing more to say.
    if (!order.isDriven) await this.#signal(runs, runId, order);
    order.isDriven = true;
    const { status, output = "", error } = await runs.outcome(runId, signal);
    const detail = { type: "", status: 0, title: "", detail: error?.detail ?? "", instance: "", data: "" };
    order.told = { status: statusToWire(status), output, error: error && detail };
  }
  async #signal(runs: Runs, runId: RunId, order: Order): Promise<void> {
    try {
      await runs.signal(runId, { name: "go", payload: String(order.n), signalId: order.id });
    } catch (error) {
      if (!(error instanceof MaestroError) || error.code !== "RUN_ENDED") throw error;
    }
  }
}
