/**
 * The load of the crash tests: a client that keeps many runs under way, in every manner that the gateway offers, and goes on through all failures as a
 * careful client does: it repeats what has a key and asks again for what was acknowledged. It owns the orders, and judges nothing.
 */
import { connect, type MaestroClient } from "../../gateway/grpc-client.ts";
import { systemClock } from "../../runtime/clock.ts";
import { MaestroError, messageOf } from "../../runtime/errors.ts";
import type { Random } from "../../runtime/random.ts";
import { pause } from "../../runtime/storage/pause.ts";
import type { Order } from "./order.ts";
import { KINDS, type Kind, NAMESPACE, signalPayload } from "./workflows.ts";

/** Who answers now. */
export interface LoadTarget {
  /** The gateway's address, once there is one. */
  address(): Promise<string>;
}

/** What a load is made from. */
export interface LoadOptions {
  readonly target: LoadTarget;
  readonly random: Random;
  /** Begins the ids of its orders; unique in a store. */
  readonly name: string;
  /** Runs under way at a time. */
  readonly width: number;
  /** Orders in all, unless more are allowed later. Default: no bound. */
  readonly orders?: number;
}

/** Errors that say: not now, or: nobody knows. The rest is an answer. */
const PASSING = new Set(["NODE_UNREACHABLE", "REQUEST_CANCELLED", "TIMED_OUT", "NODE_STOPPING", "JOURNAL_FENCED"]);
const RETRY_MS = 20;

/** The load. */
export class Load {
  readonly orders: Order[] = [];
  /** Failures that the client saw and got over, by code. */
  readonly failures = new Map<string, number>();
  readonly #options: LoadOptions;
  readonly #clock = systemClock();
  #client: MaestroClient | undefined;
  #allowed: number;
  #isStopped = false;
  #ended = 0;
  #slots: Promise<void>[] = [];
  #listeners: { readonly at: number; readonly resolve: () => void }[] = [];
  #refill = Promise.withResolvers<void>();

  constructor(options: LoadOptions) {
    this.#options = options;
    this.#allowed = options.orders ?? Number.POSITIVE_INFINITY;
  }

  /** Orders that are settled. */
  get ended(): number {
    return this.#ended;
  }

  /** Orders under way. */
  get underWay(): number {
    return this.orders.length - this.#ended;
  }

  /** Stores the workflows. */
  async deploy(): Promise<void> {
    const client = await this.#connected();
    for (const kind of KINDS) await client.deploy(kind.document);
  }

  /** Begins. */
  start(): void {
    this.#slots = Array.from({ length: this.#options.width }, () => this.#slot());
  }

  /** Allows this many orders more than there are. */
  allow(more: number): void {
    this.#allowed = this.orders.length + more;
    this.#refill.resolve();
    this.#refill = Promise.withResolvers();
  }

  /** Resolves when `count` orders more than now are settled, or all that are allowed. */
  settled(count: number): Promise<void> {
    return new Promise((resolve) => {
      this.#listeners.push({ at: Math.min(this.#ended + count, this.#allowed), resolve });
      this.#tell();
    });
  }

  /** Orders nothing more; resolves when everything is settled. */
  async finish(): Promise<void> {
    this.#isStopped = true;
    this.#refill.resolve();
    await Promise.all(this.#slots);
    this.#client?.close();
  }

  async #slot(): Promise<void> {
    while (!this.#isStopped) {
      if (this.orders.length >= this.#allowed) {
        await this.#refill.promise;
        continue;
      }
      const order = this.#newOrder();
      await this.#fulfil(order);
      this.#ended += 1;
      this.#tell();
    }
  }

  #tell(): void {
    const due = this.#listeners.filter(({ at }) => at <= this.#ended);
    this.#listeners = this.#listeners.filter(({ at }) => at > this.#ended);
    for (const { resolve } of due) resolve();
  }

  #newOrder(): Order {
    const { random, name } = this.#options;
    const kind = KINDS[random.uint32() % KINDS.length] as Kind;
    const id = `${name}-${this.orders.length + 1}`;
    const chance = random.fraction();
    const order: Order = {
      ...{ id, kind, n: random.uint32() % 1_000_000 },
      key: chance < 0.9 ? id : undefined,
      isPersistent: chance < 0.8,
      isExecuted: kind.drive === "nothing" && random.fraction() < 0.5,
      acknowledged: new Set<string>(),
      ...{ isDriven: false, isOpen: false, told: undefined, trouble: undefined },
    };
    this.orders.push(order);
    return order;
  }

  /** Goes on until the order is settled. */
  async #fulfil(order: Order): Promise<void> {
    for (;;) {
      try {
        return await this.#pursue(order);
      } catch (error) {
        if (!this.#isPassing(error)) {
          order.trouble = messageOf(error);
          return;
        }
        if (order.acknowledged.size === 0 && !order.isPersistent) {
          order.isOpen = true;
          return;
        }
        await pause(RETRY_MS, this.#clock);
      }
    }
  }

  #isPassing(error: unknown): boolean {
    if (!(error instanceof MaestroError)) return false;
    this.failures.set(error.code, (this.failures.get(error.code) ?? 0) + 1);
    return error.retryable || PASSING.has(error.code);
  }

  async #pursue(order: Order): Promise<void> {
    const { kind, n, key, id } = order;
    const request = { namespace: NAMESPACE, workflow: kind.name, input: JSON.stringify({ n }), idempotencyKey: key ?? "", labels: { order: id } };
    if (order.isExecuted && order.acknowledged.size === 0) {
      const result = await (await this.#connected()).execute(request);
      order.acknowledged.add(result.runId);
      order.told = result;
      return;
    }
    // With a key, asking again must name the same run.
    if (order.acknowledged.size === 0 || (key !== undefined && !order.isDriven)) {
      order.acknowledged.add((await (await this.#connected()).start(request)).runId);
    }
    const [runId = ""] = order.acknowledged;
    if (!order.isDriven) await this.#drive(order, runId);
    order.isDriven = true;
    order.told = await (await this.#connected()).awaitRun(runId);
  }

  /** Sends what the run needs. That it has ended already says that an earlier call, whose answer was lost, arrived. */
  async #drive({ kind, n, id }: Order, runId: string): Promise<void> {
    const client = await this.#connected();
    try {
      if (kind.drive === "signal") await client.signal({ runId, name: "go", payload: signalPayload(n), signalId: id });
      if (kind.drive === "cancel") await client.cancel(runId, "the client changed its mind");
    } catch (error) {
      if (!(error instanceof MaestroError) || error.code !== "RUN_ENDED") throw error;
    }
  }

  /** The client of whoever answers now. Asked for before every call: another order may have found out meanwhile that it is somebody else. */
  async #connected(): Promise<MaestroClient> {
    const address = await this.#options.target.address();
    if (this.#client?.address !== address) {
      this.#client?.close();
      this.#client = connect(address);
    }
    return this.#client;
  }
}
