//! What a role owns in a database and what was granted to it there, of every kind that Postgres knows.
//!
//! `pg_shdepend` has a row for everything that has an owner (Postgres manual, 53.50), and every catalog with privileges
//! has a column of them (5.7, Table 5.2); so no kind is forgotten, also none that this tool cannot move.

use tokio_postgres::{Client, Error, Row};

use super::{DirectGrant, Owned};

/// What a role owns, without what follows another object (sequences of columns, members of extensions, row types), and
/// without the journal, which stays the administrator's.
pub(super) async fn owned(role: &str, db: &Client) -> Result<Vec<Owned>, Error> {
    let rows = db.query(OWNED, &[&role]).await?;
    let one = |row: &Row| {
        Ok(Owned {
            kind: row.try_get(0)?,
            name: row.try_get(1)?,
            in_schema: row.try_get(2)?,
            stays: row.try_get(3)?,
        })
    };
    rows.iter().map(one).collect()
}

/// What was granted to a role by name on what others own.
pub(super) async fn grants(
    role: &str,
    version: i32,
    db: &Client,
) -> Result<Vec<DirectGrant>, Error> {
    let parameters = match version >= 150_000 {
        true => PARAMETERS,
        false => "",
    };
    let sql = GRANTS.replace("{parameters}", parameters);
    let rows = db.query(&sql, &[&role]).await?;
    let one = |row: &Row| {
        Ok(DirectGrant {
            on: row.try_get(0)?,
            privilege: row.try_get(1)?,
            owner: row.try_get(2)?,
            passable: row.try_get(3)?,
        })
    };
    rows.iter().map(one).collect()
}

/// The new owner has to be able to make things in the schema that an object is in. Schemas and names come quoted from
/// `pg_identify_object`.
const OWNED: &str = "
WITH me AS (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = $1::text),
words (type, rank, word) AS (VALUES
    ('schema', 1, 'SCHEMA'), ('table', 2, 'TABLE'), ('view', 2, 'VIEW'), ('materialized view', 2, 'MATERIALIZED VIEW'),
    ('foreign table', 2, 'FOREIGN TABLE'), ('sequence', 2, 'SEQUENCE'), ('function', 3, 'FUNCTION'), ('procedure', 3, 'PROCEDURE'),
    ('aggregate', 3, 'AGGREGATE'), ('type', 4, 'TYPE'), ('domain', 4, 'DOMAIN'), ('large object', 5, 'LARGE OBJECT'),
    ('collation', 6, 'COLLATION'), ('conversion', 6, 'CONVERSION'), ('operator', 6, 'OPERATOR'), ('operator class', 6, 'OPERATOR CLASS'),
    ('operator family', 6, 'OPERATOR FAMILY'), ('text search configuration', 6, 'TEXT SEARCH CONFIGURATION'),
    ('text search dictionary', 6, 'TEXT SEARCH DICTIONARY'), ('statistics object', 6, 'STATISTICS'), ('language', 6, 'LANGUAGE'),
    ('server', 6, 'SERVER'), ('publication', 6, 'PUBLICATION')),
found AS (
    SELECT d.classid, d.objid, i.type, i.schema, i.name AS bare,
           CASE WHEN p.oid IS NULL THEN i.identity
                WHEN p.prokind = 'a' AND p.pronargs = 0 THEN pg_catalog.format('%s.%I(*)', i.schema, p.proname)
                ELSE pg_catalog.format('%s.%I(%s)', i.schema, p.proname, pg_catalog.pg_get_function_identity_arguments(p.oid)) END AS name,
           CASE WHEN t.typtype = 'd' THEN 'domain' WHEN p.prokind = 'p' THEN 'procedure' WHEN p.prokind = 'a' THEN 'aggregate'
                WHEN p.oid IS NOT NULL THEN 'function' ELSE i.type END AS kind,
           b.puballtables
    FROM pg_catalog.pg_shdepend d
    CROSS JOIN LATERAL pg_catalog.pg_identify_object(d.classid, d.objid, 0) i
    LEFT JOIN pg_catalog.pg_proc p ON d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND p.oid = d.objid
    LEFT JOIN pg_catalog.pg_type t ON d.classid = 'pg_catalog.pg_type'::pg_catalog.regclass AND t.oid = d.objid
    LEFT JOIN pg_catalog.pg_publication b ON d.classid = 'pg_catalog.pg_publication'::pg_catalog.regclass AND b.oid = d.objid
    WHERE d.refclassid = 'pg_catalog.pg_authid'::pg_catalog.regclass AND d.refobjid = (SELECT oid FROM me) AND d.deptype = 'o'
      AND d.dbid = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
      AND d.classid <> 'pg_catalog.pg_default_acl'::pg_catalog.regclass
      AND COALESCE(t.typtype, '') <> 'm'
      AND COALESCE(i.schema, '') NOT LIKE 'pg\\_%' AND COALESCE(i.schema, '') <> 'salrs_iam'
      AND NOT (i.type = 'schema' AND (i.name = 'salrs_iam' OR i.name LIKE 'pg\\_%'))
      AND NOT (i.type = 'table' AND i.name = 'salrs_iam_journal')
      AND NOT EXISTS (
        SELECT FROM pg_catalog.pg_depend f WHERE f.classid = d.classid AND f.objid = d.objid
          AND (f.deptype = 'e' OR (f.deptype IN ('a', 'i') AND i.type = 'sequence')))
)
SELECT COALESCE(w.word, pg_catalog.upper(f.kind)), f.name, n.nspname::text,
       CASE WHEN w.word IS NULL THEN CASE f.kind
                WHEN 'extension' THEN 'an extension stays with whoever installed it'
                WHEN 'user mapping' THEN 'it may hold a password; make one for the owner role: CREATE USER MAPPING'
                WHEN 'event trigger' THEN 'its owner has to be a superuser'
                WHEN 'foreign-data wrapper' THEN 'its owner has to be a superuser'
                ELSE 'this tool cannot move it' END
            WHEN f.puballtables THEN 'a publication of all tables has to belong to a superuser'
            WHEN n.oid IS NOT NULL AND n.nspowner <> (SELECT oid FROM me)
                 AND NOT pg_catalog.has_schema_privilege((SELECT oid FROM me), n.oid, 'CREATE WITH GRANT OPTION')
                THEN 'its schema belongs to ' || pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(n.nspowner)) || ', who has to grant CREATE on it with grant option'
            END
