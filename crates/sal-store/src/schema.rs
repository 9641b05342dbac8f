//! Sal's tables: create them in an empty database, compare those of a living one, add our own.
//!
//! Sal's own tables are a contract and are never altered. What this server adds is numbered, has the prefix
//! `salrs_`, lives in `schema/additions/` and is applied under an advisory lock, once.

mod compare;
mod expected;
mod live;

use tokio_postgres::Client;

pub use compare::{Difference, Severity};

/// What was found in a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// None of Sal's tables.
    Nothing,
    /// Sal's tables, whole or in part.
    Sal,
}

/// What [`ensure`] did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ensured {
    /// Whether Sal's tables were created.
    pub created: bool,
    /// The names of our additions that were applied now.
    pub added: Vec<&'static str>,
    /// Why our additions could not be applied, in Postgres's words; Sal's own tables work without them.
    pub additions_refused: Option<String>,
}

/// Whether the database holds any of Sal's tables.
pub async fn look(db: &Client) -> Result<Found, tokio_postgres::Error> {
    let row = db
        .query_one("SELECT to_regclass('server_machine') IS NOT NULL OR to_regclass('django_migrations') IS NOT NULL", &[])
        .await?;
    Ok(if row.get(0) {
        Found::Sal
    } else {
        Found::Nothing
    })
}

/// Creates Sal's tables and first rows when the database has none, and applies our additions that are missing.
///
/// Safe to run from several processes at once, and again.
///
/// # Errors
/// Any statement's error while Sal's own tables are created; then nothing was created.
pub async fn ensure(db: &mut Client) -> Result<Ensured, tokio_postgres::Error> {
    let tx = db.transaction().await?;
    tx.execute("SELECT pg_advisory_xact_lock($1)", &[&LOCK])
        .await?;
    let empty = look(tx.client()).await? == Found::Nothing;
    if empty {
        tx.batch_execute(TABLES).await?;
        tx.batch_execute(ROWS).await?;
    }
    tx.commit().await?;
    let (added, additions_refused) = match add_missing(db).await {
        Ok(added) => (added, None),
        Err(error) => (
            Vec::new(),
            Some(
                error
                    .as_db_error()
                    .map_or_else(|| error.to_string(), |e| e.message().to_owned()),
            ),
        ),
    };
    Ok(Ensured {
        created: empty,
        added,
        additions_refused,
    })
}

/// Compares the living tables with those of Sal 4.4.1 and returns every difference.
pub async fn differences(db: &Client) -> Result<Vec<Difference>, tokio_postgres::Error> {
    let live = live::read(db).await?;
    Ok(compare::compare(&expected::schema(), &live))
}

async fn add_missing(db: &mut Client) -> Result<Vec<&'static str>, tokio_postgres::Error> {
    let missing = missing_additions(db).await?;
    if missing.is_empty() {
        return Ok(missing);
    }
    let tx = db.transaction().await?;
    tx.execute("SELECT pg_advisory_xact_lock($1)", &[&LOCK])
        .await?;
    tx.batch_execute(
        "CREATE TABLE IF NOT EXISTS salrs_schema (name text PRIMARY KEY, applied timestamptz NOT NULL DEFAULT now())",
    )
    .await?;
    let mut added = Vec::new();
    for (name, sql) in ADDITIONS {
        let fresh = "INSERT INTO salrs_schema (name) VALUES ($1) ON CONFLICT DO NOTHING";
        if tx.execute(fresh, &[name]).await? == 1 {
            tx.batch_execute(sql).await?;
            added.push(*name);
        }
    }
    tx.commit().await?;
    Ok(added)
}

/// The additions that this database does not have yet.
pub async fn missing_additions(db: &Client) -> Result<Vec<&'static str>, tokio_postgres::Error> {
    let exists: bool = db
        .query_one("SELECT to_regclass('salrs_schema') IS NOT NULL", &[])
        .await?
        .get(0);
    let have: Vec<String> = if exists {
        db.query("SELECT name FROM salrs_schema", &[])
            .await?
            .iter()
            .map(|row| row.get(0))
            .collect()
    } else {
        Vec::new()
    };
    Ok(ADDITIONS
        .iter()
        .map(|(name, _)| *name)
        .filter(|name| !have.iter().any(|have| have == name))
        .collect())
}

/// Sal's tables, as its migrations leave them.
const TABLES: &str = include_str!("../../../schema/sal-4.sql");
/// The rows that its migrations leave, without the default administrator.
const ROWS: &str = include_str!("../../../schema/sal-4-rows.sql");
/// Our own tables, in order.
const ADDITIONS: &[(&str, &str)] = &[(
    "0001-sessions",
    include_str!("../../../schema/additions/0001-sessions.sql"),
)];
/// The advisory lock of schema changes: the letters `salschem` as a number.
const LOCK: i64 = 0x7361_6c73_6368_656d;
