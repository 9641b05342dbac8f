-- Logins by single sign-on that are under way stand in the browser's cookie, sealed with a key that all servers on this
-- database share, and no longer in salrs_oidc_login: that one is left to servers of before while they are replaced.
-- Django Sal neither reads nor minds these tables.
CREATE TABLE salrs_login_key (
    name text PRIMARY KEY,
    -- Whoever has it can read and make such cookies, which are worth nothing without the provider's word.
    value bytea NOT NULL CHECK (length(value) = 32),
    created timestamptz NOT NULL
);
-- A login is used once: a row for each that ended well, until its cookie would have expired.
CREATE TABLE salrs_oidc_used (
    login_hash bytea PRIMARY KEY CHECK (length(login_hash) = 32),
    expires timestamptz NOT NULL
);
CREATE INDEX salrs_oidc_used_expires ON salrs_oidc_used (expires);
