/**
 * The wake-up audit in PostgreSQL: looks for runs that have not ended and that nothing will ever wake. Each query is served by a partial index
 * that holds suspects only, but for the runs that wait for timers: there may be a million of them, so each audit looks at one page.
 */
import type { RunId } from "../ids.ts";
import { AUDIT_FINDINGS, NIL_RUN_ID, TIMED_PER_AUDIT, type WakeAudit } from "./journal.ts";
import type { PgDatabase } from "./pg-database.ts";
import { shardCondition } from "./pg-shards.ts";
import type { ShardSet } from "./shard-set.ts";

/** Where the condition on shards stands in the queries: the last of their parameters. Parameter 1 is the grace. */
type Query = (isOurs: string) => string;

const IS_SETTLED = "w.updated_at < now() - $1 * interval '1 millisecond'";

const WITHOUT_REASON: Query = (isOurs) => `SELECT w.id FROM workflow_runs w
  WHERE w.wake = 0 AND w.status IN ('pending', 'running', 'waiting') AND ${isOurs} AND ${IS_SETTLED} LIMIT ${AUDIT_FINDINGS}`;

const OVERDUE: Query = (isOurs) => `SELECT DISTINCT w.id FROM run_timers t JOIN workflow_runs w ON w.id = t.run_id
  WHERE t.due_at < now() - $1 * interval '1 millisecond' AND w.ended_at IS NULL AND w.status <> 'quarantined'
    AND ${isOurs} AND ${IS_SETTLED} LIMIT ${AUDIT_FINDINGS}`;

const READY: Query = (isOurs) => `SELECT w.id FROM workflow_runs w WHERE w.wake & 1 = 1 AND ${isOurs} AND ${IS_SETTLED} ORDER BY w.id LIMIT $2`;

/** The last run of a page of those that wait for timers, if there is a page's worth of them. */
const PAGE_END = "SELECT w.id FROM workflow_runs w WHERE w.wake & 2 = 2 AND w.id > $1 ORDER BY w.id OFFSET $2 LIMIT 1";

const WITHOUT_TIMER: Query = (
  isOurs,
) => `SELECT w.id FROM workflow_runs w WHERE w.wake & 2 = 2 AND w.id > $2 AND w.id <= $3 AND ${isOurs} AND ${IS_SETTLED}
  AND NOT EXISTS (SELECT FROM run_timers t WHERE t.run_id = w.id)`;

/** Looks once. The parameters are those of {@link Journal.audit}. */
export async function auditPg(database: PgDatabase, shards: ShardSet, graceMs: number, limit: number, after?: RunId): Promise<WakeAudit> {
  const idsOf = async (text: string, values: readonly unknown[]): Promise<readonly RunId[]> =>
    (await database.query<{ readonly id: RunId }>(text, values)).map(({ id }) => id);
  const ask = (query: Query, values: readonly unknown[] = []): Promise<readonly RunId[]> => {
    const ours = shardCondition(shards, "w.id", values.length + 2);
    return idsOf(query(ours.text), [graceMs, ...values, ...ours.values]);
  };
  const first = after ?? NIL_RUN_ID;
  const [next] = await idsOf(PAGE_END, [first, Math.min(limit, TIMED_PER_AUDIT) - 1]);
  const found = await Promise.all([ask(WITHOUT_REASON), ask(OVERDUE), ask(WITHOUT_TIMER, [first, next ?? MAX])]);
  const ready = await ask(READY, [limit]);
  return { withoutWake: [...new Set(found.flat())].sort(), ready, ...(next !== undefined && { next }) };
}

/** Larger than every run id. */
const MAX = "ffffffff-ffff-ffff-ffff-ffffffffffff";
