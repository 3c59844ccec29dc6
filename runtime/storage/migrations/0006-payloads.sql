-- Payloads that would make the rows of `journal` long: a run that is read back fetches them only when it needs them.
CREATE TABLE payloads (
  run_id      uuid NOT NULL,
  -- Number of the entry that the payload belongs to, and the payload's place in it.
  seq         bigint NOT NULL CHECK (seq > 0),
  place       smallint NOT NULL,
  -- CRC-32 as in `journal`, over `bytes`.
  crc         integer NOT NULL,
  bytes       bytea NOT NULL,
  -- Name of the object that holds the payload; `bytes` is empty then.
  object_name text COLLATE "C",
  PRIMARY KEY (run_id, seq, place)
);
