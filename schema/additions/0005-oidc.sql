-- Single sign-on: which account of an identity provider is which user, and logins that are under way. Django Sal neither
-- reads nor minds it. No foreign key to auth_user: deleting a user from Django Sal must go on working; an identity of a
-- user that is gone is as good as none.
CREATE TABLE salrs_identity (
    issuer text NOT NULL,
    subject text NOT NULL,
    user_id integer NOT NULL,
    created timestamptz NOT NULL,
    last_login timestamptz NOT NULL,
    PRIMARY KEY (issuer, subject)
);
CREATE INDEX salrs_identity_user_id ON salrs_identity (user_id);
-- A row is used once. Its key is a hash over what the provider sends back and what only the browser knows.
CREATE TABLE salrs_oidc_login (
    state_hash bytea PRIMARY KEY CHECK (length(state_hash) = 32),
    nonce text NOT NULL,
    verifier text NOT NULL,
    next text NOT NULL,
    expires timestamptz NOT NULL
);
CREATE INDEX salrs_oidc_login_expires ON salrs_oidc_login (expires);
