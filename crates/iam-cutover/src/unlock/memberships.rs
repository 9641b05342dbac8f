//! Reads who is a member of whom, and what this session may take out.

use tokio_postgres::{Client, Row};

use super::Membership;
use crate::error::CutoverError;

/// Every membership of the cluster.
pub(super) async fn read(db: &Client) -> Result<Vec<Membership>, CutoverError> {
    let reading = || CutoverError::postgres("reading memberships");
    let rows = db.query(MEMBERSHIPS, &[]).await.map_err(reading())?;
    let one = |row: &Row| {
        Ok(Membership {
            member: row.try_get(0)?,
            role: row.try_get(1)?,
            grantor: row.try_get(2)?,
            options: row.try_get(3)?,
            names_grantor: row.try_get(4)?,
            removable: row.try_get(5)?,
        })
    };
    let all: Result<Vec<_>, tokio_postgres::Error> = rows.iter().map(one).collect();
    all.map_err(reading())
}

/// Before Postgres 16 whoever has CREATEROLE may take out any member of a role that is no superuser; from 16 on it takes
/// ADMIN OPTION on the role and the rights of whoever granted (Postgres manual 15 and 16, GRANT and REVOKE).
const MEMBERSHIPS: &str = "
SELECT member.rolname::text, role.rolname::text, COALESCE(grantor.rolname::text, ''),
       CASE WHEN v.new THEN pg_catalog.format(' WITH ADMIN %s, INHERIT %s, SET %s', pg_catalog.to_jsonb(m) ->> 'admin_option',
                COALESCE(pg_catalog.to_jsonb(m) ->> 'inherit_option', 'true'), COALESCE(pg_catalog.to_jsonb(m) ->> 'set_option', 'true'))
            WHEN m.admin_option THEN ' WITH ADMIN OPTION' ELSE '' END,
       v.new,
       CASE WHEN me.rolsuper THEN true
            WHEN v.new THEN pg_catalog.pg_has_role(session_user, role.oid, 'MEMBER WITH ADMIN OPTION')
                AND pg_catalog.pg_has_role(session_user, grantor.oid, 'USAGE')
            ELSE (me.rolcreaterole AND NOT role.rolsuper)
                OR pg_catalog.pg_has_role(session_user, role.oid, 'MEMBER WITH ADMIN OPTION') END
FROM pg_catalog.pg_auth_members m
JOIN pg_catalog.pg_roles member ON member.oid = m.member JOIN pg_catalog.pg_roles role ON role.oid = m.roleid
LEFT JOIN pg_catalog.pg_roles grantor ON grantor.oid = m.grantor
JOIN pg_catalog.pg_roles me ON me.rolname = session_user
CROSS JOIN (SELECT pg_catalog.current_setting('server_version_num')::int >= 160000 AS new) v
ORDER BY 1, 2, 3";
