-- Workflow documents: immutable, one row a version.
CREATE TABLE workflows (
  id         uuid PRIMARY KEY,
  namespace  text NOT NULL,
  name       text NOT NULL,
  version    text NOT NULL,
  title      text NOT NULL,
  summary    text NOT NULL,
  document   text NOT NULL,
  created_at timestamptz NOT NULL,
  -- Taken out of use; runs that exist still read it.
  deleted_at timestamptz,
  -- Order in which versions were stored.
  ordinal    bigint GENERATED ALWAYS AS IDENTITY,
  UNIQUE (namespace, name, version)
);

CREATE INDEX workflows_newest ON workflows (ordinal DESC) WHERE deleted_at IS NULL;
CREATE INDEX workflows_newest_of_name ON workflows (namespace, name, ordinal DESC) WHERE deleted_at IS NULL;
