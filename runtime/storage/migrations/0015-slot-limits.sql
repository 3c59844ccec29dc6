-- Attempts with the same concurrency key may ask for different limits: a document was changed, or a handler. The least of them counts for all, of those that
-- have a slot and of the first that wait, or the one that asks for it could wait for ever behind others that are given more.
-- Serves programs from 0010 on.

-- What the attempt asked for. NULL: a program took the slot that did not say, or an execution goes on where its run has left.
ALTER TABLE task_slots ADD COLUMN most integer;

-- The least limit for which an attempt waits while others have more than that; those who wait say so again each second. Only keys with different limits are here.
CREATE TABLE task_slot_limits (
  key      text        PRIMARY KEY,
  least    integer     NOT NULL,
  asked_at timestamptz NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

-- As before (0011), with the least limit. Rows of `task_slot_limits` are written under the lock of their key; what nobody asks for any more is deleted last, and
-- without waiting, so that no two who do so wait for each other.
CREATE OR REPLACE FUNCTION take_task_slots(taker uuid, keys text[], run_ids uuid[], frames integer[], attempts integer[], limits integer[])
RETURNS SETOF integer LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  wanted    record;
  counting  text;
  held      bigint;
  least_of  integer;
  is_full   boolean;
  is_writer boolean := false;
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
      SELECT count(*), min(t.most) INTO held, least_of FROM task_slots AS t WHERE t.key = counting;
      SELECT least(least_of, min(l.least)) INTO least_of FROM task_slot_limits AS l
       WHERE l.key = counting AND l.asked_at > clock_timestamp() - interval '5 seconds';
      is_full := false;
    END IF;
    CONTINUE WHEN NOT wanted.is_owned;
    IF EXISTS (SELECT FROM task_slots AS t
                WHERE t.key = wanted.key AND t.run_id = wanted.run_id AND t.frame = wanted.frame AND t.attempt = wanted.attempt) THEN
      RETURN NEXT wanted.place::integer;
    ELSIF held < least(wanted.most, least_of) AND NOT is_full THEN
      INSERT INTO task_slots (key, run_id, frame, attempt, most) VALUES (wanted.key, wanted.run_id, wanted.frame, wanted.attempt, wanted.most);
      held := held + 1;
      least_of := least(wanted.most, least_of);
      RETURN NEXT wanted.place::integer;
    ELSIF NOT is_full THEN
      is_full := true;
      -- The first that has to wait.
      IF held > wanted.most OR EXISTS (SELECT FROM task_slot_limits AS l WHERE l.key = counting AND l.least >= wanted.most) THEN
        INSERT INTO task_slot_limits AS l (key, least, asked_at) VALUES (counting, wanted.most, clock_timestamp())
            ON CONFLICT (key) DO UPDATE SET asked_at = excluded.asked_at, least = CASE
               WHEN l.asked_at > clock_timestamp() - interval '5 seconds' THEN least(l.least, excluded.least) ELSE excluded.least END
            WHERE l.least >= excluded.least OR l.asked_at <= clock_timestamp() - interval '5 seconds';
        is_writer := true;
      END IF;
    END IF;
  END LOOP;
  IF is_writer THEN
    DELETE FROM task_slot_limits AS d USING (
      SELECT l.key FROM task_slot_limits AS l WHERE l.asked_at < clock_timestamp() - interval '1 minute' LIMIT 100 FOR UPDATE SKIP LOCKED) AS old
     WHERE d.key = old.key;
  END IF;
END
$$;
