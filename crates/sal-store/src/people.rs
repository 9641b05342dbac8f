//! `auth_user` with profile and units, for the pages that manage people.
//!
//! Logging in and the first user are in `users`. Nothing here returns a stored password, except for the person whose it
//! is ([`own_password`]).

use jiff::Timestamp;
use tokio_postgres::{Row, types::Type};

use crate::{
    error::StoreError,
    ids::{UnitId, UserId},
    keyset::{Key, ListPage, Listing, Start},
    pool::Executor,
};

crate::queries! {
    /// The person with this id.
    find_person(id: UserId) -> /// A person who exists.
    FoundPerson {
        /// The user's id.
        id: UserId,
        /// The user's name.
        username: String,
        /// First name, may be empty.
        first_name: String,
        /// Last name, may be empty.
        last_name: String,
        /// E-mail address, may be empty.
        email: String,
        /// May manage users, when `GA` too.
        is_staff: bool,
        /// Django's superuser.
        is_superuser: bool,
        /// Whether the account is in use.
        is_active: bool,
        /// When the account was made.
        date_joined: Timestamp,
        /// When the person last logged in.
        last_login: Option<Timestamp>,
        /// Whether there is a password to log in with.
        has_password: bool,
        /// `SO`, `RO`, `RW` or `GA`.
        level: String,
        /// Ids of the business units.
        units: Vec<i32>,
    } = "SELECT u.id, u.username, u.first_name, u.last_name, u.email, u.is_staff, u.is_superuser, u.is_active, u.date_joined,
             u.last_login, u.password NOT LIKE '!%' AS has_password, coalesce(p.level, 'RO') AS level,
             ARRAY(SELECT m.businessunit_id FROM server_businessunit_users m WHERE m.user_id = u.id) AS units
         FROM auth_user u LEFT JOIN server_userprofile p ON p.user_id = u.id WHERE u.id = $1";

    /// All business units by name.
    unit_names() -> /// A business unit.
    NamedUnit {
        /// Its id.
        id: UnitId,
        /// Its name.
        name: String,
    } = "SELECT id, name FROM server_businessunit ORDER BY name, id";

    /// Everybody who can manage people: active, staff and `GA`.
    administrators() -> /// Somebody who can manage people.
    Administrator {
        /// The user's id.
        id: UserId,
    } = "SELECT u.id FROM auth_user u JOIN server_userprofile p ON p.user_id = u.id
         WHERE u.is_active AND u.is_staff AND p.level = 'GA' ORDER BY u.id";

    /// Locks them until the transaction ends, so that two people cannot take each other's rights at the same moment.
    lock_administrators() = "SELECT FROM auth_user u JOIN server_userprofile p ON p.user_id = u.id
         WHERE u.is_active AND u.is_staff AND p.level = 'GA' ORDER BY u.id FOR UPDATE OF u, p";

    /// Makes a person; nobody when the name is taken, upper or lower case.
    insert_person(InsertPerson {
        username: str, password: str, first_name: str, last_name: str, email: str, is_active: bool, level: str,
        units: Vec<i32>, now: Timestamp
    }) -> /// A new person.
    NewPerson {
        /// The user's id.
        id: UserId,
    } = "WITH person AS (
             INSERT INTO auth_user (username, password, first_name, last_name, email, is_active, is_staff, is_superuser,
                                    date_joined)
             SELECT $1, $2, $3, $4, $5, $6::boolean, false, false, $9::timestamptz
             WHERE NOT EXISTS (SELECT FROM auth_user WHERE lower(username) = lower($1::varchar))
             ON CONFLICT (username) DO NOTHING RETURNING id
         ), profile AS (
             INSERT INTO server_userprofile (user_id, level) SELECT id, $7 FROM person
         ), units AS (
             INSERT INTO server_businessunit_users (businessunit_id, user_id)
             SELECT u.id, person.id FROM person JOIN server_businessunit u ON u.id = ANY ($8)
         )
         SELECT id FROM person";

    /// Changes a person. Who is not `GA` is not staff; without a new password the old one stays.
    update_person(UpdatePerson {
        id: UserId, first_name: str, last_name: str, email: str, is_active: bool, level: str, units: Vec<i32>,
        password: Option<String>
    }) = "WITH person AS (
             UPDATE auth_user SET first_name = $2, last_name = $3, email = $4, is_active = $5,
                 is_staff = is_staff AND $6 = 'GA', password = coalesce($8, password)
             WHERE id = $1 RETURNING id
         ), profile AS (
             INSERT INTO server_userprofile (user_id, level) SELECT id, $6 FROM person
             ON CONFLICT (user_id) DO UPDATE SET level = excluded.level
         ), gone AS (
             DELETE FROM server_businessunit_users WHERE user_id = $1 AND businessunit_id <> ALL ($7)
         )
         INSERT INTO server_businessunit_users (businessunit_id, user_id)
         SELECT u.id, person.id FROM person JOIN server_businessunit u ON u.id = ANY ($7) ON CONFLICT DO NOTHING";

    /// Lets a person manage people, or no longer.
    set_staff(id: UserId, is_staff: bool) = "UPDATE auth_user SET is_staff = $2 WHERE id = $1";

    /// Makes a person what Django calls a superuser: staff, and with all rights in its own pages.
    set_superuser(id: UserId) = "UPDATE auth_user SET is_superuser = true, is_staff = true WHERE id = $1";

    /// Takes a user the rights that Django gives superusers.
    unset_superuser(id: UserId) = "UPDATE auth_user SET is_superuser = false WHERE id = $1";

    /// Removes a person and everything that hangs on it. Saved searches are not lost: they become `heir`'s.
    delete_person(id: UserId, heir: UserId) = "
        WITH memberships AS (DELETE FROM auth_user_groups WHERE user_id = $1),
             permissions AS (DELETE FROM auth_user_user_permissions WHERE user_id = $1),
             log AS (DELETE FROM django_admin_log WHERE user_id = $1),
             units AS (DELETE FROM server_businessunit_users WHERE user_id = $1),
             profile AS (DELETE FROM server_userprofile WHERE user_id = $1),
             searches AS (UPDATE search_savedsearch SET created_by_id = $2 WHERE created_by_id = $1),
             sessions AS (DELETE FROM salrs_session WHERE user_id = $1),
             tokens AS (UPDATE salrs_api_token SET revoked = now(), former_ends = NULL WHERE user_id = $1 AND revoked IS NULL)
        DELETE FROM auth_user WHERE id = $1";

    /// The stored password of a person who wants to change it.
    own_password(id: UserId) -> /// A password in Django's encoding.
    OwnPassword {
        /// It.
        password: String,
    } = "SELECT password FROM auth_user WHERE id = $1";

    /// Puts another password in the place of the one that was read; nothing when somebody else changed it meanwhile.
    replace_password(id: UserId, old: str, new: str) =
        "UPDATE auth_user SET password = $3 WHERE id = $1 AND password = $2";
}

