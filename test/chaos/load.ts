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

/** One call to a gateway, as its client saw it. Times are the machine's, in milliseconds since the epoch. */
export interface Call {
  readonly method: string;
  readonly order: string;
  readonly address: string;
  readonly fromMs: number;
  readonly untilMs: number;
  /** What it failed with; a code of the registry if it is one. */
  readonly failure: string | undefined;
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
  /** What may be ordered. Default: {@link KINDS}. */
  readonly kinds?: readonly Kind[];
  /** Longest time from one order of a client to its next, in milliseconds. Default: 0. */
  readonly restMs?: number;
  /** Hears of each call once it is over. */
  readonly record?: (call: Call) => void;
}

/** A client, and how many of its calls are under way. */
interface Connection {
  readonly client: MaestroClient;
  calls: number;
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
  readonly #connections = new Map<string, Connection>();
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
  async deploy(kinds: readonly Kind[] = KINDS): Promise<void> {
    for (const kind of kinds) await this.#call("Deploy", "", (client) => client.deploy(kind.document));
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
    for (const { client } of this.#connections.values()) client.close();
  }

  /** Orders one thing beside the rest; resolves when it is settled. */
  place(kind: Kind): Promise<void> {
    return this.#fulfil(this.#newOrder(kind));
  }

  async #slot(): Promise<void> {
    const { random, restMs = 0, kinds = KINDS } = this.#options;
    while (!this.#isStopped) {
      if (this.orders.length >= this.#allowed) {
        await this.#refill.promise;
        continue;
      }
      const order = this.#newOrder(kinds[random.uint32() % kinds.length] as Kind);
      await this.#fulfil(order);
      if (restMs > 0) await pause(random.fraction() * restMs, this.#clock);
    }
  }

  #tell(): void {
    const due = this.#listeners.filter(({ at }) => at <= this.#ended);
    this.#listeners = this.#listeners.filter(({ at }) => at > this.#ended);
    for (const { resolve } of due) resolve();
  }

  #newOrder(kind: Kind): Order {
    const { random, name } = this.#options;
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
    await this.#settle(order);
    this.#ended += 1;
    this.#tell();
  }

  async #settle(order: Order): Promise<void> {
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
      const result = await this.#call("Execute", id, (client) => client.execute(request));
      order.acknowledged.add(result.runId);
      order.told = result;
      return;
    }
    // With a key, asking again must name the same run.
    if (order.acknowledged.size === 0 || (key !== undefined && !order.isDriven)) {
      order.acknowledged.add((await this.#call("Start", id, (client) => client.start(request))).runId);
    }
    const [runId = ""] = order.acknowledged;
    if (!order.isDriven) await this.#drive(order, runId);
    order.isDriven = true;
    order.told = await this.#call("Get", id, (client) => client.awaitRun(runId));
  }

  /** Sends what the run needs. That it has ended already says that an earlier call, whose answer was lost, arrived. */
  async #drive({ kind, n, id }: Order, runId: string): Promise<void> {
    const signal = { runId, name: "go", payload: signalPayload(n), signalId: id };
    try {
      if (kind.drive === "signal") await this.#call("Signal", id, (client) => client.signal(signal));
      if (kind.drive === "cancel") await this.#call("Cancel", id, (client) => client.cancel(runId, "the client changed its mind"));
    } catch (error) {
      if (!(error instanceof MaestroError) || error.code !== "RUN_ENDED") throw error;
    }
  }

  /** Asks whoever answers now: another order may have found out meanwhile that it is somebody else. */
  async #call<T>(method: string, order: string, ask: (client: MaestroClient) => Promise<T>): Promise<T> {
    const address = await this.#options.target.address();
    const connection = this.#connectionTo(address);
    connection.calls += 1;
    const fromMs = this.#clock.now();
    const note = (failure: string | undefined): void =>
      this.#options.record?.({ method, order, address, fromMs, untilMs: this.#clock.now(), failure });
    try {
      const answer = await ask(connection.client);
      note(undefined);
      return answer;
    } catch (error) {
      note(error instanceof MaestroError ? error.code : messageOf(error));
      throw error;
    } finally {
      connection.calls -= 1;
    }
  }

  /** One connection to each address, until nobody uses it any more. */
  #connectionTo(address: string): Connection {
    const known = this.#connections.get(address);
    if (known !== undefined) return known;
    for (const [other, { client, calls }] of this.#connections) {
      if (calls > 0) continue;
      client.close();
      this.#connections.delete(other);
    }
    const connection = { client: connect(address), calls: 0 };
    this.#connections.set(address, connection);
    return connection;
  }
}
