//! The database itself, as this login sees it: who it is, what it may, how it is connected, and what the journal of
//! the cut-over says. Nothing here is Sal's.

use jiff::Timestamp;

use crate::error::StoreError;
use crate::pool::{Executor, query};

crate::queries! {
    /// This session and its server.
    session() -> /// A session.
    Session {
        /// Who logged in.
        session_user: String,
        /// Whose rights count.
        current_user: String,
        /// The `role` setting; `none` where it was not set.
        role_setting: String,
        /// The server's version.
        server_version: String,
        /// Whether the server only repeats another one's writes.
        in_recovery: bool,
        /// Whether writes are refused.
        read_only: bool,
        /// Whether the connection is encrypted.
        encrypted: bool,
        /// With which version of TLS.
        tls_version: Option<String>,
        /// With which cipher.
        cipher: Option<String>,
        /// Connections of clients to the server, of all programs and databases.
        connections: i64,
        /// The most there may be.
        max_connections: i32,
        /// How many of those only superusers get.
        reserved: i32,
        /// Who owns Sal's tables.
        owner: Option<String>,
        /// Whether this session has the owner's rights.
        acts_as_owner: bool,
    } = "SELECT session_user::text AS session_user, current_user::text AS current_user, current_setting('role') AS role_setting,
                current_setting('server_version') AS server_version, pg_is_in_recovery() AS in_recovery,
                current_setting('transaction_read_only')::boolean AS read_only,
                COALESCE((SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()), false) AS encrypted,
                (SELECT version FROM pg_stat_ssl WHERE pid = pg_backend_pid()) AS tls_version,
                (SELECT cipher FROM pg_stat_ssl WHERE pid = pg_backend_pid()) AS cipher,
                (SELECT count(*) FROM pg_stat_activity WHERE COALESCE(backend_type, 'client backend') = 'client backend') AS connections,
                current_setting('max_connections')::integer AS max_connections,
                current_setting('superuser_reserved_connections')::integer AS reserved,
                (SELECT pg_get_userbyid(relowner)::text FROM pg_class WHERE oid = to_regclass('server_machine')) AS owner,
                COALESCE((SELECT pg_has_role(relowner, 'USAGE') FROM pg_class WHERE oid = to_regclass('server_machine')), false)
                    AS acts_as_owner";

    /// What these roles are; those that do not exist are left out. Memberships are followed through all roles between.
    roles(names: Vec<String>) -> /// A role.
    Role {
        /// Its name.
        name: String,
        /// Whether it may log in.
        can_login: bool,
        /// Whether it is a member of `rds_iam`, so that it logs in with a token and nothing else.
        uses_iam: bool,
        /// Whether it has a superuser's rights, as far as RDS gives them.
        is_admin: bool,
        /// Until when its password is taken; nothing for ever.
        valid_until: Option<Timestamp>,
    } = "WITH RECURSIVE above (role, parent) AS (
             SELECT r.oid, m.roleid FROM pg_roles r JOIN pg_auth_members m ON m.member = r.oid WHERE r.rolname = ANY($1::text[])
             UNION SELECT a.role, m.roleid FROM above a JOIN pg_auth_members m ON m.member = a.parent)
         SELECT r.rolname::text AS name, COALESCE(r.rolcanlogin, false) AS can_login,
                EXISTS (SELECT FROM above a JOIN pg_roles p ON p.oid = a.parent WHERE a.role = r.oid AND p.rolname = 'rds_iam') AS uses_iam,
                r.rolsuper OR EXISTS (SELECT FROM above a JOIN pg_roles p ON p.oid = a.parent
                    WHERE a.role = r.oid AND p.rolname = 'rds_superuser') AS is_admin,
                NULLIF(r.rolvaliduntil, 'infinity') AS valid_until
         FROM pg_roles r WHERE r.rolname = ANY($1::text[]) ORDER BY array_position($1::text[], r.rolname::text)";

    /// Whether the journal of the cut-over is in this database, and may be read.
    cutover_journal() -> /// A table that another tool writes.
    CutoverJournal {
        /// Whether it is there.
        exists: bool,
        /// Whether this login may read it.
        readable: bool,
    } = "SELECT c.oid IS NOT NULL AS exists,
                COALESCE(has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT'), false) AS readable
         FROM (VALUES (1)) AS one LEFT JOIN (pg_namespace n JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = 'salrs_iam_journal')
           ON n.nspname = 'salrs_iam'";
}

/// A line of the cut-over's journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CutoverLine {
    /// Its number.
    pub seq: i64,
    /// When it was written.
    pub at: Timestamp,
    /// The command: `apply`, `finalize` or `rollback`.
    pub command: String,
    /// The step; empty for the command as a whole.
    pub step: String,
    /// `started`, `done`, `failed`, `undone` or `left`.
    pub phase: String,
    /// Who: the Postgres user.
    pub database_user: String,
    /// Who: the user of the operating system, and the machine.
    pub system_user: String,
    /// What else was written, such as why it failed.
    pub note: String,
}

/// The newest lines of the cut-over's journal, newest first. Ask [`cutover_journal`] before: the table need not exist,
/// so the statement cannot be among the others.
///
/// # Errors
/// Postgres's, also when an entry is not JSON.
pub async fn cutover_lines(limit: i64, db: &impl Executor) -> Result<Vec<CutoverLine>, StoreError> {
    let statement = db.prepared(CUTOVER_LINES).await?;
    let rows = query(&statement, &[&limit], db).await?;
    rows.iter()
        .map(|row| {
            Ok(CutoverLine {
                seq: row.try_get(0)?,
                at: row.try_get(1)?,
                command: row.try_get(2)?,
                step: row.try_get(3)?,
                phase: row.try_get(4)?,
                database_user: row.try_get(5)?,
                system_user: row.try_get(6)?,
                note: row.try_get(7)?,
            })
        })
        .collect()
}

const CUTOVER_LINES: &str = "
    SELECT seq, written, command, step, phase, COALESCE(entry::jsonb #>> '{actor,database_user}', ''),
           concat_ws(' on ', NULLIF(entry::jsonb #>> '{actor,system_user}', ''), NULLIF(entry::jsonb #>> '{actor,host}', '')),
           COALESCE(entry::jsonb ->> 'note', '')
    FROM salrs_iam.salrs_iam_journal ORDER BY seq DESC LIMIT $1";
