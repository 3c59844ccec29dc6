/**
 * Every setting of a node, in one table: what it is called in the environment and on the command line, what it means, its default and its
 * bounds. Nothing else in the product reads the environment. `config.ts` turns the table into a checked, frozen configuration.
 */
import { availableParallelism, hostname } from "node:os";
import { NODE_ROLES, type NodeRole } from "../runtime/storage/ownership.ts";
import { queueFault } from "../runtime/workers/scheduling.ts";
import { isAddress } from "./advertised-address.ts";
import { POSTGRES_URL } from "./postgres-url.ts";

/** What all settings have. */
interface SettingBase<T> {
  /** Environment variable. */
  readonly env: `MAESTRO_${string}`;
  /** Long option of `maestro start` and `maestro dev`. */
  readonly flag: `--${string}`;
  /** What it is when nobody sets it. */
  readonly fallback: T;
  /** One sentence for people. */
  readonly doc: string;
  /** Never printed or logged, not even in a complaint about it. */
  readonly secret?: true;
}

/** A text that is not empty; with `optional` it may also be absent. */
export interface TextSetting<T extends string | undefined = string | undefined> extends SettingBase<T> {
  readonly kind: "text";
  readonly pattern?: { readonly test: Pick<RegExp, "test">; readonly says: string };
}

/** A whole number with both bounds included. */
export interface IntegerSetting extends SettingBase<number> {
  readonly kind: "integer";
  readonly least: number;
  readonly most: number;
}

/** Yes or no. */
export interface BooleanSetting extends SettingBase<boolean> {
  readonly kind: "boolean";
}

/** One word out of a few. */
export interface ChoiceSetting<T extends string> extends SettingBase<T> {
  readonly kind: "choice";
  readonly choices: readonly T[];
}

/** Words with commas between them, each once. */
export interface ListSetting<T extends string> extends SettingBase<readonly T[]> {
  readonly kind: "list";
  /** What is wrong with a word, or undefined. */
  fault(word: string): string | undefined;
}

/** Any setting. */
export type Setting = TextSetting | IntegerSetting | BooleanSetting | ChoiceSetting<string> | ListSetting<string>;

/** How loud the log is. */
export type LogLevel = "debug" | "info" | "warn" | "error" | "silent";

const PORT = { kind: "integer", least: 0, most: 65_535 } as const;

