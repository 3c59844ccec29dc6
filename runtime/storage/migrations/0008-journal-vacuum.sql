-- New pages of the journal are marked as visible to all before a checkpoint passes over them: 6 bytes of WAL for a run of three steps. Marked
-- later, each page is logged as a whole, because the server's checksums cover the marks: 180 bytes, with pages that compress to a fifth.
ALTER TABLE journal SET (autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 100000);
