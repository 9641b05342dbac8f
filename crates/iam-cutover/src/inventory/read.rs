//! Reads the inventory, as the administrator, in one session for each database.
//!
//! Every query sees catalogs only and works on Postgres 12 to 18; columns that came later are read
//! through `to_jsonb`.

use std::collections::{BTreeMap, BTreeSet};

use tokio_postgres::{Client, Error, Row};

use super::{
    Database, DefaultPrivilege, Edge, EventTrigger, Graph, Inventory, Policy, RDS_SUPERUSER, Role,
    Setting, objects,
};
use crate::wish::Wish;

/// Reads roles and memberships through the first session, and each database through its own.
///
/// `databases` are sessions in the databases of the wish, in its order.
///
/// # Errors
/// Postgres's, when a session is lost or the administrator may not read a catalog.
pub async fn read(wish: &Wish, databases: &[&Client]) -> Result<Inventory, Error> {
    let Some(admin) = databases.first() else {
        return Ok(Inventory {
            version: 0,
            admin: String::new(),
            roles: BTreeMap::new(),
            graph: Graph::default(),
            uncopyable: BTreeSet::new(),
            databases: Vec::new(),
            further_databases: Vec::new(),
            mentions_of_new: Vec::new(),
            mentions_of_owner_role: Vec::new(),
            replaces_new: false,
        });
    };
    let row = admin
        .query_one(
            "SELECT pg_catalog.current_setting('server_version_num')::int, session_user::text",
            &[],
        )
        .await?;
    let version = row.try_get(0)?;
    let mut read = Vec::new();
    for (name, client) in wish.databases.iter().zip(databases) {
        read.push(database(name, wish, version, client).await?);
    }
    let further = admin
        .query(FURTHER_DATABASES, &[&wish.old_user, &wish.databases])
        .await?;
    let roles = roles(wish, admin).await?;
    Ok(Inventory {
        version,
        admin: row.try_get(1)?,
        uncopyable: uncopyable(version, roles.get(&wish.old_user), admin).await?,
        roles,
        graph: read_graph(admin).await?,
        databases: read,
        further_databases: texts(&further)?,
        mentions_of_new: texts(
            &admin
                .query(MENTIONS, &[&wish.new_user, &Vec::<String>::new()])
                .await?,
        )?,
        mentions_of_owner_role: elsewhere(texts(
            &admin
                .query(MENTIONS, &[&wish.owner_role, &wish.databases])
                .await?,
        )?),
        replaces_new: false,
    })
}

/// Reads all memberships; inside a transaction, what they will be.
///
/// # Errors
/// Postgres's.
pub async fn read_graph(db: &Client) -> Result<Graph, Error> {
    let rows = db.query(MEMBERSHIPS, &[]).await?;
    let edge = |row: &Row| {
        Ok(Edge {
            member: row.try_get(0)?,
            role: row.try_get(1)?,
            grantor: row.try_get(2)?,
            admin: row.try_get(3)?,
            inherit: row.try_get(4)?,
            set: row.try_get(5)?,
        })
    };
    Ok(Graph {
        edges: rows.iter().map(edge).collect::<Result<_, Error>>()?,
    })
}

async fn roles(wish: &Wish, db: &Client) -> Result<BTreeMap<String, Role>, Error> {
    let named = [&wish.old_user, &wish.new_user, &wish.owner_role];
    let named: Vec<&str> = named.iter().map(|name| name.as_str()).collect();
    let rows = db.query(ROLES, &[&named]).await?;
    let mut roles = BTreeMap::new();
    for row in &rows {
        let role = Role {
            name: row.try_get(0)?,
            login: row.try_get(1)?,
            inherit: row.try_get(2)?,
            superuser: row.try_get(3)?,
            createdb: row.try_get(4)?,
            createrole: row.try_get(5)?,
            replication: row.try_get(6)?,
            bypassrls: row.try_get(7)?,
            connection_limit: row.try_get(8)?,
            comment: row.try_get(9)?,
            sessions: row.try_get(10)?,
            grantable: row.try_get(11)?,
            settings: Vec::new(),
        };
        roles.insert(role.name.clone(), role);
    }
    for row in db.query(SETTINGS, &[&named]).await? {
        let (name, text): (String, String) = (row.try_get(0)?, row.try_get(2)?);
        let (setting, value) = text.split_once('=').unwrap_or((&text, ""));
        if let Some(role) = roles.get_mut(&name) {
            role.settings.push(Setting {
                database: row.try_get(1)?,
                name: setting.to_owned(),
                value: value.to_owned(),
            });
        }
    }
    Ok(roles)
}