/// A person of the list.
#[derive(Debug, Clone, PartialEq)]
pub struct ListedPerson {
    /// The user's id.
    pub id: UserId,
    /// The user's name.
    pub username: String,
    /// First name, may be empty.
    pub first_name: String,
    /// Last name, may be empty.
    pub last_name: String,
    /// May manage users, when `GA` too.
    pub is_staff: bool,
    /// Django's superuser.
    pub is_superuser: bool,
    /// Whether the account is in use.
    pub is_active: bool,
    /// When the person last logged in.
    pub last_login: Option<Timestamp>,
    /// Whether there is a password to log in with.
    pub has_password: bool,
    /// `SO`, `RO`, `RW` or `GA`.
    pub level: String,
    /// Names of the business units.
    pub units: Vec<String>,
}

/// A page of people by name: those whose user name, name or e-mail address holds `search`, upper or lower case, or all
/// when it is empty.
///
/// # Errors
/// When the database cannot be asked.
pub async fn list_people(
    search: &str,
    start: &Start,
    limit: Option<i64>,
    db: &impl Executor,
) -> Result<ListPage<ListedPerson>, StoreError> {
    let listing = Listing {
        order: vec![Key::text("lower(u.username)"), Key::integer("u.id")],
        columns: "u.id",
        from: "FROM auth_user u
               WHERE $1::text = ''
                  OR strpos(lower(u.username || ' ' || u.first_name || ' ' || u.last_name || ' ' || u.email), lower($1)) > 0",
        shown: "u.id, u.username, u.first_name, u.last_name, u.is_staff, u.is_superuser, u.is_active, u.last_login,
                u.password NOT LIKE '!%' AS has_password, coalesce(p.level, 'RO') AS level,
                ARRAY(SELECT b.name FROM server_businessunit_users m JOIN server_businessunit b ON b.id = m.businessunit_id
                      WHERE m.user_id = u.id ORDER BY b.name) AS units",
        beside: "JOIN auth_user u ON u.id = shown.id LEFT JOIN server_userprofile p ON p.user_id = u.id",
        parameters: vec![(&search, Type::TEXT)],
    };
    listing.read(start, limit, listed_person, db).await
}

fn listed_person(row: &Row) -> Result<ListedPerson, StoreError> {
    Ok(ListedPerson {
        id: row.try_get(0)?,
        username: row.try_get(1)?,
        first_name: row.try_get(2)?,
        last_name: row.try_get(3)?,
        is_staff: row.try_get(4)?,
        is_superuser: row.try_get(5)?,
        is_active: row.try_get(6)?,
        last_login: row.try_get(7)?,
        has_password: row.try_get(8)?,
        level: row.try_get(9)?,
        units: row.try_get(10)?,
    })
}
