-- Tables for operators' queries. Nothing decides anything by them.

-- Attempts of tasks, at most a second behind the journal.
CREATE TABLE task_executions (
  run_id        uuid NOT NULL,
  frame         integer NOT NULL,
  attempt       integer NOT NULL,
  path          text NOT NULL,
  handler       text NOT NULL,
  status        text NOT NULL COLLATE "C" CHECK (status IN ('scheduled', 'completed', 'failed', 'cancelled')),
  created_at    timestamptz NOT NULL,
  ended_at      timestamptz,
  error_message text,
  PRIMARY KEY (run_id, frame, attempt)
) WITH (
  fillfactor = 90,
  autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_threshold = 1000,
  autovacuum_analyze_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 1
);

CREATE INDEX idx_task_executions_status_created ON task_executions (status, created_at);

-- Calls of the API, by user.
CREATE TABLE api_requests (
  user_id    text NOT NULL,
  endpoint   text NOT NULL,
  created_at timestamptz NOT NULL
);

CREATE INDEX idx_api_requests_created_user ON api_requests (created_at, user_id);
