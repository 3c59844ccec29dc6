-- Slots of concurrency keys: at most so many attempts with the same key are under way in the cluster. `runtime/storage/task-slots.ts` explains the protocol.
-- Serves programs from 0010 on.
-- A program that knows nothing of slots takes none: limits hold once all nodes know them.

-- One row for each attempt that has a slot; one with the negative number of an attempt for an execution of it that goes on where its run has left.
CREATE TABLE task_slots (
  key     text    NOT NULL,
  run_id  uuid    NOT NULL,
  frame   integer NOT NULL,
  attempt integer NOT NULL,
  PRIMARY KEY (key, run_id, frame, attempt)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

-- For the owner of a shard, which looks whether the attempts are still under way.
CREATE INDEX task_slots_shard ON task_slots (shard_of(run_id));

-- Gives slots to attempts of shards that the boot `taker` owns, in the order of the arrays for each key, and answers the places (from 1) of those that have one
-- now. An attempt that has one keeps it. Nobody passes by the first of a key for whom there is none.
-- The locks are taken by statements of their own, and are held until the commit: what is counted after them is all that was given before. In one statement
-- the count could be older than the lock, and there would be too many.
CREATE FUNCTION take_task_slots(taker uuid, keys text[], run_ids uuid[], frames integer[], attempts integer[], limits integer[])
RETURNS SETOF integer LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  wanted   record;
  counting text;
  held     bigint;
  is_full  boolean;
BEGIN
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'slots are given at the level READ COMMITTED only';
  END IF;
  FOR wanted IN SELECT DISTINCT hashtext(k.key) AS lock FROM unnest(keys) AS k (key) ORDER BY 1 LOOP
    PERFORM pg_advisory_xact_lock(1936486260, wanted.lock);
  END LOOP;
  FOR wanted IN
    SELECT w.*, EXISTS (SELECT FROM shards AS s WHERE s.shard = shard_of(w.run_id) AND s.boot_id = taker) AS is_owned
      FROM unnest(keys, run_ids, frames, attempts, limits) WITH ORDINALITY AS w (key, run_id, frame, attempt, most, place)
     ORDER BY w.key COLLATE "C", w.place
  LOOP
    IF counting IS DISTINCT FROM wanted.key THEN
      counting := wanted.key;
      SELECT count(*) INTO held FROM task_slots AS t WHERE t.key = counting;
      is_full := false;
    END IF;
    CONTINUE WHEN NOT wanted.is_owned;
    IF EXISTS (SELECT FROM task_slots AS t
                WHERE t.key = wanted.key AND t.run_id = wanted.run_id AND t.frame = wanted.frame AND t.attempt = wanted.attempt) THEN
      RETURN NEXT wanted.place::integer;
    ELSIF held < wanted.most AND NOT is_full THEN
      INSERT INTO task_slots (key, run_id, frame, attempt) VALUES (wanted.key, wanted.run_id, wanted.frame, wanted.attempt);
      held := held + 1;
      RETURN NEXT wanted.place::integer;
    ELSE
      is_full := true;
    END IF;
  END LOOP;
END
$$;