/// Custom settings, and those of superusers that were not granted (Postgres manual, ALTER ROLE and GRANT).
async fn uncopyable(
    version: i32,
    old: Option<&Role>,
    db: &Client,
) -> Result<BTreeSet<String>, Error> {
    let names: Vec<&str> = old
        .iter()
        .flat_map(|old| &old.settings)
        .map(|setting| setting.name.as_str())
        .collect();
    // From 16 on a helper gives the settings, to whom nothing was granted.
    let granted = if (150_000..160_000).contains(&version) {
        "pg_catalog.has_parameter_privilege(session_user, s.name, 'SET')"
    } else {
        "false"
    };
    let sql = format!(
        "SELECT n FROM pg_catalog.unnest($1::text[]) n LEFT JOIN pg_catalog.pg_settings s ON pg_catalog.lower(s.name) = pg_catalog.lower(n)
         WHERE NOT (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = session_user)
           AND (s.name IS NULL OR (s.context LIKE 'superuser%' AND NOT {granted}))"
    );
    let rows = db.query(&sql, &[&names]).await?;
    rows.iter().map(|row| row.try_get(0)).collect()
}

/// What concerns the move in the session's own database.
///
/// # Errors
/// Postgres's.
pub(crate) async fn database(
    name: &str,
    wish: &Wish,
    version: i32,
    db: &Client,
) -> Result<Database, Error> {
    let (old, new) = (&wish.old_user, &wish.new_user);
    let facts = db.query_one(DATABASE, &[]).await?;
    let defaults = db.query(DEFAULT_PRIVILEGES, &[old]).await?;
    let default = |row: &Row| {
        Ok(DefaultPrivilege {
            schema: row.try_get(0)?,
            objects: row.try_get(1)?,
            grantee: row.try_get(2)?,
            privilege: row.try_get(3)?,
            grantable: row.try_get(4)?,
        })
    };
    Ok(Database {
        name: name.to_owned(),
        owner: facts.try_get(0)?,
        admin_may_create: facts.try_get(1)?,
        owned_by_old: objects::owned(old, db).await?,
        owned_by_new: objects::owned(new, db).await?,
        owned_by_owner_role: objects::owned(&wish.owner_role, db).await?,
        default_privileges: defaults.iter().map(default).collect::<Result<_, Error>>()?,
        grants_to_old: objects::grants(old, version, db).await?,
        grants_to_owner_role: objects::grants(&wish.owner_role, version, db).await?,
        mentions_owner_role: db
            .query_one(MENTIONED_HERE, &[&wish.owner_role])
            .await?
            .try_get(0)?,
        event_triggers: event_triggers(db).await?,
        policies_of_old: policies(wish, db).await?,
    })
}

async fn event_triggers(db: &Client) -> Result<Vec<EventTrigger>, Error> {
    let rows = db.query(EVENT_TRIGGERS, &[&RDS_SUPERUSER]).await?;
    let one = |row: &Row| {
        Ok(EventTrigger {
            name: row.try_get(0)?,
            event: row.try_get(1)?,
            function: row.try_get(2)?,
            owner: row.try_get(3)?,
            is_administrators: row.try_get(4)?,
        })
    };
    rows.iter().map(one).collect()
}

async fn policies(wish: &Wish, db: &Client) -> Result<Vec<Policy>, Error> {
    let rows = db
        .query(POLICIES, &[&wish.old_user, &wish.owner_role])
        .await?;
    let one = |row: &Row| {
        Ok(Policy {
            name: row.try_get(0)?,
            table: row.try_get(1)?,
            roles: row.try_get(2)?,
            is_for_owner_role: row.try_get(3)?,
            alterable: row.try_get(4)?,
        })
    };
    rows.iter().map(one).collect()
}

