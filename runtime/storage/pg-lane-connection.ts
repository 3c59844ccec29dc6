/**
 * The connection of one writer lane. Owns the session's settings, the judgement on what an answer (or none) means, and the rule that makes
 * an unknown outcome knowable: a lane's sessions hold one advisory lock, so a new session is used only after the previous one, with
 * whatever it still had in hand, is gone from the server. What it finds then is final.
 */
import type { Clock } from "../clock.ts";
import type { BootId } from "../ids.ts";
import type { Batch } from "./pg-batch.ts";
import { connectPg, destroy, failureOf, type PgClient, type PgFailure } from "./pg-connection.ts";
import type { Statement } from "./pg-statement.ts";

/** What became of a batch. */
export type Outcome =
  | { readonly kind: "committed" }
  /** Nothing was stored: another boot took over. */
  | { readonly kind: "fenced" }
  /** Nothing was stored: the server refused the batch for what is in it. */
  | { readonly kind: "refused"; readonly failure: PgFailure }
  /** It may be stored or not. */
  | { readonly kind: "unknown"; readonly reason: string };

/** What the connection is made from. */
export interface LaneConnectionOptions {
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

/** Classes of SQLSTATE that blame the data: 22 data exception, 23 integrity constraint, 54 program limit exceeded. */
const BLAMES_DATA = /^(22|23|54)/;

/** The connection. */
export class LaneConnection {
  readonly #options: LaneConnectionOptions;
  readonly #name: string;
  #client: PgClient | undefined;

  constructor(options: LaneConnectionOptions) {
    this.#options = options;
    this.#name = `maestro-lane-${options.lane}-${options.bootId}`;
  }

  /** Sends a statement of {@link BatchStatements}. Connects first if need be. */
  async execute(statement: Statement): Promise<Outcome> {
    try {
      const rows = await this.#query<{ live: number }>(statement);
      return rows[0]?.live === 1 ? { kind: "committed" } : { kind: "fenced" };
    } catch (error) {
      const failure = failureOf(error);
      if (failure.code !== undefined && BLAMES_DATA.test(failure.code)) return { kind: "refused", failure };
      this.#drop();
      return { kind: "unknown", reason: failure.message };
    }
  }

  /**
   * Whether a batch of unknown outcome is in the store. A batch is atomic, so one row of it decides. A batch that leaves no row of its own
   * (heads and cleared timers only) is answered "no": committing it again changes nothing.
   */
  async holds(batch: Batch): Promise<boolean> {
    const [row] = batch.rows;
    if (row !== undefined) return this.#exists("SELECT FROM journal WHERE run_id = $1 AND seq = $2", [row.runId, row.firstSeq]);
    const [run] = batch.runs;
    if (run !== undefined) return this.#exists("SELECT FROM workflow_runs WHERE id = $1", [run.runId]);
    const [timer] = batch.timersSet;
    if (timer === undefined) return false;
    const text = "SELECT FROM run_timers WHERE due_at = $1 AND run_id = $2 AND timer = $3";
    return this.#exists(text, [new Date(timer.dueAtMs).toISOString(), timer.runId, timer.timer]);
  }

  /** Rows of a query outside the batches. A failure means that the server could not be asked. */
  async ask<Row>(text: string, values: readonly unknown[]): Promise<readonly Row[]> {
    try {
      return await this.#query<Row>({ text, values });
    } catch (error) {
      this.#drop();
      throw error;
    }
  }

  /** Closes the connection. */
  async close(): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    await client?.end();
  }

  async #exists(text: string, values: readonly unknown[]): Promise<boolean> {
    return (await this.ask(text, values)).length > 0;
  }

  async #query<Row>(query: { readonly name?: string; readonly text: string; readonly values: readonly unknown[] }): Promise<readonly Row[]> {
    this.#client ??= await this.#open();
    const client = this.#client;
    const cancel = this.#options.clock.schedule(ANSWER_MS, () => destroy(client));
    try {
      return (await client.query(query as { text: string; values: unknown[] })).rows as Row[];
    } finally {
      cancel();
    }
  }

  async #open(): Promise<PgClient> {
    const { url, bootId, lane } = this.#options;
    const client = await connectPg(url, { applicationName: this.#name, settings: SESSION });
    try {
      await client.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1 AND pid <> pg_backend_pid()", [
        this.#name,
      ]);
      await client.query(`SET lock_timeout = ${PREDECESSOR_MS}`);
      // The first 32 bits of the boot's random id, signed, and the lane. Should two boots share them, they would only take turns.
      await client.query("SELECT pg_advisory_lock($1::integer, $2::integer)", [Number.parseInt(bootId.slice(0, 8), 16) | 0, lane]);
      await client.query("SET lock_timeout = 0");
      return client;
    } catch (error) {
      destroy(client);
      throw error;
    }
  }

  #drop(): void {
    if (this.#client !== undefined) destroy(this.#client);
    this.#client = undefined;
  }
}
