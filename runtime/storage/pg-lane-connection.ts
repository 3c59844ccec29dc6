/**
 * The connection of one writer lane. Owns the session's settings, and the rule that makes an unknown outcome knowable: a lane's sessions hold one
 * advisory lock, so a new session is used only after the previous one, with whatever it still had in hand, is gone from the server. What it finds
 * then is final.
 */
import type { Clock } from "../clock.ts";
import type { BootId } from "../ids.ts";
import { connectPg, destroy, type PgClient } from "./pg-connection.ts";
import { requireSafeSession } from "./pg-settings.ts";

/** A statement, prepared under its name if it has one. */
export interface LaneStatement {
  readonly name?: string;
  readonly text: string;
  readonly values: readonly unknown[];
}

/** What the connection is made from. */
export interface PgLaneConnectionOptions {
  readonly url: string;
  readonly bootId: BootId;
  readonly lane: number;
  readonly clock: Clock;
}

/**
 * Settings of the session. The plans are pinned because prepared plans made for new tables, which have no statistics, otherwise become
 * joins over whole tables as these grow: measured, throughput fell to a quarter within 60,000 runs.
 */
const SESSION = {
  enable_hashjoin: "off",
  enable_mergejoin: "off",
  enable_seqscan: "off",
  plan_cache_mode: "force_generic_plan",
  jit: "off",
  synchronous_commit: "on",
  statement_timeout: 30_000,
  idle_in_transaction_session_timeout: 30_000,
} as const;

/** Longest wait for an answer, in milliseconds, before the connection is given up. Longer than the server's own timeout. */
const ANSWER_MS = 40_000;

/** Longest wait for the previous session to end, in milliseconds, before the attempt counts as failed. */
const PREDECESSOR_MS = 5_000;

/** The connection. */
export class PgLaneConnection {
  readonly #options: PgLaneConnectionOptions;
  readonly #name: string;
  #client: PgClient | undefined;
  /** It owes an answer. */
  #asked: PgClient | undefined;

  constructor(options: PgLaneConnectionOptions) {
    this.#options = options;
    this.#name = `maestro-lane-${options.lane}-${options.bootId}`;
  }

  /** Runs one statement, connecting first if need be. Fails with whatever the connection or the server said. */
  async query<Row>(statement: LaneStatement): Promise<readonly Row[]> {
    this.#client ??= await this.#open();
    const client = this.#client;
    return this.#bounded(client, async () => (await client.query(statement as { text: string; values: unknown[] })).rows as Row[]);
  }

  /** Cuts the connection off after a failure that leaves it in doubt; the next statement gets a new one. */
  drop(): void {
    if (this.#client !== undefined) destroy(this.#client);
    this.#client = undefined;
  }

  /**
   * The server was away, and is back: what it owes an answer since before then may never come, or only when TCP tries again, as long after the outage as that
   * was. A new session finds out at once what became of it.
   */
  doubt(): void {
    if (this.#asked !== undefined) destroy(this.#asked);
  }

  /** Closes the connection. */
  async close(): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    await client?.end();
  }

  async #open(): Promise<PgClient> {
    const client = await connectPg(this.#options.url, { applicationName: this.#name, settings: SESSION });
    try {
      // Whoever restarted the server may have changed it, or it is another one: nothing is acknowledged by one that can lose it.
      await this.#bounded(client, () => requireSafeSession(client));
      await this.#bounded(client, () => this.#succeed(client));
      return client;
    } catch (error) {
      destroy(client);
      throw error;
    }
  }

  /** Ends the previous session of this lane, and returns when it is gone. */
  async #succeed(client: PgClient): Promise<void> {
    const others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1 AND pid <> pg_backend_pid()";
    await client.query(others, [this.#name]);
    await client.query(`SET lock_timeout = ${PREDECESSOR_MS}`);
    // The first 32 bits of the boot's random id, signed, and the lane. Should two boots share them, they would only take turns.
    await client.query("SELECT pg_advisory_lock($1::integer, $2::integer)", [
      Number.parseInt(this.#options.bootId.slice(0, 8), 16) | 0,
      this.#options.lane,
    ]);
    await client.query("SET lock_timeout = 0");
  }

  /** Waits for an answer, but not for ever: a server that went away without a word would keep the lane waiting. */
  async #bounded<T>(client: PgClient, work: () => Promise<T>): Promise<T> {
    const cancel = this.#options.clock.schedule(ANSWER_MS, () => destroy(client));
    this.#asked = client;
    try {
      return await work();
    } finally {
      this.#asked = undefined;
      cancel();
    }
  }
}
