//! `auth_user`, `server_userprofile`, `server_businessunit_users`: people, their levels and their units.
//!
//! Passwords are opaque texts here; hashing is the doors' business.

use jiff::Timestamp;

use crate::ids::UserId;

crate::queries! {
    /// The user with this name, spelled exactly, if there is one.
    user_by_name(username: &str) -> /// A user as the login page needs it.
    LoginUser {
        /// The user's id.
        id: UserId,
        /// The password in Django's encoding.
        password: String,
        /// Whether the account is in use.
        is_active: bool,
    } = "SELECT id, password, is_active FROM auth_user WHERE username = $1";

    /// How many users there are, counted no further than two.
    count_users_to_two() -> /// A count of users.
    UserCount {
        /// 0, 1, or 2 for more.
        count: i64,
    } = "SELECT count(*) AS count FROM (SELECT FROM auth_user LIMIT 2) AS few";

    /// Records a login.
    record_login(id: UserId, now: Timestamp) = "UPDATE auth_user SET last_login = $2 WHERE id = $1";

    /// Gives the user a profile if there is none: `RO`, as Sal does. The only user of the database becomes `GA`
    /// when a superuser, also when a profile with less is there.
    ensure_profile(id: UserId) = "
        INSERT INTO server_userprofile (user_id, level)
        SELECT id, CASE WHEN is_superuser AND (SELECT count(*) FROM auth_user) = 1 THEN 'GA' ELSE 'RO' END
        FROM auth_user WHERE id = $1
        ON CONFLICT (user_id) DO UPDATE SET level = 'GA'
        WHERE excluded.level = 'GA' AND server_userprofile.level <> 'GA'";

    /// Creates the first user, a superuser and staff member with level `GA`, if the unused set-up link with this
    /// hash has not expired and there is no user yet. The link is used up by it.
    create_first_user(token_hash: Vec<u8>, username: &str, password: &str, now: Timestamp) -> /// The first user.
    FirstUser {
        /// The user's id.
        id: UserId,
    } = "
        WITH link AS (
            DELETE FROM salrs_setup_link
            WHERE token_hash = $1 AND expires > $4 AND NOT EXISTS (SELECT FROM auth_user)
            RETURNING token_hash
        ), first AS (
            INSERT INTO auth_user (password, is_superuser, username, first_name, last_name, email,
                                   is_staff, is_active, date_joined)
            SELECT $3, true, $2, '', '', '', true, true, $4 FROM link
            RETURNING id
        )
        INSERT INTO server_userprofile (user_id, level) SELECT id, 'GA' FROM first RETURNING user_id AS id";

    /// A superuser, if there is one, deactivated or not.
    superusers() -> /// Somebody with all rights in Django's eyes.
    Superuser {
        /// The user's id.
        id: UserId,
    } = "SELECT id FROM auth_user WHERE is_superuser LIMIT 1";

    /// Makes the user with this name a superuser and staff member with level `GA` and this password, unless there is a
    /// superuser. Whether an existing user is active stays as it is, as in Sal.
    restore_superuser(username: &str, password: &str, now: Timestamp) -> /// The user.
    RestoredUser {
        /// The user's id.
        id: UserId,
        /// Whether it was made now.
        is_new: bool,
        /// Whether it can log in.
        is_active: bool,
    } = "
        WITH restored AS (
            INSERT INTO auth_user (password, is_superuser, username, first_name, last_name, email,
                                   is_staff, is_active, date_joined)
            SELECT $2, true, $1, '', '', '', true, true, $3
            WHERE NOT EXISTS (SELECT FROM auth_user WHERE is_superuser)
            ON CONFLICT (username) DO UPDATE
            SET password = excluded.password, is_superuser = true, is_staff = true
            RETURNING id, is_active
        ), profile AS (
            INSERT INTO server_userprofile (user_id, level) SELECT id, 'GA' FROM restored
            ON CONFLICT (user_id) DO UPDATE SET level = 'GA'
        ), ended AS (
            DELETE FROM salrs_session WHERE user_id IN (SELECT id FROM restored)
        )
        SELECT id, NOT EXISTS (SELECT FROM auth_user WHERE username = $1) AS is_new, is_active FROM restored";

    /// Stores the hash of a set-up link and forgets those that have expired, if there is no user yet.
    insert_setup_link(token_hash: Vec<u8>, now: Timestamp, expires: Timestamp) = "
        WITH old AS (DELETE FROM salrs_setup_link WHERE expires <= $2)
        INSERT INTO salrs_setup_link (token_hash, expires)
        SELECT $1, $3 WHERE NOT EXISTS (SELECT FROM auth_user)";

    /// The set-up link with this hash, if it is still good and there is no user yet.
    setup_link(token_hash: Vec<u8>, now: Timestamp) -> /// A set-up link.
    SetupLink {
        /// When it stops working.
        expires: Timestamp,
    } = "SELECT expires FROM salrs_setup_link
         WHERE token_hash = $1 AND expires > $2 AND NOT EXISTS (SELECT FROM auth_user)";
}