fn texts(rows: &[Row]) -> Result<Vec<String>, Error> {
    rows.iter().map(|row| row.try_get(0)).collect()
}

const ROLES: &str = "
SELECT r.rolname::text, r.rolcanlogin, r.rolinherit, r.rolsuper, r.rolcreatedb, r.rolcreaterole, r.rolreplication,
       r.rolbypassrls, r.rolconnlimit, pg_catalog.shobj_description(r.oid, 'pg_authid'),
       (SELECT pg_catalog.count(*) FROM pg_catalog.pg_stat_activity a
        WHERE a.usename = r.rolname AND a.pid <> pg_catalog.pg_backend_pid() AND a.application_name <> 'sal iam'),
       me.rolsuper OR pg_catalog.pg_has_role(session_user, r.oid, 'MEMBER WITH ADMIN OPTION')
           OR (pg_catalog.current_setting('server_version_num')::int < 160000 AND me.rolcreaterole AND NOT r.rolsuper)
FROM pg_catalog.pg_roles r, pg_catalog.pg_roles me
WHERE me.rolname = session_user
  AND (r.rolcanlogin OR r.rolname = ANY($1::text[]) OR r.rolname IN ('rds_iam', 'rds_superuser', 'rds_ad', 'rds_replication')
       OR EXISTS (SELECT FROM pg_catalog.pg_auth_members m JOIN pg_catalog.pg_roles o ON o.oid = m.member
                  WHERE m.roleid = r.oid AND o.rolname = ANY($1::text[])))
ORDER BY 1";

const SETTINGS: &str = "
SELECT r.rolname::text, d.datname::text, c
FROM pg_catalog.pg_db_role_setting s JOIN pg_catalog.pg_roles r ON r.oid = s.setrole LEFT JOIN pg_catalog.pg_database d ON d.oid = s.setdatabase,
     pg_catalog.unnest(s.setconfig) c
WHERE r.rolname = ANY($1::text[]) OR r.rolname = session_user
ORDER BY 1, 2 NULLS FIRST, 3";

const MEMBERSHIPS: &str = "
SELECT member.rolname::text, role.rolname::text, COALESCE(grantor.rolname::text, ''), m.admin_option,
       COALESCE((pg_catalog.to_jsonb(m) ->> 'inherit_option')::bool, member.rolinherit),
       COALESCE((pg_catalog.to_jsonb(m) ->> 'set_option')::bool, true)
FROM pg_catalog.pg_auth_members m
JOIN pg_catalog.pg_roles member ON member.oid = m.member JOIN pg_catalog.pg_roles role ON role.oid = m.roleid
LEFT JOIN pg_catalog.pg_roles grantor ON grantor.oid = m.grantor
ORDER BY 1, 2, 3";

const FURTHER_DATABASES: &str = "
SELECT DISTINCT d.datname::text
FROM pg_catalog.pg_shdepend s JOIN pg_catalog.pg_database d ON d.oid = s.dbid
JOIN pg_catalog.pg_roles r ON r.oid = s.refobjid AND s.refclassid = 'pg_catalog.pg_authid'::pg_catalog.regclass
WHERE r.rolname = $1::text AND s.deptype = 'o' AND d.datname <> ALL($2::text[])
ORDER BY 1";

/// Privileges on the cluster's own objects go with DROP OWNED, in any database.
fn elsewhere(mut places: Vec<String>) -> Vec<String> {
    places.retain(|place| place != CLUSTER);
    places
}

pub(crate) const CLUSTER: &str = "the cluster";

/// What keeps a role from being dropped; memberships it granted are none of that here.
const MENTIONS: &str = "
SELECT DISTINCT COALESCE(d.datname::text, 'the cluster')
FROM pg_catalog.pg_shdepend s JOIN pg_catalog.pg_roles r ON r.oid = s.refobjid AND s.refclassid = 'pg_catalog.pg_authid'::pg_catalog.regclass
LEFT JOIN pg_catalog.pg_database d ON d.oid = s.dbid
WHERE r.rolname = $1::text AND s.classid <> 'pg_catalog.pg_auth_members'::pg_catalog.regclass AND COALESCE(d.datname, '') <> ALL($2::text[])
ORDER BY 1";

