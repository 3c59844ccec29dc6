/**
 * The part of the registry of errors (`error-registry.ts`) that is about the store: its server, its schema, the journal, and who may write what.
 */
import { entry, type RegisteredError } from "./error-entry.ts";

/** The store's error codes, alphabetically. */
export const STORAGE_ERRORS = {
  DATA_FOLDER_LOCKED: entry(
    "FAILED_PRECONDITION",
    409,
    false,
    "The data folder {folder} is in use by process {pid}.",
    "Stop that node, or start this one with another --data folder.",
  ),
  DATA_FOLDER_UNUSABLE: entry(
    "FAILED_PRECONDITION",
    412,
    false,
    "The data folder {folder} can't be used: {reason}.",
    "Name a folder that this user may write with --data or MAESTRO_DATA.",
  ),
  DATABASE_DENIED: entry(
    "FAILED_PRECONDITION",
    412,
    false,
    "PostgreSQL at {address} does not let this user do what it has to: {reason}",
    "Make the user of MAESTRO_PG_URL the database's owner, or grant it the right to connect and to create in its schema.",
  ),
  DATABASE_FAILING: entry(
    "UNAVAILABLE",
    503,
    true,
    "PostgreSQL at {address} can't serve requests now: {reason}",
    "Give the server what it lacks, such as disk space, memory or time; its log says more.",
  ),
  DATABASE_UNAVAILABLE: entry(
    "UNAVAILABLE",
    503,
    true,
    "PostgreSQL at {address} can't be reached: {reason}",
    "Check that the server runs and that MAESTRO_PG_URL is right.",
  ),
  DATABASE_UNSAFE: entry(
    "FAILED_PRECONDITION",
    412,
    false,
    "PostgreSQL runs with {setting}={value}, which can lose acknowledged runs.",
    "Set {setting} to its safe value ({safe}) and start again.",
  ),
  JOURNAL_CORRUPT: entry(
    "DATA_LOSS",
    500,
    false,
    "The history of run {runId} is damaged at entry {seq}: {reason}",
    "The run is quarantined. Restore it from a backup, or terminate it.",
  ),
  JOURNAL_FENCED: entry(
    "UNAVAILABLE",
    503,
    true,
    "This node may no longer write: another one took over ({detail}).",
    "Nothing was lost. The node stops by itself; send the request to the cluster again.",
  ),
  JOURNAL_OVERLOADED: entry(
    "RESOURCE_EXHAUSTED",
    429,
    true,
    "The journal's queue is full ({queued} writes wait).",
    "Try again after the delay in the answer.",
  ),
  JOURNAL_REJECTED: entry(
    "INTERNAL",
    500,
    false,
    "PostgreSQL refused a write of run {runId}: {reason}",
    "The run is left as it was. Report it with the node's log.",
  ),
  OBJECT_NOT_STORED: entry(
    "UNAVAILABLE",
    503,
    true,
    "The folder of objects {folder} can't take {bytes} bytes: {reason}",
    "Give its disk room, and the node's user the right to write in it; it is tried again by itself.",
  ),
  OWNED_ELSEWHERE: entry(
    "UNAVAILABLE",
    503,
    true,
    "Node {node} holds the runs of this database until {until}.",
    "Wait until its lease ends, or stop that node.",
  ),
  SCHEMA_CHANGED: entry(
    "FAILED_PRECONDITION",
    412,
    false,
    "Migration {number} ({name}) was applied to the database with another text.",
    "Start the program that the database was made with, or restore a backup.",
  ),
  SCHEMA_TOO_NEW: entry(
    "FAILED_PRECONDITION",
    412,
    false,
    "The database has schema version {found}; this program knows {known}.",
    "Start a newer version of the program.",
  ),
  SHARD_MOVED: entry(
    "UNAVAILABLE",
    503,
    true,
    "This node does not own shard {shard} now.",
    "Nothing was stored. Send the request again: it goes to the shard's owner.",
  ),
} as const satisfies Record<string, RegisteredError>;
