-- Whether the caller showed a machine group's key: who has none must not push out what the others' requests left.
-- 0002 makes the table with it by now.
ALTER TABLE IF EXISTS salrs_journal ADD COLUMN IF NOT EXISTS has_key boolean NOT NULL DEFAULT true;
