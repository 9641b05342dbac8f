//! Everything one role may do and another may not: the proof that the new user is "exactly like" the old one.

use serde::Serialize;
use tokio_postgres::{Client, Error};

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Of what kind, such as `table privilege`.
    pub kind: String,
    /// On what.
    pub object: String,
    /// Which privilege or value.
    pub privilege: String,
    /// What the old one has.
    pub old: Option<String>,
    /// What the new one has.
    pub new: Option<String>,
}

/// Every difference in this database between the role the work is done as, and the new user.
///
/// `settings_of` is whose settings were copied: the old user, also when another role owns the objects.
///
/// # Errors
/// Postgres's.
pub async fn compare(
    reference: &str,
    settings_of: &str,
    new: &str,
    db: &Client,
) -> Result<Vec<Difference>, Error> {
    let rows = db
        .query(DIFFERENCES, &[&reference, &new, &settings_of])
        .await?;
    rows.iter()
        .map(|row| {
            Ok(Difference {
                kind: row.try_get(0)?,
                object: row.try_get(1)?,
                privilege: row.try_get(2)?,
                old: row.try_get(3)?,
                new: row.try_get(4)?,
            })
        })
        .collect()
}

/// Attributes such as CREATEDB are not compared: sessions of the new user work as the old role, so that Postgres
/// looks at the attributes of that one.
const DIFFERENCES: &str = "
WITH pair AS (SELECT o.oid AS old, n.oid AS new FROM pg_catalog.pg_roles o, pg_catalog.pg_roles n WHERE o.rolname = $1::text AND n.rolname = $2::text),
spaces AS (SELECT * FROM pg_catalog.pg_namespace WHERE nspname NOT LIKE 'pg\\_toast%' AND nspname NOT LIKE 'pg\\_temp%'),
relations AS (
    SELECT c.oid, pg_catalog.format('%I.%I', s.nspname, c.relname) AS name, c.relkind, c.relowner
    FROM pg_catalog.pg_class c JOIN spaces s ON s.oid = c.relnamespace
    WHERE s.nspname NOT LIKE 'pg\\_%' AND s.nspname <> 'information_schema' AND c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f')
),
answers AS (
    SELECT 'table privilege' AS kind, r.name AS object, p AS privilege,
           pg_catalog.has_table_privilege(pair.old, r.oid, p) AS old, pg_catalog.has_table_privilege(pair.new, r.oid, p) AS new
    FROM pair, relations r, pg_catalog.unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER']) p
    WHERE r.relkind <> 'S'
    UNION ALL
    SELECT 'column privilege', r.name, p, pg_catalog.has_any_column_privilege(pair.old, r.oid, p), pg_catalog.has_any_column_privilege(pair.new, r.oid, p)
    FROM pair, relations r, pg_catalog.unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'REFERENCES']) p WHERE r.relkind <> 'S'
    UNION ALL
    SELECT 'sequence privilege', r.name, p, pg_catalog.has_sequence_privilege(pair.old, r.oid, p), pg_catalog.has_sequence_privilege(pair.new, r.oid, p)
    FROM pair, relations r, pg_catalog.unnest(ARRAY['USAGE', 'SELECT', 'UPDATE']) p WHERE r.relkind = 'S'
    UNION ALL
    SELECT 'schema privilege', s.nspname, p, pg_catalog.has_schema_privilege(pair.old, s.oid, p), pg_catalog.has_schema_privilege(pair.new, s.oid, p)
    FROM pair, spaces s, pg_catalog.unnest(ARRAY['CREATE', 'USAGE']) p
    UNION ALL
    SELECT 'database privilege', d.datname, p, pg_catalog.has_database_privilege(pair.old, d.oid, p), pg_catalog.has_database_privilege(pair.new, d.oid, p)
    FROM pair, pg_catalog.pg_database d, pg_catalog.unnest(ARRAY['CREATE', 'CONNECT', 'TEMPORARY']) p WHERE d.datallowconn
    UNION ALL
    SELECT 'function privilege', f.oid::pg_catalog.regprocedure::text, 'EXECUTE',
           pg_catalog.has_function_privilege(pair.old, f.oid, 'EXECUTE'), pg_catalog.has_function_privilege(pair.new, f.oid, 'EXECUTE')
    FROM pair, pg_catalog.pg_proc f
    UNION ALL
    SELECT 'type privilege', t.oid::pg_catalog.regtype::text, 'USAGE', pg_catalog.has_type_privilege(pair.old, t.oid, 'USAGE'), pg_catalog.has_type_privilege(pair.new, t.oid, 'USAGE')
    FROM pair, pg_catalog.pg_type t WHERE t.typtype IN ('d', 'e', 'r')
    UNION ALL
    SELECT 'language privilege', l.lanname, 'USAGE', pg_catalog.has_language_privilege(pair.old, l.oid, 'USAGE'), pg_catalog.has_language_privilege(pair.new, l.oid, 'USAGE')
    FROM pair, pg_catalog.pg_language l
    UNION ALL
    SELECT 'server privilege', s.srvname, 'USAGE', pg_catalog.has_server_privilege(pair.old, s.oid, 'USAGE'), pg_catalog.has_server_privilege(pair.new, s.oid, 'USAGE')
    FROM pair, pg_catalog.pg_foreign_server s
    UNION ALL
    SELECT 'tablespace privilege', s.spcname, 'CREATE', pg_catalog.has_tablespace_privilege(pair.old, s.oid, 'CREATE'), pg_catalog.has_tablespace_privilege(pair.new, s.oid, 'CREATE')
    FROM pair, pg_catalog.pg_tablespace s
    UNION ALL
    SELECT 'right of the owner', r.name, 'OWNER', pg_catalog.pg_has_role(pair.old, r.relowner, 'USAGE'), pg_catalog.pg_has_role(pair.new, r.relowner, 'USAGE')
    FROM pair, relations r
    UNION ALL
    SELECT 'right of the owner', f.oid::pg_catalog.regprocedure::text, 'OWNER', pg_catalog.pg_has_role(pair.old, f.proowner, 'USAGE'), pg_catalog.pg_has_role(pair.new, f.proowner, 'USAGE')
    FROM pair, pg_catalog.pg_proc f
    UNION ALL
    SELECT 'right of the owner', s.nspname, 'OWNER', pg_catalog.pg_has_role(pair.old, s.nspowner, 'USAGE'), pg_catalog.pg_has_role(pair.new, s.nspowner, 'USAGE')
    FROM pair, spaces s
)
SELECT kind, object::text, privilege, old::text, new::text FROM answers WHERE old IS DISTINCT FROM new
UNION ALL
SELECT 'connection limit', o.rolname::text, 'CONNECTION LIMIT', o.rolconnlimit::text, n.rolconnlimit::text
FROM pg_catalog.pg_roles o, pg_catalog.pg_roles n WHERE o.rolname = $3::text AND n.rolname = $2::text AND o.rolconnlimit <> n.rolconnlimit
UNION ALL
SELECT 'setting', COALESCE(d.datname, '*')::text, c, 'set', NULL
FROM pg_catalog.pg_db_role_setting s JOIN pg_catalog.pg_roles o ON o.oid = s.setrole AND o.rolname = $3::text
LEFT JOIN pg_catalog.pg_database d ON d.oid = s.setdatabase, pg_catalog.unnest(s.setconfig) c
WHERE pg_catalog.split_part(c, '=', 1) <> 'role' AND NOT EXISTS (
    SELECT FROM pg_catalog.pg_db_role_setting t JOIN pg_catalog.pg_roles n ON n.oid = t.setrole AND n.rolname = $2::text, pg_catalog.unnest(t.setconfig) e
    WHERE t.setdatabase = s.setdatabase AND e = c)
UNION ALL
SELECT 'role', $2::text, 'exists', 'true', 'false' WHERE NOT EXISTS (SELECT FROM pair)
ORDER BY 1, 2, 3";
