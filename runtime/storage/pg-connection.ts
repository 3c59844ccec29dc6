/**
 * Opens connections to PostgreSQL from a URL. TLS is what the URL asks for (`sslmode`, `sslrootcert`, `sslcert`, `sslkey`). Owns the
 * translation of connection failures into the registry's errors, which name the address and never the password.
 */
import pg from "pg";
import { MaestroError, messageOf } from "../errors.ts";

/** How long a connection is waited for, in milliseconds. */
const CONNECT_TIMEOUT_MS = 5_000;

/** A connection. */
export type PgClient = pg.Client;

/** A pool of connections. */
export type PgPool = pg.Pool;

/** What PostgreSQL or the driver reported. `code` is a SQLSTATE, or the operating system's name of a socket error. */
export interface PgFailure {
  readonly message: string;
  readonly code?: string;
  readonly constraint?: string;
}

/** How a connection presents itself and is set up. */
export interface ConnectOptions {
  /** Shown in `pg_stat_activity`. */
  readonly applicationName: string;
  /** Milliseconds to wait for the answer to a statement, which then fails; the connection is of no use any more. Default: for ever. */
  readonly answerTimeoutMs?: number;
  /** Settings of the session, by name. They are sent when the connection is made, so that it can't be used without them. */
  readonly settings?: Readonly<Record<string, string | number>>;
}

/** How a pool keeps its connections. */
export interface PoolOptions extends ConnectOptions {
  readonly size: number;
  /** True: a connection that nobody needs is kept, so that it is there when new ones can't be had. Default: it is closed after 30 s. */
  readonly keepsIdle?: boolean;
}

/**
 * Has the server notice within about ten seconds that a client is gone without a word, as it is after the loss of a machine or a network. Its own
 * defaults leave such a session, its locks and its place among `max_connections` for up to two hours, and whoever takes over needs places. Nothing on
 * a local socket.
 */
const LIVENESS = { tcp_keepalives_idle: 5, tcp_keepalives_interval: 2, tcp_keepalives_count: 3, tcp_user_timeout: 10_000 } as const;

/** Opens one connection. @throws DATABASE_UNAVAILABLE */
export async function connectPg(url: string, options: ConnectOptions): Promise<PgClient> {
  const client = new pg.Client(configOf(url, options));
  // Without a listener the loss of an idle connection would end the process. Whoever uses the connection next is told by its query.
  client.on("error", () => undefined);
  try {
    await client.connect();
    return client;
  } catch (error) {
    destroy(client);
    throw unavailable(url, error);
  }
}

/** Opens a pool; connections are made when they are needed. */
export function openPool(url: string, options: PoolOptions): PgPool {
  const pool = new pg.Pool({ ...configOf(url, options), max: options.size, idleTimeoutMillis: options.keepsIdle === true ? 0 : 30_000 });
  pool.on("error", () => undefined); // As above: the pool replaces an idle connection that was lost.
  // The pool does not listen to a connection that it has lent for a transaction, which may be lost between two statements.
  pool.on("connect", (client) => client.on("error", () => undefined));
  return pool;
}

/** Cuts a connection off without waiting for the server. */
export function destroy(client: PgClient): void {
  (client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy();
}

/** Host, port and database of a URL, for messages. */
function addressOf(url: string): string {
  const config = new pg.Client({ connectionString: url });
  return `${config.host}:${config.port}/${config.database ?? ""}`;
}

/** SQLSTATE of a server that answers, and refuses for want of a right. */
const INSUFFICIENT_PRIVILEGE = "42501";

/** DATABASE_UNAVAILABLE, with the address and the reason; DATABASE_DENIED if a right is missing. */
export function unavailable(url: string, error: unknown): MaestroError {
  if (error instanceof MaestroError) return error;
  if (failureOf(error).code === INSUFFICIENT_PRIVILEGE)
    return new MaestroError("DATABASE_DENIED", { facts: { address: addressOf(url), reason: messageOf(error) }, cause: error });
  const reason = error instanceof AggregateError ? error.errors.map(messageOf).join("; ") : messageOf(error);
  return new MaestroError("DATABASE_UNAVAILABLE", { facts: { address: addressOf(url), reason }, cause: error });
}

/** DATABASE_FAILING, with the address and the reason. */
export function failing(url: string, error: unknown): MaestroError {
  return new MaestroError("DATABASE_FAILING", { facts: { address: addressOf(url), reason: messageOf(error) }, cause: error });
}

/** The facts of a failure, from whatever was thrown. */
export function failureOf(error: unknown): PgFailure {
  if (!(error instanceof Error)) return { message: String(error) };
  const { code, constraint } = error as Error & { code?: unknown; constraint?: unknown };
  return {
    message: error.message,
    ...(typeof code === "string" ? { code } : {}),
    ...(typeof constraint === "string" ? { constraint } : {}),
  };
}

/** True if the server refused a statement for the data in it (SQLSTATE classes 22, 23 and 54) and would do so again. */
export function blamesData({ code }: PgFailure): boolean {
  return code !== undefined && /^(22|23|54)...$/.test(code);
}

function configOf(url: string, options: ConnectOptions): pg.ClientConfig {
  const target = new URL(url);
  // A space would end the setting.
  const settings = Object.entries({ ...LIVENESS, ...options.settings }).map(([name, value]) => `-c ${name}=${String(value).replaceAll(" ", "\\ ")}`);
  const all = [target.searchParams.get("options") ?? "", ...settings].join(" ").trim();
  // The driver lets the URL's options win over ours; ours must come last instead, because later ones win in the server.
  target.searchParams.delete("options");
  return {
    connectionString: target.href,
    options: all,
    application_name: options.applicationName,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    ...(options.answerTimeoutMs !== undefined && { query_timeout: options.answerTimeoutMs }),
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
  };
}
