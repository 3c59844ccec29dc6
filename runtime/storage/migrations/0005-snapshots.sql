-- A run's state at some points of its history, so that a long run is read back without reading all of it. A cache of the journal: rows may be
-- deleted at any time.
CREATE TABLE run_snapshots (
  run_id uuid NOT NULL,
  -- Number of the last entry that the state contains.
  seq    bigint NOT NULL CHECK (seq > 0),
  -- CRC-32 as in `journal`.
  crc    integer NOT NULL,
  state  bytea NOT NULL,
  PRIMARY KEY (run_id, seq)
);
