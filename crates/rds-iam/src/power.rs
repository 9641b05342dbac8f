//! Whether a session may more than those whose things it would run.
//!
//! A trigger, a default or a function in a view runs with the rights of whoever touches the table, and no search path
//! helps against that. So before a session works with a deployment's tables it asks whose they are, and what it may
//! that those may not.

use std::fmt;

use tokio_postgres::{Client, Error};

/// An owner whose code a session would run, and what it would lend to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Surplus {
    /// Who is logged in.
    pub user: String,
    /// Who owns the database, a schema of the deployment's search path, or something in it.
    pub owner: String,
    /// What the user may and the owner may not: attributes of roles, and roles.
    pub rights: Vec<String>,
}

/// Asks, in a session that looks in `pg_catalog` only, what its user may and an owner of the deployment's things may not.
///
/// `schemas` are those of the deployment's search path. Superusers, roles that can become the user anyway, and roles that
/// have the same rights are nobody to fear.
///
/// # Errors
/// Postgres's.
pub async fn surplus(schemas: &[String], db: &Client) -> Result<Option<Surplus>, Error> {
    let row = db.query_opt(SURPLUS, &[&schemas]).await?;
    let Some(row) = row else {
        return Ok(None);
    };
    Ok(Some(Surplus {
        user: row.try_get(0)?,
        owner: row.try_get(1)?,
        rights: row.try_get(2)?,
    }))
}

impl fmt::Display for Surplus {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            user,
            owner,
            rights,
        } = self;
        write!(
            formatter,
            "`{user}` may more than `{owner}`, to whom things in this database belong ({})",
            rights.join(", ")
        )
    }
}

/// `rds_iam` gives no right, and membership in the owner itself is what the owner has.
const SURPLUS: &str = "
WITH me AS (SELECT r.* FROM pg_catalog.pg_roles r WHERE r.rolname = session_user),
places AS (SELECT n.oid, n.nspowner FROM pg_catalog.pg_namespace n WHERE n.nspname = ANY ($1::pg_catalog.text[])),
things (owner) AS (
    SELECT d.datdba FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database()
    UNION SELECT p.nspowner FROM places p
    UNION SELECT c.relowner FROM pg_catalog.pg_class c WHERE c.relnamespace IN (SELECT p.oid FROM places p)
    UNION SELECT f.proowner FROM pg_catalog.pg_proc f WHERE f.pronamespace IN (SELECT p.oid FROM places p)
    UNION SELECT o.oprowner FROM pg_catalog.pg_operator o WHERE o.oprnamespace IN (SELECT p.oid FROM places p)
    UNION SELECT t.typowner FROM pg_catalog.pg_type t WHERE t.typnamespace IN (SELECT p.oid FROM places p)
),
owners AS (
    SELECT DISTINCT o.* FROM things t JOIN pg_catalog.pg_roles o ON o.oid = t.owner, me
    WHERE o.oid <> me.oid AND NOT o.rolsuper AND o.rolname <> 'pg_database_owner'
      AND NOT pg_catalog.pg_has_role(o.oid, me.oid, 'MEMBER')
),
lent (owner, what) AS (
    SELECT o.rolname, a.what
    FROM owners o, me, LATERAL (VALUES
        ('SUPERUSER', me.rolsuper AND NOT o.rolsuper), ('CREATEROLE', me.rolcreaterole AND NOT o.rolcreaterole),
        ('CREATEDB', me.rolcreatedb AND NOT o.rolcreatedb), ('REPLICATION', me.rolreplication AND NOT o.rolreplication),
        ('BYPASSRLS', me.rolbypassrls AND NOT o.rolbypassrls)) AS a (what, is_so)
    WHERE a.is_so
    UNION ALL
    SELECT o.rolname, r.rolname::pg_catalog.text
    FROM owners o, me, pg_catalog.pg_roles r
    WHERE r.oid <> me.oid AND r.rolname NOT IN ('rds_iam', 'pg_database_owner') AND NOT me.rolsuper
      AND pg_catalog.pg_has_role(me.oid, r.oid, 'MEMBER') AND NOT pg_catalog.pg_has_role(o.oid, r.oid, 'MEMBER')
)
SELECT session_user::pg_catalog.text, lent.owner::pg_catalog.text, pg_catalog.array_agg(lent.what ORDER BY lent.what)
FROM lent GROUP BY lent.owner ORDER BY pg_catalog.count(*) DESC, lent.owner LIMIT 1";
