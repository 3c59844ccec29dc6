/**
 * Brings a database to this program's schema. Migrations are numbered files, forward only, and never changed once published. Two nodes may
 * start at once: an advisory lock lets one work while the other waits.
 *
 * While a cluster is upgraded, nodes of the version before work, and are restarted, on the schema of the new one. So a migration only adds, and says in its
 * header whom it serves: `-- Serves programs from 0010 on.`, where 0010 is the last migration that they must know. One that does not say so serves none but
 * those that know it, and can be released only where all nodes are stopped for the upgrade.
 */
import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { MaestroError } from "../errors.ts";
import { connectPg, type PgClient, unavailable } from "./pg-connection.ts";

/** A migration as this program knows it. */
export interface Migration {
  readonly number: number;
  readonly name: string;
  readonly sql: string;
  /** The last migration that a program must know to work on a database that has this one: its own number, unless its text says an earlier one. */
  readonly servesFrom: number;
  /** SHA-256 of the text, hexadecimal. */
  readonly checksum: string;
}

/** Key of the advisory lock ("maestro" and a purpose). Stored nowhere, but all versions of the program must agree on it. */
const MIGRATION_LOCK = "7088401";

/** Rows of programs that did not know the last column serve only those that know them. */
const LEDGER = `CREATE TABLE IF NOT EXISTS schema_migrations (
  number integer PRIMARY KEY, name text NOT NULL, checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now());
  ALTER TABLE schema_migrations ADD COLUMN IF NOT EXISTS serves_from integer`;

const SERVES = /^-- Serves programs from (\d{4}) on\.$/m;

/** The migrations beside this file, in order. For tests beside {@link migrate}. */
export async function knownMigrations(): Promise<readonly Migration[]> {
  const folder = new URL("./migrations/", import.meta.url);
  const names = (await readdir(folder)).filter((name) => /^\d{4}-[a-z-]+\.sql$/.test(name)).sort();
  return Promise.all(
    names.map(async (file) => {
      const sql = await readFile(new URL(file, folder), "utf8");
      const number = Number(file.slice(0, 4));
      const servesFrom = Number(SERVES.exec(sql)?.[1] ?? number);
      return { number, name: file.slice(5, -4), sql, servesFrom, checksum: createHash("sha256").update(sql).digest("hex") };
    }),
  );
}

/**
 * Applies what is missing, each migration in a transaction of its own. Answers how many were applied.
 *
 * @throws SCHEMA_TOO_NEW the database was migrated by a newer program, and does not serve this one any more.
 * @throws SCHEMA_CHANGED a migration that was applied differs from this program's.
 * @throws DATABASE_UNAVAILABLE
 */
export async function migrate(url: string, known?: readonly Migration[]): Promise<number> {
  const migrations = known ?? (await knownMigrations());
  const client = await connectPg(url, { applicationName: "maestro-migrate" });
  try {
    await client.query(`SELECT pg_advisory_lock(${MIGRATION_LOCK})`);
    await client.query(LEDGER);
    const pending = await pendingOf(client, migrations);
    for (const migration of pending) await apply(client, migration);
    return pending.length;
  } catch (error) {
    throw unavailable(url, error);
  } finally {
    await client.end();
  }
}

interface AppliedRow {
  readonly number: number;
  readonly name: string;
  readonly checksum: string;
  readonly serves_from: number | null;
}

async function pendingOf(client: PgClient, migrations: readonly Migration[]): Promise<readonly Migration[]> {
  const { rows } = await client.query<AppliedRow>("SELECT number, name, checksum, serves_from FROM schema_migrations");
  const last = Math.max(0, ...migrations.map((migration) => migration.number));
  const tooNew = rows.filter(({ number, serves_from }) => number > last && (serves_from ?? number) > last);
  if (tooNew.length > 0) throw new MaestroError("SCHEMA_TOO_NEW", { facts: { found: Math.max(...tooNew.map(({ number }) => number)), known: last } });
  const applied = new Map(rows.map((row) => [row.number, row]));
  for (const { number, name, checksum } of migrations) {
    const row = applied.get(number);
    if (row !== undefined && row.checksum !== checksum) throw new MaestroError("SCHEMA_CHANGED", { facts: { number, name } });
  }
  return migrations.filter((migration) => !applied.has(migration.number));
}

async function apply(client: PgClient, migration: Migration): Promise<void> {
  await client.query("BEGIN");
  try {
    await client.query(migration.sql);
    const { number, name, checksum, servesFrom } = migration;
    const record = "INSERT INTO schema_migrations (number, name, checksum, serves_from) VALUES ($1, $2, $3, $4)";
    await client.query(record, [number, name, checksum, servesFrom]);
    await client.query("COMMIT");
  } catch (error) {
    await client.query("ROLLBACK");
    throw error;
  }
}
