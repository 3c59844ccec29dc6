-- Runs and their history. No foreign keys and no triggers here: these tables take every commit of every run.

-- A run's head: what operators and lists see of it. created_at is the time inside the id.
CREATE TABLE workflow_runs (
  id            uuid PRIMARY KEY,
  workflow_id   uuid NOT NULL,
  created_at    timestamptz NOT NULL,
  updated_at    timestamptz NOT NULL,
  ended_at      timestamptz,
  -- Bits of WAKE in `journal.ts`: why the run will go on.
  wake          smallint NOT NULL,
  status        text NOT NULL COLLATE "C"
    CHECK (status IN ('pending', 'running', 'waiting', 'completed', 'failed', 'cancelled', 'terminated', 'quarantined')),
  user_id       text NOT NULL COLLATE "C",
  labels        jsonb NOT NULL,
  error_message text
) WITH (
  -- Every run is updated at least once: with room for that on its own page the change is logged shorter, and needs no lock record (-2 % WAL).
  fillfactor = 45,
  autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_threshold = 1000,
  autovacuum_analyze_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 1
);

-- The operations guide's queries use these. They are dear: of 630 bytes of WAL a step, 140 are theirs, and a third of the server's CPU.
CREATE INDEX idx_workflow_runs_status_created ON workflow_runs (status, created_at);
CREATE INDEX idx_workflow_runs_workflow_id_created ON workflow_runs (workflow_id, created_at DESC);
CREATE INDEX idx_workflow_runs_active ON workflow_runs (workflow_id, created_at) WHERE status IN ('running', 'pending');
CREATE INDEX idx_workflow_runs_dashboard ON workflow_runs (user_id, status, created_at DESC);

-- Recovery: the runs that their owner must hold in memory.
CREATE INDEX workflow_runs_ready ON workflow_runs (id) WHERE wake & 1 = 1;
-- The wake-up auditor: runs that wait for a timer, and runs that nothing will wake (none, in health).
CREATE INDEX workflow_runs_timed ON workflow_runs (id) WHERE wake & 2 = 2;
CREATE INDEX workflow_runs_asleep ON workflow_runs (id) WHERE wake = 0 AND status IN ('pending', 'running', 'waiting');
-- How many rows a range of shards holds: without it the planner takes all shards for a handful of rows, and sorts where it could follow an index.
CREATE STATISTICS workflow_runs_shard ON (shard_of(id)) FROM workflow_runs;

-- Timers of these are not read.
CREATE INDEX workflow_runs_quarantined ON workflow_runs (id) WHERE status = 'quarantined';

-- The history. Append-only: a row is never changed. Several writes of a run that share a commit are one row.
CREATE TABLE journal (
  run_id      uuid NOT NULL,
  -- Number of the row's first entry in the run's history, from 1.
  seq         bigint NOT NULL CHECK (seq > 0),
  -- Epoch of the run's shard under which the row was written.
  epoch       bigint NOT NULL,
  entry_count integer NOT NULL CHECK (entry_count > 0),
  -- CRC-32 of the key facts and the entries, see `journal-checksum.ts`.
  crc         integer NOT NULL,
  -- A maestro.journal.v1.JournalRow.
  entries     bytea NOT NULL,
  PRIMARY KEY (run_id, seq)
) WITH (
  autovacuum_vacuum_insert_scale_factor = 0.2, autovacuum_vacuum_insert_threshold = 100000,
  autovacuum_analyze_scale_factor = 0.2, autovacuum_vacuum_cost_delay = 1
);

-- Timers that will wake a run. Inserted and deleted only.
CREATE TABLE run_timers (
  due_at timestamptz NOT NULL,
  run_id uuid NOT NULL,
  timer  integer NOT NULL,
  PRIMARY KEY (due_at, run_id, timer)
) WITH (
  autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000,
  autovacuum_analyze_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 1
);

-- The wake-up auditor looks a run's timers up. 80 bytes of WAL for each timer; without it every look reads the whole table.
CREATE INDEX run_timers_of_run ON run_timers (run_id);

CREATE STATISTICS run_timers_shard ON (shard_of(run_id)) FROM run_timers;

-- Which run a client's idempotency key started.
CREATE TABLE run_keys (
  key    text COLLATE "C" PRIMARY KEY,
  run_id uuid NOT NULL
);
