/**
 * When rows of the journal were committed, by PostgreSQL itself (`track_commit_timestamp`), and under which epochs: what a failover, a hand-over and
 * a stale owner look like in the store. Owns one connection.
 */

import { connectPg, type PgClient } from "../../runtime/storage/pg-connection.ts";
import { firstIdAt } from "../../runtime/storage/pg-run-id.ts";

/** Server settings without which there are no times. */
export const COMMIT_TIMES = { track_commit_timestamp: "on" } as const;

/** A run that had not ended at some moment, and what it waited for. */
export interface OpenRun {
  readonly runId: string;
  readonly epoch: number;
  /** When it had, or has, something to do, in milliseconds since the epoch; undefined: it waits for something without a time. */
  readonly dueMs: number | undefined;
}

/** How long runs that had work at any time went without a committed row, in milliseconds: for each run its longest gap. */
export interface Gaps {
  readonly runs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

/** Reads the journal's times. */
export class JournalTimes implements AsyncDisposable {
  readonly #client: PgClient;

  private constructor(client: PgClient) {
    this.#client = client;
  }

  /** Connects to a server that runs with {@link COMMIT_TIMES}. */
  static async open(url: string): Promise<JournalTimes> {
    return new JournalTimes(await connectPg(url, { applicationName: "maestro-bench" }));
  }

  /** The server's clock, in milliseconds since the epoch. */
  async now(): Promise<number> {
    const [row] = await this.#query<{ ms: number }>("SELECT (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS ms");
    return row?.ms ?? Number.NaN;
  }

  /** The boot of a node that is a member, by the node's name. */
  async bootOf(nodeName: string): Promise<string> {
    const [row] = await this.#query<{ boot: string }>("SELECT boot_id AS boot FROM nodes WHERE node_name = $1 AND released_at IS NULL", [nodeName]);
    if (row === undefined) throw new Error(`${nodeName} is no member of the cluster`);
    return row.boot;
  }

  /** Runs of a boot that have not ended. */
  async openRunsOf(boot: string): Promise<readonly OpenRun[]> {
    const rows = await this.#query<{ id: string; epoch: string; wake: number; due: number | null }>(
      `SELECT r.id, s.epoch, r.wake, (SELECT (extract(epoch FROM min(t.due_at)) * 1000)::float8 FROM run_timers t WHERE t.run_id = r.id) AS due
         FROM workflow_runs r JOIN shards s ON s.shard = shard_of(r.id)
        WHERE s.boot_id = $1 AND r.status IN ('pending', 'running', 'waiting')`,
      [boot],
    );
    return rows.map(({ id, epoch, wake, due }) => ({ runId: id, epoch: Number(epoch), dueMs: (wake & 1) === 1 ? 0 : (due ?? undefined) }));
  }

