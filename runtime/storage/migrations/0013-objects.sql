-- Whether there are objects is asked at each start of a node that has no place for them.
-- Serves programs from 0010 on.

CREATE INDEX payloads_objects ON payloads (run_id) WHERE object_name IS NOT NULL;
