-- Requests of programs that named themselves (Idempotency-Key), and what was answered when they changed something, for a
-- day. Django Sal neither reads nor minds it.
CREATE TABLE salrs_api_answer (
    -- The token, key or person that asked.
    caller text NOT NULL,
    key text NOT NULL,
    -- SHA-256 of method, address and body.
    request bytea NOT NULL CHECK (length(request) = 32),
    -- Which try it is that is under way: another may have taken over.
    try bytea NOT NULL,
    started timestamptz NOT NULL,
    -- None while it is under way. Written in the transaction of the change.
    status integer,
    -- JSON; none where there is no body.
    body text,
    PRIMARY KEY (caller, key)
);
CREATE INDEX salrs_api_answer_started ON salrs_api_answer (started);
