-- Tokens that programs show to the REST API. Of a secret only its SHA-256 is here: it has 190 random bits, so that nothing
-- slower is needed. Django Sal neither reads nor minds it. No foreign key to auth_user: deleting a user from Django Sal must
-- go on working; a token whose owner is gone lets nobody in.
CREATE TABLE salrs_api_token (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL,
    -- The owner: the token may never do what this user may not.
    user_id integer NOT NULL,
    created timestamptz NOT NULL,
    -- None for a token that does not end by itself.
    expires timestamptz,
    can_write boolean NOT NULL,
    -- Whether it sees the keys of machine groups.
    sees_keys boolean NOT NULL,
    -- The business units that it sees and changes; none for all.
    units integer[],
    -- None until somebody had the secret shown.
    secret_hash bytea UNIQUE CHECK (length(secret_hash) = 32),
    -- How often there was a new secret: who asks for another says which one is to be replaced.
    secrets integer NOT NULL DEFAULT 0,
    -- The secret before, which works until its end.
    former_hash bytea UNIQUE CHECK (length(former_hash) = 32),
    former_ends timestamptz,
    last_used timestamptz,
    last_address text,
    -- When the former secret was last shown.
    former_used timestamptz,
    revoked timestamptz,
    CHECK (cardinality(units) > 0)
);
-- The audit log names them.
CREATE UNIQUE INDEX salrs_api_token_name ON salrs_api_token (name) WHERE revoked IS NULL;
CREATE INDEX salrs_api_token_user_id ON salrs_api_token (user_id);
