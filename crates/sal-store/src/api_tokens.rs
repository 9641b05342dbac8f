//! `salrs_api_token`: what programs show to the REST API as `Authorization: Bearer sal_…`.
//!
//! Of a secret only the hash is here. A token has one, and for a while the one before it. What a token may do ends with
//! what its owner may: [`authenticate_token`] reads both, the caller judges.

use jiff::Timestamp;

use crate::ids::{TokenId, UserId};

crate::queries! {
    /// The token that a secret is or was of, and its owner as of now. Whether it counts is the caller's to judge.
    authenticate_token(hash: Vec<u8>) -> /// A token whose secret somebody showed.
    ShownToken {
        /// Its id.
        id: TokenId,
        /// What it is for.
        name: String,
        /// Whether it may change things.
        can_write: bool,
        /// Whether it sees the keys of machine groups.
        sees_keys: bool,
        /// The business units that it sees; none for all.
        units: Option<Vec<i32>>,
        /// When it ends.
        expires: Option<Timestamp>,
        /// When it was revoked.
        revoked: Option<Timestamp>,
        /// Whether the secret is the one before.
        is_former: bool,
        /// When the one before ends.
        former_ends: Option<Timestamp>,
        /// When it was last used, to within a minute.
        last_used: Option<Timestamp>,
        /// When the former secret was last used, to within a minute.
        former_used: Option<Timestamp>,
        /// Its owner.
        user: UserId,
        /// Whether the owner's account is in use.
        is_active: bool,
        /// Whether the owner is Django's superuser.
        is_superuser: bool,
        /// The owner's level; absent before the first visit.
        level: Option<String>,
        /// Whether there is no other user.
        only_user: bool,
    } = "
        SELECT t.id, t.name, t.can_write, t.sees_keys, t.units, t.expires, t.revoked,
               t.secret_hash IS DISTINCT FROM $1 AS is_former, t.former_ends, t.last_used, t.former_used,
               u.id AS user, u.is_active, u.is_superuser, p.level,
               NOT EXISTS (SELECT FROM auth_user other WHERE other.id <> u.id) AS only_user
        FROM salrs_api_token t
        JOIN auth_user u ON u.id = t.user_id
        LEFT JOIN server_userprofile p ON p.user_id = u.id
        WHERE t.secret_hash = $1 OR t.former_hash = $1";

    /// All tokens: those that were not revoked by name, then the others, the last revoked first.
    list_tokens() -> /// A token of the list.
    ListedToken {
        /// Its id.
        id: TokenId,
        /// What it is for.
        name: String,
        /// The owner's name, while there is the owner.
        owner: Option<String>,
        /// Whether the owner's account is in use.
        owner_is_active: Option<bool>,
        /// Whether the owner is a global admin.
        owner_is_admin: bool,
        /// When it was made.
        created: Timestamp,
        /// When it ends.
        expires: Option<Timestamp>,
        /// Whether it may change things.
        can_write: bool,
        /// Whether it sees the keys of machine groups.
        sees_keys: bool,
        /// The ids of the business units that it sees; none for all.
        units: Option<Vec<i32>>,
        /// The names of those that there are.
        unit_names: Vec<String>,
        /// Whether there is a secret.
        has_secret: bool,
        /// How often there was a new one.
        secrets: i32,
        /// When the secret before ends.
        former_ends: Option<Timestamp>,
        /// When the secret before was last used.
        former_used: Option<Timestamp>,
        /// When it was last used.
        last_used: Option<Timestamp>,
        /// From which address.
        last_address: Option<String>,
        /// When it was revoked.
        revoked: Option<Timestamp>,
    } = "
        SELECT t.id, t.name, u.username AS owner, u.is_active AS owner_is_active,
               coalesce(p.level = 'GA' OR (u.is_superuser AND NOT EXISTS (SELECT FROM auth_user other WHERE other.id <> u.id)), false)
                   AS owner_is_admin,
               t.created, t.expires, t.can_write, t.sees_keys, t.units,
               ARRAY(SELECT b.name::text FROM server_businessunit b WHERE b.id = ANY(t.units) ORDER BY b.name, b.id) AS unit_names,
               t.secret_hash IS NOT NULL AS has_secret, t.secrets, t.former_ends, t.former_used, t.last_used, t.last_address, t.revoked
        FROM salrs_api_token t
        LEFT JOIN auth_user u ON u.id = t.user_id
        LEFT JOIN server_userprofile p ON p.user_id = u.id
        ORDER BY t.revoked DESC NULLS FIRST, lower(t.name), t.id";

    /// How many tokens of a user were not revoked and did not end.
    count_tokens_of(user: UserId, now: Timestamp) -> /// A number of tokens.
    TokenCount {
        /// How many.
        count: i64,
    } = "SELECT count(*) AS count FROM salrs_api_token
         WHERE user_id = $1 AND revoked IS NULL AND (expires IS NULL OR expires > $2)";

    /// A user who is to own a token. Whether that may be is the caller's to judge.
    token_owner(username: str) -> /// A user who is to own a token.
    TokenOwner {
        /// The user's id.
        id: UserId,
        /// Whether the account is in use.
        is_active: bool,
        /// Django's superuser.
        is_superuser: bool,
        /// The level; absent before the first visit.
        level: Option<String>,
        /// Whether there is no other user.
        only_user: bool,
    } = "SELECT u.id, u.is_active, u.is_superuser, p.level,
                NOT EXISTS (SELECT FROM auth_user other WHERE other.id <> u.id) AS only_user
         FROM auth_user u LEFT JOIN server_userprofile p ON p.user_id = u.id WHERE u.username = $1";

    /// Makes a token that has no secret yet; nothing when another one has the name.
    insert_token(InsertToken {
        name: str,
        user: UserId,
        created: Timestamp,
        expires: Option<Timestamp>,
        can_write: bool,
        sees_keys: bool,
        units: Option<Vec<i32>>
    }) -> /// A new token.
    MadeToken {
        /// Its id.
        id: TokenId,
    } = "INSERT INTO salrs_api_token (name, user_id, created, expires, can_write, sees_keys, units)
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING RETURNING id";

    /// Gives a token another secret, and the one it has an end; the one before that ends now. Only when it has had as many
    /// secrets as the caller thinks: two who do it at once must not end the secret that one of them has just made.
    replace_secret(id: TokenId, secrets: i32, hash: Vec<u8>, former_ends: Timestamp) -> /// A token with a new secret.
    RenewedToken {
        /// What it is for.
        name: String,
    } = "UPDATE salrs_api_token
         SET former_hash = secret_hash,
             former_ends = CASE WHEN secret_hash IS NOT NULL THEN $4::timestamptz END,
             former_used = NULL, secret_hash = $3, secrets = secrets + 1
         WHERE id = $1 AND secrets = $2 AND revoked IS NULL
         RETURNING name";

    /// Refuses the secret before the present one from now on.
    end_former_secret(id: TokenId) =
        "UPDATE salrs_api_token SET former_hash = NULL, former_ends = NULL, former_used = NULL
         WHERE id = $1 AND revoked IS NULL AND former_ends IS NOT NULL";

    /// Refuses a token from now on, with whatever secret.
    revoke_token(id: TokenId, at: Timestamp) -> /// A token that was revoked.
    RevokedToken {
        /// What it was for.
        name: String,
    } = "UPDATE salrs_api_token SET revoked = $2, former_ends = NULL WHERE id = $1 AND revoked IS NULL RETURNING name";

    /// Notes when and from where tokens were used, unless it was noted within the minute before: another server may have.
    touch_tokens(ids: Vec<TokenId>, at: Vec<Timestamp>, addresses: Vec<String>, is_former: Vec<bool>) = "
        UPDATE salrs_api_token t
        SET last_used = greatest(t.last_used, used.at), last_address = used.address,
            former_used = greatest(t.former_used, used.former_at)
        FROM (
            SELECT id, max(at) AS at, (array_agg(address ORDER BY at DESC))[1] AS address,
                   max(at) FILTER (WHERE is_former) AS former_at
            FROM unnest($1::bigint[], $2::timestamptz[], $3::text[], $4::boolean[]) AS one (id, at, address, is_former)
            GROUP BY id
        ) used
        WHERE t.id = used.id AND (t.last_used IS NULL OR t.last_used <= used.at - interval '1 minute'
            OR (used.former_at IS NOT NULL
                AND (t.former_used IS NULL OR t.former_used <= used.former_at - interval '1 minute')))";
}

impl ListedToken {
    /// Whether programs that show it are let in.
    #[must_use]
    pub fn works(&self, now: Timestamp) -> bool {
        self.revoked.is_none()
            && self.has_secret
            && self.expires.is_none_or(|end| end > now)
            && self.owner_is_active == Some(true)
            && self.owner_is_admin
    }
}
