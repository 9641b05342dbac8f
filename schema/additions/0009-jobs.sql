-- What maintenance does and did: one row for each job, written by whichever server does it. Django Sal neither reads
-- nor minds it.
CREATE TABLE salrs_job (
    name text PRIMARY KEY,
    -- One sentence, and how often, as the server says that does the work.
    what text NOT NULL,
    every_seconds bigint NOT NULL,
    -- When it is done next; a person who wants it now sets this to the past.
    next_due timestamptz NOT NULL,
    last_started timestamptz,
    -- NULL while it runs, and after a server was killed in the middle of it.
    last_finished timestamptz,
    -- `running`, `done`, `failed` or `stopped`.
    last_result text,
    last_server text,
    rows bigint NOT NULL DEFAULT 0,
    duration_ms bigint NOT NULL DEFAULT 0,
    -- What was done, in words, and what went wrong.
    last_detail text NOT NULL DEFAULT '',
    last_error text NOT NULL DEFAULT '',
    runs bigint NOT NULL DEFAULT 0,
    failures bigint NOT NULL DEFAULT 0
);