  /** Of runs that have not ended or have a row of a later epoch: when the first of these was committed, in milliseconds since the epoch. */
  async nextOwnersFirstRows(runs: readonly OpenRun[]): Promise<ReadonlyMap<string, number | undefined>> {
    const rows = await this.#query<{ id: string; at: number | null; ended: boolean }>(
      `SELECT u.id, r.ended_at IS NOT NULL AS ended,
              (SELECT (extract(epoch FROM min(pg_xact_commit_timestamp(j.xmin))) * 1000)::float8 FROM journal j WHERE j.run_id = u.id AND j.epoch > u.epoch) AS at
         FROM unnest($1::uuid[], $2::bigint[]) AS u(id, epoch) JOIN workflow_runs r ON r.id = u.id`,
      [runs.map(({ runId }) => runId), runs.map(({ epoch }) => epoch)],
    );
    return new Map(rows.filter(({ at, ended }) => at !== null || !ended).map(({ id, at }) => [id, at ?? undefined]));
  }

  /**
   * When rows of runs begun since a time were committed: for each run the number of each row's first entry, with the time in milliseconds since the
   * epoch, in order.
   */
  async commitsSince(sinceMs: number): Promise<ReadonlyMap<string, readonly (readonly [firstSeq: number, committedMs: number])[]>> {
    const rows = await this.#query<{ id: string; seqs: string[]; times: number[] }>(
      `SELECT run_id AS id, array_agg(seq ORDER BY seq) AS seqs,
              array_agg((extract(epoch FROM pg_xact_commit_timestamp(xmin)) * 1000)::float8 ORDER BY seq) AS times
         FROM journal WHERE run_id >= $1 GROUP BY run_id`,
      [firstIdAt(sinceMs)],
    );
    return new Map(rows.map(({ id, seqs, times }) => [id, seqs.map((seq, index) => [Number(seq), times[index] ?? Number.NaN] as const)]));
  }

  /** When the lanes of a boot were fenced, in milliseconds since the epoch; undefined while one is not. */
  async fencedMs(boot: string): Promise<number | undefined> {
    const [row] = await this.#query<{ at: number | null }>(
      `SELECT CASE WHEN bool_and(fenced_at IS NOT NULL) THEN (extract(epoch FROM max(pg_xact_commit_timestamp(xmin))) * 1000)::float8 END AS at
         FROM lane_fences WHERE boot_id = $1`,
      [boot],
    );
    return row?.at ?? undefined;
  }

  /** Rows of runs begun since a time that were committed under an epoch when their shard had rows of a later one already. */
  async staleRows(sinceMs: number): Promise<number> {
    const [row] = await this.#query<{ count: string }>(
      `SELECT count(*) FROM (
         SELECT epoch, max(epoch) OVER (PARTITION BY shard ORDER BY at, epoch ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before
           FROM (SELECT shard_of(run_id) AS shard, epoch, pg_xact_commit_timestamp(xmin) AS at FROM journal WHERE run_id >= $1) AS timed
       ) AS ordered WHERE epoch < before`,
      [firstIdAt(sinceMs)],
    );
    return Number(row?.count);
  }

  /** The gaps of the runs of a workflow begun from one time to another, in milliseconds since the epoch; `isMoved`: of those only that changed their owner. */
  async gaps(workflowId: string, sinceMs: number, untilMs: number, isMoved: boolean): Promise<Gaps> {
    const [row] = await this.#query<{ runs: string; p50: number | null; p99: number | null; max: number | null }>(
      `WITH timed AS (
         SELECT j.run_id, j.epoch, pg_xact_commit_timestamp(j.xmin) AS at
           FROM journal j JOIN workflow_runs r ON r.id = j.run_id AND r.workflow_id = $1
          WHERE j.run_id >= $2 AND j.run_id < $3
       ), gaps AS (
         SELECT run_id, epoch, extract(epoch FROM at - lag(at) OVER (PARTITION BY run_id ORDER BY at))::float8 * 1000 AS gap FROM timed
       ), longest AS (
         SELECT max(gap) AS gap FROM gaps GROUP BY run_id HAVING min(epoch) < max(epoch) OR NOT $4
       )
       SELECT count(*) AS runs, max(gap) AS max, percentile_disc(0.5) WITHIN GROUP (ORDER BY gap) AS p50, percentile_disc(0.99) WITHIN GROUP (ORDER BY gap) AS p99
         FROM longest`,
      [workflowId, firstIdAt(sinceMs), firstIdAt(untilMs), isMoved],
    );
    const { runs = "0", p50, p99, max } = row ?? {};
    return { runs: Number(runs), p50Ms: p50 ?? Number.NaN, p99Ms: p99 ?? Number.NaN, maxMs: max ?? Number.NaN };
  }

  /** Runs of a workflow begun from one time to another that have rows of several epochs, some of them. */
  async movedRuns(workflowId: string, sinceMs: number, untilMs: number, count: number): Promise<readonly string[]> {
    const rows = await this.#query<{ id: string }>(
      `SELECT j.run_id AS id FROM journal j JOIN workflow_runs r ON r.id = j.run_id AND r.workflow_id = $1
        WHERE j.run_id >= $2 AND j.run_id < $3 GROUP BY j.run_id HAVING min(j.epoch) < max(j.epoch) LIMIT $4`,
      [workflowId, firstIdAt(sinceMs), firstIdAt(untilMs), count],
    );
    return rows.map(({ id }) => id);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client.end();
  }

  async #query<Row>(text: string, values: readonly unknown[] = []): Promise<readonly Row[]> {
    return (await this.#client.query(text, [...values])).rows as Row[];
  }
}
