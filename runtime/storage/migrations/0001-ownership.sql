-- Who may write. `runtime/storage/ownership.ts` explains the protocol.

-- The shard of a run, read off the 12 rand_a bits of its id. The layout is fixed by `runtime/ids.ts`.
CREATE FUNCTION shard_of(run_id uuid) RETURNS integer
  LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
  RETURN ((get_byte(uuid_send(run_id), 6) & 15) << 8) | get_byte(uuid_send(run_id), 7);

-- One row for each boot of a node.
CREATE TABLE nodes (
  boot_id     uuid PRIMARY KEY,
  node_name   text NOT NULL,
  lanes       smallint NOT NULL CHECK (lanes > 0),
  started_at  timestamptz NOT NULL DEFAULT now(),
  lease_until timestamptz NOT NULL,
  -- Set when the boot gave its shards up, or lost them.
  released_at timestamptz
) WITH (fillfactor = 50);

-- One row for each writer lane of each boot: every batch locks its own and requires that it is not fenced. A row apart from the lease,
-- so that a renewal waits for no batch; a row for each lane, so that lanes don't churn multixacts.
CREATE TABLE lane_fences (
  boot_id   uuid NOT NULL,
  lane      smallint NOT NULL,
  fenced_at timestamptz,
  PRIMARY KEY (boot_id, lane)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

-- Owner and epoch of each of the 4,096 shards.
CREATE TABLE shards (
  shard   smallint PRIMARY KEY CHECK (shard BETWEEN 0 AND 4095),
  boot_id uuid NOT NULL,
  epoch   bigint NOT NULL CHECK (epoch > 0)
) WITH (fillfactor = 50);
