//! What keeps a table from being used as the journal: whatever would run somebody else's code, or let somebody change it.

use tokio_postgres::{Client, Error};

use super::{JournalError, table::TABLE};
use crate::inventory::RDS_SUPERUSER;

/// What stands where the journal is looked for.
pub(super) struct Place {
    schema: String,
    schema_owner: Option<String>,
    table: Option<u32>,
    table_owner: Option<String>,
    /// Whoever asks.
    user: String,
    /// Whether schema and table belong to roles that may what whoever asks may: superusers, master users.
    is_masters: bool,
}

impl Place {
    /// Looks; reads nothing but catalogs.
    pub(super) async fn of(schema: &str, db: &Client) -> Result<Self, Error> {
        let row = db
            .query_one(PLACE, &[&schema, &TABLE, &RDS_SUPERUSER])
            .await?;
        Ok(Self {
            schema: schema.to_owned(),
            user: row.try_get(0)?,
            schema_owner: row.try_get(1)?,
            table: row.try_get(2)?,
            table_owner: row.try_get(3)?,
            is_masters: row.try_get(4)?,
        })
    }

    pub(super) fn has_schema(&self) -> bool {
        self.schema_owner.is_some()
    }

    pub(super) fn has_table(&self) -> bool {
        self.table.is_some()
    }

    /// Whose it is, and whether it can be used: nothing in it may run the code of somebody with fewer rights.
    pub(super) async fn verdict(&self, db: &Client) -> Result<Verdict, Error> {
        // `public` may be the owner's of the database; what is there moves out of it.
        let schema_owner = self
            .schema_owner
            .as_ref()
            .filter(|_| self.schema != "public");
        let owners = [
            ("the schema", schema_owner),
            ("it", self.table_owner.as_ref()),
        ];
        let others = owners.map(|(what, owner)| (what, owner.filter(|owner| **owner != self.user)));
        let mut faults = self.faults(db).await?;
        let other = others.iter().find_map(|(_, owner)| *owner);
        if let (Some(owner), true, true) = (other, faults.is_empty(), self.is_masters) {
            return Ok(Verdict::AnotherAdministrators(owner.clone()));
        }
        for (what, owner) in others {
            if let Some(owner) = owner {
                faults.insert(
                    0,
                    format!("{what} belongs to `{owner}`, not to `{}`", self.user),
                );
            }
        }
        if faults.is_empty() {
            return Ok(Verdict::Ours);
        }
        Ok(Verdict::Refused(self.refusal(faults)))
    }

    async fn faults(&self, db: &Client) -> Result<Vec<String>, Error> {
        let Some(table) = self.table else {
            return Ok(Vec::new());
        };
        let rows = db.query(FAULTS, &[&table]).await?;
        rows.iter().map(|row| row.try_get(0)).collect()
    }

    fn refusal(&self, faults: Vec<String>) -> JournalError {
        let owner = self.table_owner.as_ref().or(self.schema_owner.as_ref());
        let schema = &self.schema;
        let (name, next) = match self.table {
            Some(_) => (
                format!("the table `{schema}.{TABLE}`"),
                format!("ALTER TABLE {schema}.{TABLE} RENAME TO {TABLE}_kept (or DROP it)"),
            ),
            None => (
                format!("the schema `{schema}`"),
                format!("ALTER SCHEMA {schema} RENAME TO {schema}_kept (or DROP it)"),
            ),
        };
        JournalError::NotOurs {
            name,
            owner: owner.cloned().unwrap_or_default(),
            faults,
            next,
        }
    }
}

/// Whose a journal is.
pub(super) enum Verdict {
    /// Whoever asks: it can be written.
    Ours,
    /// Another administrator's, by name: what it says can be believed.
    AnotherAdministrators(String),
    /// Not to be touched, and why.
    Refused(JournalError),
}

/// Whoever but the owner was granted something on schema or table, as SQL takes it.
pub(super) async fn grantees(place: &Place, db: &Client) -> Result<Vec<String>, Error> {
    let rows = db.query(GRANTEES, &[&place.schema, &TABLE]).await?;
    rows.iter().map(|row| row.try_get(0)).collect()
}

