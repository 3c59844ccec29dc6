/**
 * Where the write-ahead log of W1 goes: bytes a step by table, read from the log itself. Full pages, which the server logs at the first change
 * of each page after a checkpoint, are told apart: right after a checkpoint there are most of them, later hardly any.
 */
import { pause } from "../../runtime/storage/pause.ts";
import type { BenchSetting, Measured, Round } from "./benchmark.ts";
import type { Installation } from "./installation.ts";
import { WORKLOADS } from "./workload.ts";

/** Until the task ledger, which is at most a second behind, has stored everything. */
const LEDGER_MS = 1_500;
const IN_FLIGHT = 300;

/** Tables of which bytes are told, with what they are to a run. */
const PARTS = [
  ["journal", "journal"],
  ["workflow_runs", "heads"],
  ["task_executions", "attempts"],
] as const;

const POSITION = "SELECT pg_current_wal_flush_lsn()::text AS value";

/** A record belongs to the first page that it changes; the rest are commits, locks, and the catalogue. Full pages are counted apart. */
const SPLIT = `WITH pages AS (
    SELECT DISTINCT ON (start_lsn) start_lsn, relfilenode FROM pg_get_wal_block_info($1::text::pg_lsn, $2::text::pg_lsn, false)
      ORDER BY start_lsn, block_id),
  relations AS (
    SELECT pg_relation_filenode(c.oid) AS relfilenode, coalesce(i.indrelid, c.oid)::regclass::text || CASE WHEN i.indrelid IS NULL THEN '' ELSE ' index' END AS part
      FROM pg_class AS c LEFT JOIN pg_index AS i ON i.indexrelid = c.oid WHERE c.relkind IN ('r', 'i')),
  sums AS (
    SELECT part, sum(record_length - fpi_length) AS bytes, sum(fpi_length) AS full_pages
      FROM pg_get_wal_records_info($1::text::pg_lsn, $2::text::pg_lsn) LEFT JOIN pages USING (start_lsn) LEFT JOIN relations USING (relfilenode)
      GROUP BY part)
  SELECT json_build_object('fullPages', sum(full_pages), 'all', sum(bytes + full_pages),
    'parts', json_object_agg(part, bytes) FILTER (WHERE part IS NOT NULL)) AS value FROM sums`;

interface Split {
  readonly all: number;
  readonly fullPages: number;
  readonly parts: Readonly<Record<string, number>>;
}

/** Two figures of the log: with a checkpoint just before the load, and without. */
export function walSplit(installation: Installation, setting: BenchSetting): readonly Measured[] {
  const about = `bytes of write-ahead log a step of W1, ${IN_FLIGHT} in flight`;
  return [
    { label: { name: "WAL, after a checkpoint", unit: "B/step", about: `${about}, right after a checkpoint` }, round: () => round(true) },
    {
      label: { name: "WAL, steady", unit: "B/step", about: `${about}, when pages have been changed since the last checkpoint` },
      round: () => round(false),
    },
  ];

  async function round(afterCheckpoint: boolean): Promise<Round> {
    const { meter } = installation;
    await meter.query("CREATE EXTENSION IF NOT EXISTS pg_walinspect");
    await pause(LEDGER_MS, setting.clock);
    if (afterCheckpoint) await meter.query("CHECKPOINT");
    const [start] = await meter.query(POSITION);
    const { load } = await installation.load({ workload: "w1", driver: "in process", inFlight: IN_FLIGHT, durationMs: setting.roundMs });
    await pause(LEDGER_MS, setting.clock);
    const [end] = await meter.query(POSITION);
    const [answer] = await meter.query(SPLIT, [String(start?.value), String(end?.value)]);
    return roundOf(answer?.value as Split, load.operations * WORKLOADS.w1.steps);
  }
}

function roundOf({ all, fullPages, parts }: Split, steps: number): Round {
  const details: Record<string, number> = { "full pages": fullPages / steps };
  let rest = all - fullPages;
  for (const [table, name] of PARTS) {
    for (const [part, label] of [
      [table, name],
      [`${table} index`, `index of ${name}`],
    ] as const) {
      details[label] = (parts[part] ?? 0) / steps;
      rest -= parts[part] ?? 0;
    }
  }
  return { value: all / steps, details: { ...details, rest: rest / steps } };
}
