-- Keys that machine groups had before, which let machines in until they end. Only their SHA-256 is here: keys that Sal makes
-- have 128 random characters. Django Sal neither reads nor minds it, and refuses these keys.
CREATE TABLE salrs_group_key (
    key_hash bytea PRIMARY KEY CHECK (length(key_hash) = 32),
    -- No foreign key: deleting a group from Django Sal must go on working; a key of a group that is gone lets nobody in.
    group_id integer NOT NULL,
    replaced timestamptz NOT NULL,
    ends timestamptz NOT NULL
);
CREATE INDEX salrs_group_key_group_id ON salrs_group_key (group_id);
-- Whether the last check-in came with such a key. 0002 makes the table with it by now.
ALTER TABLE IF EXISTS salrs_checkin ADD COLUMN IF NOT EXISTS by_former_key boolean NOT NULL DEFAULT false;
