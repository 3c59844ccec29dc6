-- Drains that are said through older programs, which know `is_draining` alone, are kept as the wish that they are.
-- Serves programs from 0010 on.

-- Only older programs write the column itself. What they say of a boot that is starting holds once it has started.
CREATE FUNCTION note_drain_of_older() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.is_drain_wanted := NEW.is_draining;
  NEW.is_draining := NEW.is_draining OR NEW.is_starting;
  RETURN NEW;
END
$$;
CREATE TRIGGER nodes_drain_of_older BEFORE UPDATE OF is_draining ON nodes FOR EACH ROW EXECUTE FUNCTION note_drain_of_older();

-- The others write what it follows from.
CREATE FUNCTION derive_draining() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.is_draining := NEW.is_starting OR NEW.is_drain_wanted;
  RETURN NEW;
END
$$;
CREATE TRIGGER nodes_draining BEFORE UPDATE OF is_starting, is_drain_wanted ON nodes FOR EACH ROW EXECUTE FUNCTION derive_draining();

-- Drains that were said before this.
UPDATE nodes SET is_drain_wanted = true WHERE is_draining AND NOT is_starting;
