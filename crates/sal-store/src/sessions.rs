//! `salrs_session`: who is logged in with a browser.
//!
//! A session's key is `SHA-256(SHA-256(cookie) ‖ the user's stored password)`, so that the table cannot be used
//! to log in, and a changed password ends all sessions of the user at once, whichever server changed it.

use jiff::Timestamp;

use crate::ids::UserId;

crate::queries! {
    /// Starts a session and forgets those that have expired. Returns 0 when the user is gone.
    insert_session(user: UserId, cookie_hash: Vec<u8>, now: Timestamp, expires: Timestamp) = "
        WITH old AS (DELETE FROM salrs_session WHERE expires <= $3)
        INSERT INTO salrs_session (token_hash, user_id, created, last_seen, expires)
        SELECT sha256($2::bytea || convert_to(password, 'UTF8')), id, $3, $3, $4 FROM auth_user WHERE id = $1";

    /// The viewer behind a session that has not expired. Whether the account is in use, and when the session was, is the
    /// caller's to judge.
    session_viewer(user: UserId, cookie_hash: Vec<u8>, now: Timestamp) -> /// A logged-in user.
    SessionViewer {
        /// The user's id.
        id: UserId,
        /// The user's name.
        username: String,
        /// May manage users.
        is_staff: bool,
        /// Django's superuser.
        is_superuser: bool,
        /// `SO`, `RO`, `RW` or `GA`; absent before the first visit.
        level: Option<String>,
        /// Ids of the business units the user belongs to.
        units: Vec<i32>,
        /// Whether there is no other user.
        only_user: bool,
        /// Whether the account is in use.
        is_active: bool,
        /// When the session was last used, to within a few minutes.
        last_seen: Timestamp,
    } = "
        SELECT u.id, u.username, u.is_staff, u.is_superuser, p.level,
               ARRAY(SELECT m.businessunit_id FROM server_businessunit_users m WHERE m.user_id = u.id) AS units,
               NOT EXISTS (SELECT FROM auth_user other WHERE other.id <> u.id) AS only_user,
               u.is_active, s.last_seen
        FROM auth_user u
        JOIN salrs_session s ON s.token_hash = sha256($2::bytea || convert_to(u.password, 'UTF8'))
        LEFT JOIN server_userprofile p ON p.user_id = u.id
        WHERE u.id = $1 AND s.user_id = u.id AND s.expires > $3";

    /// Remembers that a session is in use.
    touch_session(user: UserId, cookie_hash: Vec<u8>, now: Timestamp) = "
        UPDATE salrs_session s SET last_seen = $3 FROM auth_user u
        WHERE u.id = $1 AND s.token_hash = sha256($2::bytea || convert_to(u.password, 'UTF8')) AND s.last_seen < $3";

    /// Ends all sessions of a user.
    delete_sessions_of(user: UserId) = "DELETE FROM salrs_session WHERE user_id = $1";

    /// Ends a session.
    delete_session(user: UserId, cookie_hash: Vec<u8>) = "
        DELETE FROM salrs_session s USING auth_user u
        WHERE u.id = $1 AND s.token_hash = sha256($2::bytea || convert_to(u.password, 'UTF8'))";
}
