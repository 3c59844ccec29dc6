/**
 * The wake-up audit in PostgreSQL: looks for runs that have not ended and that nothing will ever wake. Each query is served by a partial index
 * that holds suspects only, but for the runs that wait for timers: there may be a million of them, so each audit looks at one page.
 */
import type { RunId } from "../ids.ts";
import { AUDIT_FINDINGS, NIL_RUN_ID, type ShardRange, TIMED_PER_AUDIT, type WakeAudit } from "./journal.ts";
import type { PgDatabase } from "./pg-database.ts";

/** Parameters 1 to 3: the shards and the grace. */
const IS_OURS = "shard_of(w.id) BETWEEN $1 AND $2 AND w.updated_at < now() - $3 * interval '1 millisecond'";

const WITHOUT_REASON = `SELECT w.id FROM workflow_runs w
  WHERE w.wake = 0 AND w.status IN ('pending', 'running', 'waiting') AND ${IS_OURS} LIMIT ${AUDIT_FINDINGS}`;

const OVERDUE = `SELECT DISTINCT w.id FROM run_timers t JOIN workflow_runs w ON w.id = t.run_id
  WHERE t.due_at < now() - $3 * interval '1 millisecond' AND w.ended_at IS NULL AND w.status <> 'quarantined' AND ${IS_OURS} LIMIT ${AUDIT_FINDINGS}`;

const READY = `SELECT w.id FROM workflow_runs w WHERE w.wake & 1 = 1 AND ${IS_OURS} ORDER BY w.id LIMIT $4`;

/** The last run of a page of those that wait for timers, if there is a page's worth of them. */
const PAGE_END = "SELECT w.id FROM workflow_runs w WHERE w.wake & 2 = 2 AND w.id > $1 ORDER BY w.id OFFSET $2 LIMIT 1";

const WITHOUT_TIMER = `SELECT w.id FROM workflow_runs w WHERE w.wake & 2 = 2 AND w.id > $4 AND w.id <= $5 AND ${IS_OURS}
  AND NOT EXISTS (SELECT FROM run_timers t WHERE t.run_id = w.id)`;

/** Looks once. The parameters are those of {@link Journal.audit}. */
export async function auditPg(database: PgDatabase, shards: ShardRange, graceMs: number, limit: number, after?: RunId): Promise<WakeAudit> {
  const ours = [shards.first, shards.last, graceMs];
  const idsOf = async (text: string, values: readonly unknown[]): Promise<readonly RunId[]> =>
    (await database.query<{ readonly id: RunId }>(text, values)).map(({ id }) => id);
  const first = after ?? NIL_RUN_ID;
  const [next] = await idsOf(PAGE_END, [first, Math.min(limit, TIMED_PER_AUDIT) - 1]);
  const found = await Promise.all([idsOf(WITHOUT_REASON, ours), idsOf(OVERDUE, ours), idsOf(WITHOUT_TIMER, [...ours, first, next ?? MAX])]);
  const ready = await idsOf(READY, [...ours, limit]);
  return { withoutWake: [...new Set(found.flat())].sort(), ready, ...(next !== undefined && { next }) };
}

/** Larger than every run id. */
const MAX = "ffffffff-ffff-ffff-ffff-ffffffffffff";