FROM found f LEFT JOIN words w ON w.type = f.kind
LEFT JOIN pg_catalog.pg_namespace n ON pg_catalog.quote_ident(n.nspname) = COALESCE(f.schema, CASE WHEN f.type = 'schema' THEN f.bare END)
ORDER BY w.rank NULLS LAST, 1, 2";

/// Whatever can be passed on was granted with grant option, or belongs to a role whose rights the administrator has.
const GRANTS: &str = "
WITH me AS (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = $1::text),
acls (\"on\", owner, acl, columns) AS (
    SELECT CASE WHEN c.relkind = 'S' THEN 'SEQUENCE ' ELSE 'TABLE ' END || pg_catalog.format('%I.%I', n.nspname, c.relname), c.relowner, c.relacl, ''
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
    UNION ALL
    SELECT 'TABLE ' || pg_catalog.format('%I.%I', n.nspname, c.relname), c.relowner, a.attacl, ' (' || pg_catalog.quote_ident(a.attname) || ')'
    FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE a.attacl IS NOT NULL AND NOT a.attisdropped
    UNION ALL
    SELECT 'SCHEMA ' || pg_catalog.quote_ident(nspname), nspowner, nspacl, '' FROM pg_catalog.pg_namespace
    UNION ALL
    SELECT 'ROUTINE ' || pg_catalog.format('%I.%I(%s)', n.nspname, p.proname,
               CASE WHEN p.prokind = 'a' AND p.pronargs = 0 THEN '*' ELSE pg_catalog.pg_get_function_identity_arguments(p.oid) END), p.proowner, p.proacl, ''
    FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace WHERE p.proacl IS NOT NULL
    UNION ALL
    SELECT CASE WHEN t.typtype = 'd' THEN 'DOMAIN ' ELSE 'TYPE ' END || pg_catalog.format('%I.%I', n.nspname, t.typname), t.typowner, t.typacl, ''
    FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace WHERE t.typacl IS NOT NULL
    UNION ALL
    SELECT 'LANGUAGE ' || pg_catalog.quote_ident(lanname), lanowner, lanacl, '' FROM pg_catalog.pg_language
    UNION ALL
    SELECT 'FOREIGN DATA WRAPPER ' || pg_catalog.quote_ident(fdwname), fdwowner, fdwacl, '' FROM pg_catalog.pg_foreign_data_wrapper
    UNION ALL
    SELECT 'FOREIGN SERVER ' || pg_catalog.quote_ident(srvname), srvowner, srvacl, '' FROM pg_catalog.pg_foreign_server
    UNION ALL
    SELECT 'LARGE OBJECT ' || oid, lomowner, lomacl, '' FROM pg_catalog.pg_largeobject_metadata
    UNION ALL
    SELECT 'DATABASE ' || pg_catalog.quote_ident(datname), datdba, datacl, '' FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()
    UNION ALL
    SELECT 'TABLESPACE ' || pg_catalog.quote_ident(spcname), spcowner, spcacl, '' FROM pg_catalog.pg_tablespace
    {parameters}
)
SELECT acls.\"on\", x.privilege_type || acls.columns, pg_catalog.pg_get_userbyid(acls.owner)::text,
       x.is_grantable OR pg_catalog.pg_has_role(session_user, acls.owner, 'USAGE')
FROM acls, pg_catalog.aclexplode(acls.acl) x
WHERE x.grantee = (SELECT oid FROM me) AND acls.owner <> x.grantee
ORDER BY 1, 2";

/// From Postgres 15 on; they belong to the bootstrap superuser.
const PARAMETERS: &str =
    "UNION ALL SELECT 'PARAMETER ' || parname, 10, paracl, '' FROM pg_catalog.pg_parameter_acl";
