/**
 * Refuses a PostgreSQL server that could lose what it acknowledged, or that is too old.
 */
import { MaestroError } from "../errors.ts";
import { connectPg, type PgClient, unavailable } from "./pg-connection.ts";

/** Settings without which a commit may be lost, and what they must be. */
const REQUIRED = [
  { setting: "fsync", unsafe: "off", safe: "on" },
  { setting: "full_page_writes", unsafe: "off", safe: "on" },
  { setting: "synchronous_commit", unsafe: "off", safe: "on" },
] as const;

/** Oldest major version that the SQL of this program runs on. */
const OLDEST_VERSION = 14;

/** A setting as `pg_settings` tells it. */
export interface PgSetting {
  readonly name: string;
  readonly setting: string;
}

/** Asks the server for its settings. @throws DATABASE_UNSAFE @throws DATABASE_UNAVAILABLE */
export async function requireSafeSettings(url: string): Promise<void> {
  const client = await connectPg(url, { applicationName: "maestro-settings" });
  try {
    await requireSafeSession(client);
  } catch (error) {
    throw unavailable(url, error);
  } finally {
    await client.end();
  }
}

/** The same on a connection that is there. What the session itself has set counts. @throws DATABASE_UNSAFE, and what the driver throws */
export async function requireSafeSession(client: PgClient): Promise<void> {
  const names = ["server_version_num", ...REQUIRED.map(({ setting }) => setting)];
  const { rows } = await client.query<PgSetting>("SELECT name, setting FROM pg_settings WHERE name = ANY($1::text[])", [names]);
  checkSettings(rows);
}

/** The judgement on the settings. For tests beside {@link requireSafeSettings}. @throws DATABASE_UNSAFE */
export function checkSettings(settings: readonly PgSetting[]): void {
  const values = new Map(settings.map(({ name, setting }) => [name, setting]));
  for (const { setting, unsafe, safe } of REQUIRED) {
    const value = values.get(setting);
    if (value === undefined || value === unsafe) throw new MaestroError("DATABASE_UNSAFE", { facts: { setting, value: value ?? "unknown", safe } });
  }
  const version = Math.floor(Number(values.get("server_version_num")) / 10_000);
  if (!(version >= OLDEST_VERSION)) {
    throw new MaestroError("DATABASE_UNSAFE", { facts: { setting: "server_version", value: version, safe: `${OLDEST_VERSION} or later` } });
  }
}
