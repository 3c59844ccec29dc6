-- Many nodes on one database: each owns some of the shards. `runtime/storage/ownership.ts` explains the protocol.

ALTER TABLE nodes
  ADD COLUMN roles           text[] NOT NULL DEFAULT '{gateway,engine,executor}',
  ADD COLUMN program_version text NOT NULL DEFAULT '',
  -- host:port at which clients reach the node's gateway.
  ADD COLUMN grpc_address    text NOT NULL DEFAULT '',
  -- It can't reach other nodes, so it shares the database with none.
  ADD COLUMN is_alone        boolean NOT NULL DEFAULT true,
  ADD COLUMN is_draining     boolean NOT NULL DEFAULT false,
  ADD COLUMN load            real NOT NULL DEFAULT 0,
  -- Set, together with released_at, when others fenced the boot.
  ADD COLUMN lost_at         timestamptz;

-- Members: the boots that neither left nor were fenced.
CREATE INDEX nodes_members ON nodes (boot_id) WHERE released_at IS NULL;

-- A shard is free if it has no owner, or if its owner has no lane that is not fenced. Every shard has its row from now on; its first owner has epoch 1.
ALTER TABLE shards
  -- The fenced boot that its owner took it from; null: it had been given up.
  ADD COLUMN taken_from uuid,
  ALTER COLUMN boot_id DROP NOT NULL,
  DROP CONSTRAINT shards_epoch_check,
  ADD CONSTRAINT shards_epoch_check CHECK (epoch > 0 OR epoch = 0 AND boot_id IS NULL);
INSERT INTO shards (shard, epoch) SELECT shard, 0 FROM generate_series(0, 4095) AS shard ON CONFLICT DO NOTHING;

-- One row: raised by each change of who is a member, what is announced of it, and who owns what.
CREATE TABLE ownership_version (
  version bigint NOT NULL
) WITH (fillfactor = 10);
INSERT INTO ownership_version VALUES (0);
