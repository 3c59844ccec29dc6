/**
 * Lets readings of the store share queries. Idle, a reading goes out at the end of its tick; busy, the next query takes along what was asked for
 * meanwhile, so a storm of readings becomes few queries, and never more than a given number at a time. There is no timer on this path. Owns what
 * waits: one entry for each key, whoever asks for it.
 */
import { MaestroError } from "../errors.ts";

/** How readings are shared. */
export interface BatchedReadsOptions<K, V> {
  /** Keys of one query at most. */
  readonly keysPerQuery: number;
  /** Queries at a time. */
  readonly queries: number;
  /** Asks the store. Keys that it does not know are absent from the answer. */
  ask(keys: readonly K[]): Promise<ReadonlyMap<K, V>>;
  /** Calls back after the current tick, when everything that belongs to it was asked for. */
  defer(callback: () => void): void;
}

interface Waiting<V> {
  readonly answer: Promise<V | undefined>;
  resolve(value: V | undefined): void;
  reject(error: unknown): void;
}

/** See the file header. What waits is bounded by those who ask. */
export class BatchedReads<K, V> {
  readonly #options: BatchedReadsOptions<K, V>;
  readonly #waiting = new Map<K, Waiting<V>>();
  #queries = 0;
  #isDeferred = false;

  constructor(options: BatchedReadsOptions<K, V>) {
    this.#options = options;
  }

  /**
   * What the store has for a key, or undefined. Never older than this call.
   * @throws what `ask` throws for a query with this key alone, or because it can't be asked now
   */
  get(key: K): Promise<V | undefined> {
    const known = this.#waiting.get(key);
    if (known !== undefined) return known.answer;
    const { promise: answer, resolve, reject } = Promise.withResolvers<V | undefined>();
    this.#waiting.set(key, { answer, resolve, reject });
    this.#start();
    return answer;
  }

  #start(): void {
    if (this.#isDeferred || this.#queries >= this.#options.queries) return;
    this.#isDeferred = true;
    this.#options.defer(() => {
      this.#isDeferred = false;
      while (this.#waiting.size > 0 && this.#queries < this.#options.queries) void this.#query();
    });
  }

  async #query(): Promise<void> {
    this.#queries += 1;
    const asked: (readonly [K, Waiting<V>])[] = [];
    for (const entry of this.#waiting) {
      if (asked.push(entry) === this.#options.keysPerQuery) break;
    }
    for (const [key] of asked) this.#waiting.delete(key);
    await this.#settle(asked);
    this.#queries -= 1;
    if (this.#waiting.size > 0) this.#start();
  }

  /** One key that can't be read must not fail the others: a query that fails for what it asks is asked again in halves. */
  async #settle(asked: readonly (readonly [K, Waiting<V>])[]): Promise<void> {
    try {
      const found = await this.#options.ask(asked.map(([key]) => key));
      for (const [key, waiting] of asked) waiting.resolve(found.get(key));
    } catch (error) {
      if (asked.length === 1 || (error instanceof MaestroError && error.retryable)) {
        for (const [, waiting] of asked) waiting.reject(error);
        return;
      }
      const middle = asked.length >> 1;
      await this.#settle(asked.slice(0, middle));
      await this.#settle(asked.slice(middle));
    }
  }
}
