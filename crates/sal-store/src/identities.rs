//! `salrs_identity`, `salrs_login_key`, `salrs_oidc_used`: single sign-on, and what it makes of `auth_user` and its
//! neighbours.
//!
//! Which account may become which user is the doors' business; these statements only find and write.

use jiff::Timestamp;

use crate::ids::{UnitId, UserId};

crate::queries! {
    /// The key of this name; the given one when there was none. Nothing when another server has made one this very
    /// moment: it is there when asked again.
    login_key(name: str, fresh: Vec<u8>, now: Timestamp) -> /// A key.
    LoginKey {
        /// Its bytes.
        value: Vec<u8>,
    } = "
        WITH made AS (
            INSERT INTO salrs_login_key (name, value, created) VALUES ($1, $2, $3)
            ON CONFLICT DO NOTHING RETURNING value
        )
        SELECT value FROM made UNION ALL SELECT value FROM salrs_login_key WHERE name = $1 LIMIT 1";

    /// Whether a login was used already.
    oidc_login_used(login_hash: Vec<u8>) -> /// A used login.
    UsedLogin {
        /// Until when it is remembered.
        expires: Timestamp,
    } = "SELECT expires FROM salrs_oidc_used WHERE login_hash = $1";

    /// Uses a login up, and forgets those that are too old to be used. Returns 0 when it was used already.
    use_oidc_login(login_hash: Vec<u8>, now: Timestamp, expires: Timestamp) = "
        WITH old AS (DELETE FROM salrs_oidc_used WHERE expires <= $2)
        INSERT INTO salrs_oidc_used (login_hash, expires) VALUES ($1, $3) ON CONFLICT DO NOTHING";

    /// Lets one login at a time change users, to the end of the transaction.
    lock_identities() = "SELECT pg_advisory_xact_lock(8313457092)";

    /// The user of an identity, or else the one with exactly this name where one is trusted.
    find_account(issuer: str, subject: str, trusted_name: Option<String>) -> /// A user that a login may belong to.
    Account {
        /// The user's id.
        id: UserId,
        /// The user's name.
        username: String,
        /// Whether the account is in use.
        is_active: bool,
        /// May manage users.
        is_staff: bool,
        /// Whether this is the identity's own user; if not, only the name is the same.
        is_known: bool,
        /// Whether another identity of this issuer belongs to the user.
        is_anothers: bool,
        /// `SO`, `RO`, `RW` or `GA`; absent before the first visit.
        level: Option<String>,
        /// Ids of the business units the user belongs to.
        units: Vec<i32>,
    } = "
        WITH own AS (SELECT user_id FROM salrs_identity WHERE issuer = $1 AND subject = $2)
        SELECT u.id, u.username, u.is_active, u.is_staff,
               u.id IN (SELECT user_id FROM own) AS is_known,
               EXISTS (SELECT FROM salrs_identity i WHERE i.user_id = u.id AND i.issuer = $1 AND i.subject <> $2) AS is_anothers,
               p.level,
               ARRAY(SELECT m.businessunit_id FROM server_businessunit_users m WHERE m.user_id = u.id ORDER BY 1) AS units
        FROM auth_user u
        LEFT JOIN server_userprofile p ON p.user_id = u.id
        WHERE u.id IN (SELECT user_id FROM own) OR u.username = $3::text
        ORDER BY is_known DESC LIMIT 1";

    /// The names of all users, to compare what they look like.
    user_names(issuer: str) -> /// A user's name.
    UserName {
        /// It.
        username: String,
        /// Whether an account of this issuer belongs to the user.
        has_identity: bool,
    } = "SELECT u.username, EXISTS (SELECT FROM salrs_identity i WHERE i.user_id = u.id AND i.issuer = $1) AS has_identity
         FROM auth_user u ORDER BY u.id";

    /// The accounts that belong to a user.
    identities_of(user: UserId) -> /// An account of a provider.
    Identity {
        /// The provider.
        issuer: String,
        /// The account's id there.
        subject: String,
        /// Since when it belongs to the user.
        created: Timestamp,
        /// When it was last used, or linked.
        last_login: Timestamp,
    } = "SELECT issuer, subject, created, last_login FROM salrs_identity WHERE user_id = $1 ORDER BY issuer, subject";

    /// The user to whom an account belongs.
    owner_of_identity(issuer: str, subject: str) -> /// A user.
    Owner {
        /// The user's id.
        id: UserId,
        /// The user's name.
        username: String,
    } = "SELECT u.id, u.username FROM salrs_identity i JOIN auth_user u ON u.id = i.user_id
         WHERE i.issuer = $1 AND i.subject = $2";

    /// Takes an account from a user.
    delete_identity(issuer: str, subject: str, user: UserId) =
        "DELETE FROM salrs_identity WHERE issuer = $1 AND subject = $2 AND user_id = $3";

    /// Makes a user without staff rights; none when the name is taken.
    insert_sso_user(username: str, password: str, first_name: str, last_name: str, email: str, now: Timestamp) ->
    /// A new user.
    NewUser {
        /// The user's id.
        id: UserId,
    } = "INSERT INTO auth_user (password, is_superuser, username, first_name, last_name, email,
                                is_staff, is_active, date_joined)
         VALUES ($2, false, $1, $3, $4, $5, false, true, $6)
         ON CONFLICT (username) DO NOTHING RETURNING id";

    /// Notes that the identity is the user's, and that it was used now.
    put_identity(issuer: str, subject: str, user: UserId, now: Timestamp) = "
        INSERT INTO salrs_identity (issuer, subject, user_id, created, last_login) VALUES ($1, $2, $3, $4, $4)
        ON CONFLICT (issuer, subject) DO UPDATE
        SET last_login = excluded.last_login, user_id = excluded.user_id,
            created = CASE WHEN salrs_identity.user_id = excluded.user_id THEN salrs_identity.created
                           ELSE excluded.created END";

    /// Sets the user's level.
    put_level(user: UserId, level: str) = "
        INSERT INTO server_userprofile (user_id, level) VALUES ($1, $2)
        ON CONFLICT (user_id) DO UPDATE SET level = excluded.level";

    /// Sets whether the user is staff.
    put_staff(user: UserId, is_staff: bool) = "UPDATE auth_user SET is_staff = $2 WHERE id = $1";

    /// The units with these names; several may share one.
    units_named(names: Vec<String>) -> /// A business unit.
    NamedUnit {
        /// Its id.
        id: UnitId,
        /// Its name.
        name: String,
    } = "SELECT id, name FROM server_businessunit WHERE name = ANY($1) ORDER BY id";

    /// The units with these ids.
    units_of(ids: Vec<UnitId>) -> /// A business unit of a user.
    OwnUnit {
        /// Its name.
        name: String,
    } = "SELECT name FROM server_businessunit WHERE id = ANY($1) ORDER BY id";

    /// Makes the user a member of these units and of no others.
    put_units(user: UserId, units: Vec<i32>) = "
        WITH left_behind AS (
            DELETE FROM server_businessunit_users WHERE user_id = $1 AND businessunit_id <> ALL($2)
        )
        INSERT INTO server_businessunit_users (businessunit_id, user_id)
        SELECT unit, $1 FROM unnest($2::int[]) AS unit
        ON CONFLICT (businessunit_id, user_id) DO NOTHING";
}
