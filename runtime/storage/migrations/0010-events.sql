-- What is known to be published. `runtime/storage/event-checkpoints.ts` explains it.

-- One row for each boot that publishes, and for what boots left to be published as they handed shards over; those have ids of nobody.
CREATE TABLE event_checkpoints (
  boot_id         uuid PRIMARY KEY,
  -- Events of what was committed by then are in the stream.
  committed_at    timestamptz NOT NULL,
  -- Milliseconds since the epoch, by the clock of the boot: entries that are not published are not older.
  entries_from_ms bigint NOT NULL
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

-- Events of what was written under this epoch, and before, are in the stream. A shard for which this is less than the epoch before its own is in debt.
ALTER TABLE shards ADD COLUMN published_epoch bigint NOT NULL DEFAULT 0;
UPDATE shards SET published_epoch = epoch;

-- Which runs changed lately: asked after a crash, and when the stream was away. It keeps the least and greatest time of each 256 KiB of the table.
CREATE INDEX workflow_runs_updated ON workflow_runs USING brin (updated_at) WITH (pages_per_range = 32);
