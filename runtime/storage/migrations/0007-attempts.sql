-- Attempts that end before they are stored, which is most of them, cost no entry in a b-tree that holds their key: 90 bytes of WAL each, and much
-- of the space. What has ended is never changed again.
ALTER TABLE task_executions DROP CONSTRAINT task_executions_pkey;

-- The rows that a later record replaces.
CREATE UNIQUE INDEX task_executions_open ON task_executions (run_id, frame, attempt) WHERE status = 'scheduled';

-- The attempts of a run, for operators and for retention. Ids begin with the time of the run's creation, so a range of pages holds few of them;
-- this operator class keeps old runs among them apart. A look-up costs about a millisecond for each million rows. Ranges are of a length at which the
-- requests for summaries at full load fit in the server's list of them (256 in a minute).
CREATE INDEX task_executions_of_run ON task_executions USING brin (run_id uuid_minmax_multi_ops(values_per_range = 64))
  WITH (pages_per_range = 64, autosummarize = on);
