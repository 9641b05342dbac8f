//! Whether a session works as the role that Sal's tables belong to.
//!
//! After a move to IAM the login user is a member of the owner, and a setting of its own (`SET role`) lets its sessions
//! work as that. Where somebody resets it everything goes on, but what is made then belongs to the wrong user: the next
//! migration of the owner fails on it, and there is no way back to its password.

use tokio_postgres::{Client, Error};

/// A role that the session could work as, and does not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// Whose Sal's tables are.
    pub owner: String,
    /// Who logged in, and works as itself.
    pub user: String,
}

/// The owner of Sal's tables, where the session's user is a member of it and works as itself.
///
/// # Errors
/// Postgres's.
pub async fn owner_to_work_as(db: &Client) -> Result<Option<Owner>, Error> {
    let row = db.query_opt(OWNER, &[]).await?;
    row.map(|row| {
        Ok(Owner {
            owner: row.try_get(0)?,
            user: row.try_get(1)?,
        })
    })
    .transpose()
}

/// Superusers and the owner's own groups aside: nobody is a member of those by a move.
const OWNER: &str = "
SELECT o.rolname::text, me.rolname::text
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_roles o ON o.oid = c.relowner JOIN pg_catalog.pg_roles me ON me.rolname = session_user
WHERE c.oid = to_regclass('server_machine') AND current_user = session_user AND o.oid <> me.oid AND NOT me.rolsuper
  AND pg_catalog.pg_has_role(me.oid, o.oid, 'MEMBER')";
