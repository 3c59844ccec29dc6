/**
 * A client of a simulated world: wants one run, asks any node for it, and goes on through all failures as a careful client does. It owns its order, and judges
 * nothing.
 */
import { MaestroError, messageOf } from "../../runtime/errors.ts";
import type { RunId } from "../../runtime/ids.ts";
import type { Random } from "../../runtime/random.ts";
import { startOf } from "../support/runs-node.ts";
import { between, happens } from "./faults.ts";
import type { ClientCall, Gateway } from "./gateway.ts";
import type { Order } from "./order.ts";
import type { WorldTime } from "./world-time.ts";

/** Errors that say: not now, or: nobody knows. The rest is an answer. */
const PASSING: ReadonlySet<string> = new Set(["REQUEST_CANCELLED", "JOURNAL_REJECTED"]);
const PATIENCE_MS = 15_000;
const RETRY_MS = [20, 700] as const;
/** Pause between two things that a client does. */
const THOUGHT_MS = [0, 1_500] as const;
/** Chance that a start with a key is repeated although it was acknowledged, and that a run is looked at right after its start. */
const REPEAT_SHARE = 0.3;
const LOOK_SHARE = 0.3;

/** What a client needs. */
export interface ClientOptions {
  readonly order: Order;
  readonly gateway: Gateway;
  readonly time: WorldTime;
  readonly random: Random;
}

/** The client. */
export class Client {
  readonly #options: ClientOptions;

  constructor(options: ClientOptions) {
    this.#options = options;
  }

  /** Goes on until the order is settled. */
  async run(): Promise<void> {
    const { order, time, random } = this.#options;
    await time.pause(order.beginsAtMs);
    while (!order.isSettled) {
      try {
        await this.#pursue();
        order.isSettled = true;
      } catch (error) {
        this.#note(error);
        if (!order.isSettled) await time.pause(between(random, ...RETRY_MS));
      }
    }
  }

  #note(error: unknown): void {
    const { order } = this.#options;
    const isPassing = error instanceof MaestroError && (error.retryable || PASSING.has(error.code));
    if (!isPassing) order.trouble = messageOf(error);
    const isGivenUp = order.acknowledged.size === 0 && order.key === undefined;
    order.isOpen = isPassing && isGivenUp;
    order.isSettled = !isPassing || isGivenUp;
  }

  async #pursue(): Promise<void> {
    const { order, random } = this.#options;
    if (order.acknowledged.size === 0 && order.isExecuted) return this.#execute();
    if (order.acknowledged.size === 0 || (order.key !== undefined && happens(random, REPEAT_SHARE))) await this.#start();
    const [runId] = order.acknowledged;
    if (runId === undefined) return;
    if (happens(random, LOOK_SHARE)) await this.#call(`get ${runId}`, (runs) => runs.get(runId));
    await this.#drive(runId);
    await this.#end(runId);
  }

  async #start(): Promise<void> {
    const { order } = this.#options;
    const { runId } = await this.#call("start", (runs) => runs.start(this.#request()));
    order.acknowledged.add(runId);
  }

  async #execute(): Promise<void> {
    const { order } = this.#options;
    const outcome = await this.#call("execute", (runs, signal) => runs.execute(this.#request(), signal));
    order.acknowledged.add(outcome.runId);
    order.told = outcome;
  }

  async #drive(runId: RunId): Promise<void> {
    const { order } = this.#options;
    while (order.signalled < order.signals.length) {
      await this.#think();
      const [name, payload, signalId] = ["go", String(order.signals[order.signalled]), `${order.id}-${order.signalled}`];
      const signalling = this.#call(`signal ${signalId} to ${runId}`, (runs) => runs.signal(runId, { name, payload, signalId }));
      await this.#unlessEnded(signalling, runId, signalId);
      order.signalled += 1;
    }
    if (order.program.ending !== "wait" || order.isCancelled) return;
    await this.#think();
    await this.#unlessEnded(
      this.#call(`cancel ${runId}`, (runs) => runs.cancel(runId, "the client changed its mind")),
      runId,
    );
    order.isCancelled = true;
  }

  async #end(runId: RunId): Promise<void> {
    const { order } = this.#options;
    if (order.isWatched) await this.#watch(runId);
    order.told = await this.#call(`outcome of ${runId}`, (runs, signal) => runs.outcome(runId, signal));
  }

  async #watch(runId: RunId): Promise<void> {
    const { watched } = this.#options.order;
    await this.#call(`watch ${runId}`, async (runs, signal) => {
      for await (const { seq } of runs.watch(runId, (watched.at(-1) ?? 0) + 1, signal)) watched.push(seq);
      if (signal.aborted) throw new MaestroError("REQUEST_CANCELLED");
    });
  }

  /** A run that has ended did hear an earlier call, whose answer was lost, or was cancelled before. */
  async #unlessEnded(call: Promise<void>, runId: RunId, signalId?: string): Promise<void> {
    const { order, time } = this.#options;
    try {
      await call;
    } catch (error) {
      if (!(error instanceof MaestroError) || error.code !== "RUN_ENDED") throw error;
      order.refusals.push({ runId, signalId, atMs: time.now() });
    }
  }

  #request() {
    const { id, workflowId, n, desk, key } = this.#options.order;
    return startOf(workflowId, { n, desk }, { labels: { order: id }, ...(key !== undefined && { idempotencyKey: key }) });
  }

  #call<T>(what: string, ask: ClientCall<T>["ask"]): Promise<T> {
    const { order, gateway } = this.#options;
    return gateway.call({ client: order.id, what, timeoutMs: PATIENCE_MS, ask });
  }

  #think(): Promise<void> {
    const { time, random } = this.#options;
    return time.pause(between(random, ...THOUGHT_MS));
  }
}
