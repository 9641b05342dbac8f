-- Counts over a large part of the fleet that would take too long at each visit of a page: applications and waiting
-- updates of all machines, of a business unit or of a machine group. Counted again when somebody looks and the row is
-- old; a row that is lost or damaged is simply counted again. Django Sal neither reads nor minds it.
-- No foreign keys: deleting a unit from Django Sal must go on working; rows nobody looks at are removed after a week.
CREATE TABLE salrs_summary (
    -- `applications` or `updates`.
    what text NOT NULL,
    -- `all` with 0, `unit` with a business unit's id, `group` with a machine group's id.
    place text NOT NULL,
    place_id bigint NOT NULL,
    counted timestamptz NOT NULL,
    -- How long the counting took: what is slow to count is counted less often.
    milliseconds integer NOT NULL,
    -- A list of objects, as the statement that counts returns them.
    counts jsonb NOT NULL,
    PRIMARY KEY (what, place, place_id)
);
