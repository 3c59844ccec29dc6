/**
 * A pool of connections for reading and for rare transactions: everything in storage except the journal's lanes. Owns its pool.
 */
import { MaestroError } from "../errors.ts";
import type { EventHub } from "../events.ts";
import { destroy, failing, failureOf, openPool, type PgClient, type PgPool, unavailable } from "./pg-connection.ts";

/** Runs one statement and answers its rows. */
export type PgQuery = <Row>(text: string, values?: readonly unknown[]) => Promise<readonly Row[]>;

/** Where, how many connections, and under which name. */
export interface PgDatabaseOptions {
  readonly url: string;
  /** Shown in `pg_stat_activity`. */
  readonly applicationName: string;
  /** Connections at most. Default 2. */
  readonly size?: number;
  /** Longest time of one statement, in milliseconds. Default 30,000. */
  readonly statementTimeoutMs?: number;
  /**
   * Longest wait for the answer to one statement, in milliseconds, before its connection is given up: the server, or the way to it, is gone without a word.
   * Default: 10,000 longer than the server's own limit, {@link statementTimeoutMs}.
   */
  readonly answerTimeoutMs?: number;
  /**
   * How long the server waits for the next statement of a transaction before it ends the session and undoes it, in milliseconds: for what others would wait
   * for meanwhile. Default 60,000.
   */
  readonly idleInTransactionMs?: number;
  /** See `PoolOptions.keepsIdle`. */
  readonly keepsIdle?: boolean;
  /**
   * Where it is told that the server answers again (`database.returned`): then no statement waits any longer for an answer on a connection from
   * before. Default: nowhere.
   */
  readonly events?: EventHub | undefined;
  /** False: don't wait for the disk; a crash of the server may lose the last second. Default true. */
  readonly synchronousCommit?: boolean;
}

/** How much longer than the server's limit of time the wait for its answer is, in milliseconds. */
const ANSWER_MARGIN_MS = 10_000;

/** The pool. */
export class PgDatabase {
  readonly url: string;
  readonly #pool: PgPool;
  readonly #lent = new Set<PgClient>();

  constructor(options: PgDatabaseOptions) {
    const { url, applicationName, size = 2, statementTimeoutMs = 30_000, synchronousCommit = true, keepsIdle = false, events } = options;
    const { answerTimeoutMs = statementTimeoutMs + ANSWER_MARGIN_MS, idleInTransactionMs = 60_000 } = options;
    this.url = url;
    const settings = {
      statement_timeout: statementTimeoutMs,
      idle_in_transaction_session_timeout: idleInTransactionMs,
      jit: "off",
      // Whatever the server's default is: some statements count what others commit while they wait for a lock.
      default_transaction_isolation: "read committed",
      // As on solid state disks: every query here is meant to follow an index.
      random_page_cost: 1.1,
      ...(synchronousCommit ? {} : { synchronous_commit: "off" }),
    };
    this.#pool = openPool(url, { applicationName, size, settings, answerTimeoutMs, keepsIdle });
    this.#pool.on("acquire", (client) => this.#lent.add(client));
    this.#pool.on("release", (_error, client) => this.#lent.delete(client));
    events?.on("database.returned", () => {
      for (const client of this.#lent) destroy(client);
    });
  }

  /**
   * Runs one statement.
   *
   * @throws DATABASE_UNAVAILABLE the connection failed. @throws DATABASE_FAILING the server lacks disk space, memory or time. Anything else is
   * the server's own error.
   */
  async query<Row>(text: string, values: readonly unknown[] = []): Promise<readonly Row[]> {
    try {
      return (await this.#pool.query(text, [...values])).rows as Row[];
    } catch (error) {
      throw this.#translate(error);
    }
  }

  /** Runs a statement that a connection parses and plans once; `name` stands for its text. For what is asked again and again. @throws DATABASE_UNAVAILABLE */
  async prepared<Row>(name: string, text: string, values: readonly unknown[]): Promise<readonly Row[]> {
    try {
      return (await this.#pool.query({ name, text, values: [...values] })).rows as Row[];
    } catch (error) {
      throw this.#translate(error);
    }
  }

  /**
   * Runs `work` in one transaction, at the level READ COMMITTED. Rolled back if it throws. `first`: a statement without values that is sent with its beginning.
   *
   * @throws DATABASE_UNAVAILABLE @throws DATABASE_FAILING
   */
  async transaction<T>(work: (query: PgQuery) => Promise<T>, first?: string): Promise<T> {
    const client = await this.#pool.connect().catch((error: unknown) => {
      throw this.#translate(error);
    });
    let broken = false;
    const query: PgQuery = async <Row>(text: string, values: readonly unknown[] = []) => {
      try {
        return (await client.query(text, [...values])).rows as Row[];
      } catch (error) {
        broken ||= isLost(failureOf(error).code);
        throw error;
      }
    };
    try {
      await query(`BEGIN ISOLATION LEVEL READ COMMITTED${first === undefined ? "" : `; ${first}`}`);
      const result = await work(query);
      await query("COMMIT");
      return result;
    } catch (error) {
      // A connection that gave no answer would give none to this either: the server rolls back when it is cut off.
      broken ||= await query("ROLLBACK").then(
        () => false,
        () => true,
      );
      throw this.#translate(error);
    } finally {
      client.release(broken);
    }
  }

  /** Waits for what is under way and closes the connections. */
  async close(): Promise<void> {
    await this.#pool.end();
  }

  #translate(error: unknown): unknown {
    if (error instanceof MaestroError) return error;
    const { code } = failureOf(error);
    if (isLost(code)) return unavailable(this.url, error);
    return isShort(code) ? failing(this.url, error) : error;
  }
}

/** True if there is no connection to the server: broken, none to be had (53300), or the server goes away (57P01 to 57P05) or has ended the session (25P03). */
function isLost(code: string | undefined): boolean {
  return code === undefined || !/^[0-9A-Z]{5}$/.test(code) || /^(08...|53300|57P..|25P03)$/.test(code);
}

/** True if the failure says nothing about the statement, only that the server lacks the means or the time for it now. */
function isShort(code: string | undefined): boolean {
  return code !== undefined && /^(53|57)/.test(code);
}
