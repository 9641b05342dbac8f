-- How many machines of each group were what on a day: what pages draw over time. Django Sal neither reads nor minds it.
CREATE TABLE salrs_snapshot (
    day date NOT NULL,
    -- No foreign key: deleting a group from Django Sal must go on working, and what was counted stays true.
    group_id integer NOT NULL,
    -- Counts by name: {"machines": 12, "seen": 11, "os Darwin 15.1": 7}.
    counts jsonb NOT NULL,
    PRIMARY KEY (day, group_id)
);