/** The settings, by their name in the configuration. */
export const SETTINGS = {
  dataFolder: {
    kind: "text",
    env: "MAESTRO_DATA",
    flag: "--data",
    fallback: ".maestro",
    doc: "Folder of the embedded PostgreSQL and of the node's own files.",
  } as TextSetting<string>,
  pgUrl: {
    kind: "text",
    env: "MAESTRO_PG_URL",
    flag: "--pg-url",
    fallback: undefined,
    pattern: POSTGRES_URL,
    secret: true,
    doc: "URL of a PostgreSQL server. Without it the node runs its own in the data folder.",
  } as TextSetting<string | undefined>,
  objectsFolder: {
    kind: "text",
    env: "MAESTRO_OBJECTS",
    flag: "--objects",
    fallback: undefined,
    doc: "Folder for payloads of more than 256 KiB. Default: objects/ in the data folder; with a PostgreSQL of your own they stay in its tables.",
  } as TextSetting<string | undefined>,
  natsUrl: {
    kind: "text",
    env: "MAESTRO_NATS_URL",
    flag: "--nats",
    fallback: undefined,
    secret: true,
    doc: "URL of a NATS server. With it the node shares its PostgreSQL with other nodes, and publishes events; without it the node is alone.",
  } as TextSetting<string | undefined>,
  natsCredentials: {
    kind: "text",
    env: "MAESTRO_NATS_CREDENTIALS",
    flag: "--nats-credentials",
    fallback: undefined,
    doc: "Credentials file (JWT and NKey) for the NATS server. Default: what its URL says.",
  } as TextSetting<string | undefined>,
  natsAuthority: {
    kind: "text",
    env: "MAESTRO_NATS_CA",
    flag: "--nats-ca",
    fallback: undefined,
    doc: "File with the certificates (PEM) that the NATS server's must be signed by; connections are encrypted then. Default: those that Node.js trusts.",
  } as TextSetting<string | undefined>,
  clusterName: {
    kind: "text",
    env: "MAESTRO_CLUSTER",
    flag: "--cluster",
    fallback: "maestro",
    pattern: { test: /^[A-Za-z0-9_-]{1,64}$/, says: "must be 1 to 64 letters, digits, _ or -" },
    doc: "Name of the cluster: nodes of one name on one NATS server and one PostgreSQL belong together.",
  } as TextSetting<string>,
  roles: {
    kind: "list",
    fault: (word) => (NODE_ROLES.includes(word as NodeRole) ? undefined : `must be one of ${NODE_ROLES.join(", ")}`),
    env: "MAESTRO_ROLES",
    flag: "--roles",
    fallback: NODE_ROLES,
    doc: "What the node does for its cluster: takes calls (gateway), has runs (engine), executes tasks (executor). Fewer than all need --nats.",
  } as ListSetting<NodeRole>,
  queues: {
    kind: "list",
    fault: queueFault,
    env: "MAESTRO_QUEUES",
    flag: "--queues",
    fallback: [],
    doc: "Queues whose tasks the node executes, if it is an executor. Default: all. Fewer than all need --nats.",
  } as ListSetting<string>,
  eventLevel: {
    kind: "choice",
    choices: ["off", "runs", "tasks"],
    env: "MAESTRO_EVENTS",
    flag: "--events",
    fallback: "runs",
    doc: "Events that are published on NATS: none, those of whole runs, or those of tasks as well.",
  } as ChoiceSetting<"off" | "runs" | "tasks">,
  nodeName: {
    kind: "text",
    env: "MAESTRO_NODE_NAME",
    flag: "--node-name",
    fallback: hostname(),
    pattern: { test: /^[A-Za-z0-9._-]{1,255}$/, says: "must be 1 to 255 letters, digits, ., _ or -" },
    doc: "Stable name of the node: a restart under the same name takes its runs over at once. Default: the host's name.",
  } as TextSetting<string>,
  grpcHost: {
    kind: "text",
    env: "MAESTRO_GRPC_HOST",
    flag: "--grpc-host",
    fallback: "127.0.0.1",
    doc: "Address that the gRPC gateway listens on.",
  } as TextSetting<string>,
  grpcPort: {
    ...PORT,
    env: "MAESTRO_GRPC_PORT",
    flag: "--grpc-port",
    fallback: 50_051,
    doc: "Port of the gRPC gateway; 0 takes any free one.",
  } as IntegerSetting,
  grpcAdvertise: {
    kind: "text",
    env: "MAESTRO_GRPC_ADVERTISE",
    flag: "--grpc-advertise",
    fallback: undefined,
    pattern: { test: { test: isAddress }, says: "must be host:port, with brackets around an IPv6 address" },
    doc: "Address (host:port) at which clients reach the gateway. Default: the one that it listens on, or the host's name where it listens on all.",
  } as TextSetting<string | undefined>,
  opsHost: {
    kind: "text",
    env: "MAESTRO_OPS_HOST",
    flag: "--ops-host",
    fallback: "127.0.0.1",
    doc: "Address that the ops server listens on.",
  } as TextSetting<string>,
  opsPort: {
    ...PORT,
    env: "MAESTRO_OPS_PORT",
    flag: "--ops-port",
    fallback: 8080,
    doc: "Port of /healthz, /readyz and /metrics; 0 takes any free one.",
  } as IntegerSetting,
  lanes: {
    kind: "integer",
    least: 1,
    most: 16,
    env: "MAESTRO_LANES",
    flag: "--lanes",
    fallback: 2,
    doc: "Writer lanes of the journal.",
  } as IntegerSetting,
  threads: {
    kind: "integer",
    least: 1,
    most: 256,
    env: "MAESTRO_THREADS",
    flag: "--threads",
    fallback: Math.max(1, availableParallelism() - 1),
    doc: "Worker threads for tasks. Default: one less than the number of processors.",
  } as IntegerSetting,
  handlersFolder: {
    kind: "text",
    env: "MAESTRO_HANDLERS",
    flag: "--handlers",
    fallback: undefined,
    doc: "Folder with the modules that define task handlers. Without it only the built-in ones (http, shell) exist.",
  } as TextSetting<string | undefined>,
  allowShell: {
    kind: "boolean",
    env: "MAESTRO_ALLOW_SHELL",
    flag: "--allow-shell",
    fallback: false,
    doc: "Lets workflows run shell commands (true in `maestro dev`).",
  } as BooleanSetting,
  leaseMs: {
    kind: "integer",
    least: 1_000,
    most: 600_000,
    env: "MAESTRO_LEASE_MS",
    flag: "--lease-ms",
    fallback: 3_000,
    doc: "How long the node keeps its runs without renewing, in milliseconds. Others go on with them that long after it died.",
  } as IntegerSetting,
  retentionDays: {
    kind: "integer",
    least: 0,
    most: 36_500,
    env: "MAESTRO_RETENTION_DAYS",
    flag: "--retention-days",
    fallback: 0,
    doc: "Runs are removed this many days after they ended, with their history. 0 keeps them for ever.",
  } as IntegerSetting,
  logLevel: {
    kind: "choice",
    choices: ["debug", "info", "warn", "error", "silent"],
    env: "MAESTRO_LOG_LEVEL",
    flag: "--log-level",
    fallback: "info",
    doc: "Least important level that is logged.",
  } as ChoiceSetting<LogLevel>,
  logFile: {
    kind: "text",
    env: "MAESTRO_LOG_FILE",
    flag: "--log-file",
    fallback: undefined,
    doc: "File that the log is appended to, in a folder that exists. Without it the log goes to the standard output.",
  } as TextSetting<string | undefined>,
} as const;

/** Name of a setting in the configuration. */
export type SettingName = keyof typeof SETTINGS;

/** Variables that only clients read. A node that sees them does not complain. */
export const CLIENT_VARIABLES: readonly string[] = ["MAESTRO_ADDRESS"];
