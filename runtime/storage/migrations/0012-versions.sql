-- Nodes of several versions beside each other, and operators who are in time.
-- Serves programs from 0010 on.

ALTER TABLE nodes
  -- What the boot understands: `runtime/dialect.ts`. Programs that do not know the column speak the first.
  ADD COLUMN dialect         integer NOT NULL DEFAULT 1,
  -- It can't act for shards yet: it is draining until it can.
  ADD COLUMN is_starting     boolean NOT NULL DEFAULT false,
  -- Somebody wants it to drain, also once it has started.
  ADD COLUMN is_drain_wanted boolean NOT NULL DEFAULT false;