const PLACE: &str = "
WITH place AS (SELECT n.oid, n.nspowner FROM pg_catalog.pg_namespace n WHERE n.nspname = $1::text),
found AS (SELECT c.oid, c.relowner FROM pg_catalog.pg_class c JOIN place p ON p.oid = c.relnamespace WHERE c.relname = $2::text),
owners AS (SELECT p.nspowner AS owner FROM place p UNION SELECT f.relowner FROM found f)
SELECT session_user::text, (SELECT pg_catalog.pg_get_userbyid(p.nspowner)::text FROM place p), (SELECT f.oid FROM found f),
       (SELECT pg_catalog.pg_get_userbyid(f.relowner)::text FROM found f),
       NOT EXISTS (SELECT FROM owners o JOIN pg_catalog.pg_roles r ON r.oid = o.owner, pg_catalog.pg_roles me
                   WHERE me.rolname = session_user AND r.oid <> me.oid AND NOT r.rolsuper
                     AND (me.rolsuper OR NOT EXISTS (SELECT FROM pg_catalog.pg_roles m
                       WHERE m.rolname = $3::text AND pg_catalog.pg_has_role(r.oid, m.oid, 'MEMBER'))))";

/// One line for each thing that a table of ours does not have.
const FAULTS: &str = "
WITH it AS (SELECT c.* FROM pg_catalog.pg_class c WHERE c.oid = $1)
SELECT CASE it.relkind WHEN 'v' THEN 'it is a view' WHEN 'm' THEN 'it is a materialized view' WHEN 'f' THEN 'it is a foreign table'
            WHEN 'p' THEN 'it is a partitioned table' ELSE 'it is no table' END FROM it WHERE it.relkind <> 'r'
UNION ALL SELECT 'it is not kept for good (UNLOGGED or TEMPORARY)' FROM it WHERE it.relpersistence <> 'p'
UNION ALL SELECT 'it is part of another table, or another is part of it' FROM it
WHERE it.relispartition OR it.reloftype <> 0 OR EXISTS (SELECT FROM pg_catalog.pg_inherits i WHERE it.oid IN (i.inhrelid, i.inhparent))
UNION ALL SELECT pg_catalog.format('it has the trigger `%s`', t.tgname) FROM it JOIN pg_catalog.pg_trigger t ON t.tgrelid = it.oid
UNION ALL SELECT pg_catalog.format('it has the rule `%s`', r.rulename) FROM it JOIN pg_catalog.pg_rewrite r ON r.ev_class = it.oid
WHERE it.relkind <> 'v'
UNION ALL SELECT 'it has row level security' FROM it WHERE it.relrowsecurity OR it.relforcerowsecurity
    OR EXISTS (SELECT FROM pg_catalog.pg_policy p WHERE p.polrelid = it.oid)
UNION ALL SELECT pg_catalog.format('it has the constraint `%s`', k.conname) FROM it JOIN pg_catalog.pg_constraint k ON k.conrelid = it.oid
WHERE k.contype NOT IN ('p', 'n')
UNION ALL SELECT pg_catalog.format('it has the index `%s`', x.relname) FROM it JOIN pg_catalog.pg_index i ON i.indrelid = it.oid
    JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid WHERE NOT i.indisprimary
UNION ALL SELECT pg_catalog.format('its column `%s` has a default of its own (%s)', a.attname, pg_catalog.pg_get_expr(d.adbin, d.adrelid))
FROM it JOIN pg_catalog.pg_attribute a ON a.attrelid = it.oid JOIN pg_catalog.pg_attrdef d ON d.adrelid = it.oid AND d.adnum = a.attnum
WHERE NOT (a.attname = 'written' AND a.attgenerated = '' AND pg_catalog.pg_get_expr(d.adbin, d.adrelid) IN ('now()', 'pg_catalog.now()'))
UNION ALL SELECT 'its columns are not those of a journal' FROM it
WHERE ARRAY(SELECT pg_catalog.format('%s %s', a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod)) FROM pg_catalog.pg_attribute a
            WHERE a.attrelid = it.oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum)
   <> ARRAY['seq bigint', 'written timestamp with time zone', 'command text', 'step text', 'phase text', 'entry text']
   OR EXISTS (SELECT FROM pg_catalog.pg_attribute a WHERE a.attrelid = it.oid AND a.attnum > 0 AND (a.attidentity <> '' OR a.attgenerated <> ''))";

const GRANTEES: &str = "
SELECT DISTINCT CASE WHEN x.grantee = 0 THEN 'PUBLIC' ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(x.grantee)) END
FROM pg_catalog.pg_namespace n LEFT JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = $2::text,
     LATERAL (SELECT a.grantee FROM pg_catalog.aclexplode(n.nspacl) a WHERE a.grantee <> n.nspowner
              UNION SELECT a.grantee FROM pg_catalog.aclexplode(c.relacl) a WHERE a.grantee <> c.relowner) x
WHERE n.nspname = $1::text ORDER BY 1";
