-- Browser sessions and the one-time set-up link of this server. Django Sal neither reads nor minds them.
-- No foreign key to auth_user: deleting a user from Django Sal must go on working; a session of a user
-- that is gone finds no user and so is no session.
CREATE TABLE salrs_session (
    token_hash bytea PRIMARY KEY CHECK (length(token_hash) = 32),
    user_id integer NOT NULL,
    created timestamptz NOT NULL,
    last_seen timestamptz NOT NULL,
    expires timestamptz NOT NULL
);
CREATE INDEX salrs_session_user_id ON salrs_session (user_id);
CREATE INDEX salrs_session_expires ON salrs_session (expires);
CREATE TABLE salrs_setup_link (
    token_hash bytea PRIMARY KEY CHECK (length(token_hash) = 32),
    expires timestamptz NOT NULL
);
