//! Where the move stands, and who still uses which user.

use serde::Serialize;
use tokio_postgres::{Client, Error, Row};

use crate::{
    inventory,
    journal::{self, Entry},
    steps::CREATED_COMMENT,
    wish::Wish,
};

/// Where the move stands.
#[derive(Clone, Debug, Serialize)]
pub struct StatusReport {
    /// In one word.
    pub state: State,
    /// Sessions by user, program and address; this tool's own are not counted.
    pub sessions: Vec<UserSessions>,
    /// Lines of the journal's table; `None` when it cannot be read.
    pub journal_lines: Option<usize>,
    /// Whether its chain holds; `None` when it cannot be read.
    pub journal_intact: Option<bool>,
    /// Why a table that is there was not read: it is not an administrator's, or may not be read.
    pub journal_not_read: Option<String>,
    /// Its last line.
    pub last: Option<Entry>,
}

/// Where the move stands, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// The new user does not log in with IAM.
    Password,
    /// Both log in: the old one by password, the new one by token.
    Both,
    /// The old one was switched off.
    Iam,
    /// Neither logs in, or the old one has to use IAM too.
    Broken,
}

/// Sessions of one user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct UserSessions {
    /// Who logged in.
    pub user: String,
    /// What the program calls itself; empty when that may not be seen.
    pub application: String,
    /// Whence; empty for a local socket or when that may not be seen.
    pub address: String,
    /// How many.
    pub count: i64,
    /// When the newest began; empty when that may not be seen.
    pub newest: String,
}

/// Reads it, with any user's session.
///
/// # Errors
/// Postgres's.
pub async fn status(wish: &Wish, db: &Client) -> Result<StatusReport, Error> {
    let graph = inventory::read_graph(db).await?;
    let logins = db.query(LOGINS, &[&wish.old_user, &wish.new_user]).await?;
    let may = |name: &str| -> Result<bool, Error> {
        let found = logins
            .iter()
            .find(|row| row.try_get::<_, String>(0).is_ok_and(|found| found == name));
        found.map_or(Ok(false), |row| row.try_get(1))
    };
    let new = may(&wish.new_user)? && graph.iam_chain(&wish.new_user).is_some();
    let old = may(&wish.old_user)?;
    let old_by_password = old && graph.iam_chain(&wish.old_user).is_none();
    let state = match (old_by_password, new) {
        (true, false) => State::Password,
        (true, true) => State::Both,
        (false, true) if !old => State::Iam,
        _ => State::Broken,
    };
    let rows = db.query(SESSIONS, &[&crate::logins::APPLICATION]).await?;
    let sessions = rows.iter().map(session).collect::<Result<_, Error>>()?;
    let (entries, journal_not_read) = match journal::look_at_table(db).await {
        Ok(entries) => (entries, None),
        Err(why) => (None, Some(why)),
    };
    Ok(StatusReport {
        state,
        sessions,
        journal_lines: entries.as_ref().map(Vec::len),
        journal_intact: entries
            .as_ref()
            .map(|entries| journal::check(entries, "the table").is_ok()),
        journal_not_read,
        last: entries.and_then(|mut entries| entries.pop()),
    })
}

/// The role that a user's sessions in this database are set to work as.
///
/// # Errors
/// Postgres's.
pub async fn works_as(user: &str, db: &Client) -> Result<Option<String>, Error> {
    let row = db.query_opt(WORKS_AS, &[&user]).await?;
    row.map(|row| row.try_get(0)).transpose()
}

/// A setting for this database counts before one for all.
const WORKS_AS: &str = "
SELECT pg_catalog.substr(c, 6)
FROM pg_catalog.pg_db_role_setting s JOIN pg_catalog.pg_roles r ON r.oid = s.setrole, pg_catalog.unnest(s.setconfig) c
WHERE r.rolname = $1::text AND c LIKE 'role=%'
  AND s.setdatabase IN (0, (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()))
ORDER BY s.setdatabase = 0 LIMIT 1";

/// The old user of a move, as the new one's comment says it, or else the role that its sessions work as.
///
/// A user may set that role itself, to any name, and what follows would be done for the role of that name: so it counts
/// only where the user is a member of it anyway, and never for a role of Postgres's or AWS's.
///
/// # Errors
/// Postgres's.
pub async fn old_user_of(new_user: &str, db: &Client) -> Result<Option<String>, Error> {
    let row = db.query_opt(OLD_USER, &[&new_user]).await?;
    let Some(row) = row else {
        return Ok(None);
    };
    let (comment, works_as): (Option<String>, Option<String>) = (row.try_get(0)?, row.try_get(1)?);
    let named =
        comment.and_then(|comment| comment.strip_prefix(CREATED_COMMENT).map(str::to_owned));
    Ok(named.or(works_as))
}

fn session(row: &Row) -> Result<UserSessions, Error> {
    Ok(UserSessions {
        user: row.try_get(0)?,
        application: row.try_get(1)?,
        address: row.try_get(2)?,
        count: row.try_get(3)?,
        newest: row.try_get(4)?,
    })
}

const LOGINS: &str = "SELECT rolname::text, rolcanlogin FROM pg_catalog.pg_roles WHERE rolname IN ($1::text, $2::text)";

const SESSIONS: &str = "
SELECT usename::text, COALESCE(application_name, ''), COALESCE(pg_catalog.host(client_addr), ''), pg_catalog.count(*),
       COALESCE(pg_catalog.max(backend_start)::text, '')
FROM pg_catalog.pg_stat_activity
WHERE usename <> 'rdsadmin' AND pid <> pg_catalog.pg_backend_pid() AND COALESCE(application_name, '') <> $1::text
  AND COALESCE(backend_type, 'client backend') = 'client backend'
GROUP BY 1, 2, 3 ORDER BY 4 DESC, 1, 2, 3";

const OLD_USER: &str = "
SELECT pg_catalog.shobj_description(r.oid, 'pg_authid'), (
    SELECT o.rolname::text FROM pg_catalog.pg_db_role_setting s JOIN pg_catalog.pg_database d ON d.oid = s.setdatabase,
        pg_catalog.unnest(s.setconfig) c JOIN pg_catalog.pg_roles o ON 'role=' || o.rolname = c
    WHERE s.setrole = r.oid AND d.datname = pg_catalog.current_database() AND pg_catalog.pg_has_role(r.oid, o.oid, 'MEMBER')
      AND o.rolname NOT LIKE 'rds%' AND o.rolname NOT LIKE 'pg\\_%')
FROM pg_catalog.pg_roles r WHERE r.rolname = $1::text";
