/**
 * Fences boots in PostgreSQL. The UPDATE of the fence rows conflicts with the lock that every batch holds on its own until it commits: so a batch of a
 * fenced boot either committed before, and whoever reads then sees it, or it finds itself fenced. Owns the wait for batches that don't end.
 */
import type { BootId } from "../ids.ts";
import { failureOf } from "./pg-connection.ts";
import type { PgQuery } from "./pg-database.ts";

/** How long batches under way are waited for before their sessions are ended, in milliseconds. */
const PATIENCE_MS = 1_000;

const LOCK_NOT_AVAILABLE = "55P03";

/** Fences every lane of a boot. In a transaction; what it waited for is seen by the statements that follow. */
export function fenceBoot(query: PgQuery, bootId: BootId): Promise<void> {
  return fence(query, "boot_id = $1", bootId);
}

/** Fences every boot but those that stay: also what a boot that is no member any more left unfenced. */
export function fenceOthers(query: PgQuery, staying: readonly BootId[]): Promise<void> {
  return fence(query, "boot_id <> ALL($1::uuid[])", staying);
}

async function fence(query: PgQuery, which: string, value: unknown): Promise<void> {
  const change = `UPDATE lane_fences SET fenced_at = now() WHERE fenced_at IS NULL AND ${which}`;
  await query(`SAVEPOINT fencing; SET LOCAL lock_timeout = ${PATIENCE_MS}`);
  try {
    await query(change, [value]);
    await query("RELEASE SAVEPOINT fencing; SET LOCAL lock_timeout TO DEFAULT");
  } catch (error) {
    if (failureOf(error).code !== LOCK_NOT_AVAILABLE) throw error;
    await query("ROLLBACK TO SAVEPOINT fencing");
    await endSessions(query, which, value);
    await query(change, [value]);
  }
}

/**
 * Ends the sessions of lanes. A process that stopped, or lost its network, in the middle of sending a batch leaves a session that waits for the rest of
 * it, with its lock, for as long as its connection seems to be alive.
 */
async function endSessions(query: PgQuery, which: string, value: unknown): Promise<void> {
  await query(
    `SELECT pg_terminate_backend(a.pid) FROM lane_fences f
       JOIN pg_stat_activity a ON a.application_name = 'maestro-lane-' || f.lane || '-' || f.boot_id AND a.datname = current_database()
      WHERE f.fenced_at IS NULL AND f.${which}`,
    [value],
  );
}