/// In the session's own database, or about that database.
const MENTIONED_HERE: &str = "
SELECT EXISTS (
    SELECT FROM pg_catalog.pg_shdepend s JOIN pg_catalog.pg_database d ON d.datname = pg_catalog.current_database()
    JOIN pg_catalog.pg_roles r ON r.oid = s.refobjid AND s.refclassid = 'pg_catalog.pg_authid'::pg_catalog.regclass
    WHERE r.rolname = $1::text AND (s.dbid = d.oid
        OR (s.dbid = 0 AND s.classid = 'pg_catalog.pg_database'::pg_catalog.regclass AND s.objid = d.oid)))";

const DATABASE: &str = "
SELECT pg_catalog.pg_get_userbyid(datdba)::text, pg_catalog.has_database_privilege(session_user, oid, 'CREATE')
FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()";

const DEFAULT_PRIVILEGES: &str = "
SELECT n.nspname::text,
       CASE d.defaclobjtype WHEN 'r' THEN 'TABLES' WHEN 'S' THEN 'SEQUENCES' WHEN 'f' THEN 'FUNCTIONS'
                            WHEN 'T' THEN 'TYPES' WHEN 'L' THEN 'LARGE OBJECTS' ELSE 'SCHEMAS' END,
       CASE WHEN x.grantee = 0 THEN NULL ELSE pg_catalog.pg_get_userbyid(x.grantee)::text END, x.privilege_type, x.is_grantable
FROM pg_catalog.pg_default_acl d JOIN pg_catalog.pg_roles r ON r.oid = d.defaclrole
LEFT JOIN pg_catalog.pg_namespace n ON n.oid = d.defaclnamespace, pg_catalog.aclexplode(d.defaclacl) x
WHERE r.rolname = $1::text AND x.grantee <> d.defaclrole
ORDER BY 1 NULLS FIRST, 2, 3 NULLS FIRST, 4";

const POLICIES: &str = "
SELECT pg_catalog.quote_ident(p.polname), pg_catalog.format('%I.%I', n.nspname, c.relname),
       ARRAY(SELECT COALESCE(pg_catalog.quote_ident(x.rolname), 'PUBLIC') FROM pg_catalog.unnest(p.polroles) o LEFT JOIN pg_catalog.pg_roles x ON x.oid = o ORDER BY 1),
       COALESCE((SELECT o.oid FROM pg_catalog.pg_roles o WHERE o.rolname = $2::text) = ANY(p.polroles), false),
       pg_catalog.pg_has_role(session_user, c.relowner, 'USAGE')
FROM pg_catalog.pg_policy p JOIN pg_catalog.pg_class c ON c.oid = p.polrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_roles r ON r.oid = ANY(p.polroles) WHERE r.rolname = $1::text ORDER BY 2, 1";

/// Only a superuser makes one (on RDS, a member of rds_superuser), but its function may belong to anybody.
const EVENT_TRIGGERS: &str = "
SELECT e.evtname::text, e.evtevent::text, e.evtfoid::pg_catalog.regprocedure::text, o.rolname::text,
       o.rolsuper OR o.rolname = session_user OR pg_catalog.pg_has_role(o.oid, session_user, 'MEMBER')
       OR EXISTS (SELECT FROM pg_catalog.pg_roles m WHERE m.rolname = $1::text AND pg_catalog.pg_has_role(o.oid, m.oid, 'MEMBER'))
FROM pg_catalog.pg_event_trigger e JOIN pg_catalog.pg_proc f ON f.oid = e.evtfoid JOIN pg_catalog.pg_roles o ON o.oid = f.proowner
WHERE e.evtenabled <> 'D' AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
    WHERE d.classid = 'pg_catalog.pg_event_trigger'::pg_catalog.regclass AND d.objid = e.oid AND d.deptype = 'e')
ORDER BY 1";
