//! Sal's tables: create them in an empty database, compare those of a living one, add our own.
//!
//! Sal's own tables are a contract: no column, type or constraint of theirs is ever altered, only how much room their
//! pages leave. What this server adds is numbered, has the prefix
//! `salrs_`, lives in `schema/additions/` and is applied under an advisory lock, once.

mod compare;
mod contents;
mod expected;
mod live;
mod standing;
mod work_as;

use tokio_postgres::Client;

pub use compare::{Difference, Severity};
pub use contents::{Content, contents};
pub use standing::{Kind, Standing, keep_out, standing, taken_back};
pub use work_as::{Owner, owner_to_work_as};

use crate::statements::{NO_RIGHTS, faults_of_own_tables};

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
    /// Why our tables could not be made, in Postgres's words; Sal's own tables work without them.
    pub additions_refused: Option<String>,
    /// Additions that only save work, and why they could not be applied.
    pub savings_refused: Vec<(&'static str, String)>,
}

impl Ensured {
    /// Our additions that were applied now.
    pub fn added_additions(&self) -> impl Iterator<Item = &'static Addition> + use<'_> {
        ADDITIONS
            .iter()
            .filter(|addition| self.added.contains(&addition.name))
    }
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
    let mut ensured = Ensured {
        created: empty,
        added: Vec::new(),
        additions_refused: None,
        savings_refused: Vec::new(),
    };
    for addition in ADDITIONS {
        match apply(addition, db).await {
            Ok(true) => ensured.added.push(addition.name),
            Ok(false) => {}
            Err(error) if addition.only_saves => {
                ensured
                    .savings_refused
                    .push((addition.name, in_postgres_words(&error)));
            }
            Err(error) => {
                ensured.additions_refused = Some(in_postgres_words(&error));
                break;
            }
        }
    }
    Ok(ensured)
}

fn in_postgres_words(error: &tokio_postgres::Error) -> String {
    let Some(error) = error.as_db_error() else {
        return error.to_string();
    };
    let more = [error.detail(), error.hint()].into_iter().flatten();
    std::iter::once(error.message())
        .chain(more)
        .collect::<Vec<_>>()
        .join(". ")
}

/// Compares the living tables with those of Sal 4.4.1, and our own with what our statements need, and returns every
/// difference.
pub async fn differences(db: &Client) -> Result<Vec<Difference>, tokio_postgres::Error> {
    let live = live::read(db).await?;
    let mut differences = compare::compare(&expected::schema(), &live);
    let faults = faults_of_own_tables(db).await?;
    differences.extend(faults.into_iter().map(|fault| Difference {
        severity: Severity::Attention,
        what: match fault.contains(NO_RIGHTS) {
            true => format!(
                "{fault}: GRANT SELECT, INSERT, UPDATE, DELETE on it, or log in as its owner or a member of it"
            ),
            false => format!(
                "this server's own tables are not as it made them ({fault}): take the addition back with `sal db take-back` and make it again with `sal db init`"
            ),
        },
    }));
    let owner = owner_to_work_as(db).await?;
    differences.extend(owner.map(|Owner { owner, user }| Difference {
        severity: Severity::Attention,
        what: format!(
            "they belong to `{owner}`, and `{user}`, who is a member of it, works as itself: no SET role is in effect, so that new tables would belong to `{user}`. ALTER ROLE \"{user}\" IN DATABASE … SET role = '{owner}' (`sal iam apply` does it), and SAL_DB_EXPECT_ROLE={owner} for the server"
        ),
    }));
    differences.sort_by_key(|difference| difference.severity);
    Ok(differences)
}

/// Applies an addition; false when it was there before, or was taken back and stays so.
/// The names of Sal's own tables.
#[must_use]
pub fn tables() -> Vec<String> {
    expected::schema().tables.into_keys().collect()
}

async fn apply(addition: &Addition, db: &mut Client) -> Result<bool, tokio_postgres::Error> {
    if !missing_additions(db).await?.contains(&addition.name) {
        return Ok(false);
    }
    let tx = db.transaction().await?;
    tx.execute("SELECT pg_advisory_xact_lock($1)", &[&LOCK])
        .await?;
    tx.batch_execute(RECORD).await?;
    let fresh = "INSERT INTO salrs_schema (name) VALUES ($1) ON CONFLICT DO NOTHING";
    let is_fresh = tx.execute(fresh, &[&addition.name]).await? == 1;
    if is_fresh {
        tx.batch_execute(addition.up).await?;
    }
    tx.commit().await?;
    Ok(is_fresh)
}

/// Takes an addition back, and remembers that it stays away until [`wanted`] says otherwise.
///
/// # Errors
/// What Postgres said; then nothing changed. `false` when the addition was not there.
pub async fn take_back(
    addition: &Addition,
    db: &mut Client,
) -> Result<bool, tokio_postgres::Error> {
    let tx = db.transaction().await?;
    tx.execute("SELECT pg_advisory_xact_lock($1)", &[&LOCK])
        .await?;
    tx.batch_execute(RECORD).await?;
    let taken = "UPDATE salrs_schema SET taken_back = now() WHERE name = $1 AND taken_back IS NULL";
    let was_there = tx.execute(taken, &[&addition.name]).await? == 1;
    if was_there {
        tx.batch_execute(addition.down).await?;
    }
    tx.commit().await?;
    Ok(was_there)
}

/// Forgets that additions were taken back, so that the next [`ensure`] applies them.
///
/// # Errors
/// What Postgres said.
pub async fn wanted(db: &mut Client) -> Result<(), tokio_postgres::Error> {
    db.batch_execute(RECORD).await?;
    db.batch_execute("DELETE FROM salrs_schema WHERE taken_back IS NOT NULL")
        .await
}

/// The additions that this database does not have and that nobody took back.
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
        .map(|addition| addition.name)
        .filter(|name| !have.iter().any(|have| have == name))
        .collect())
}

/// Something that this server adds to a database.
#[derive(Debug, Clone, Copy)]
pub struct Addition {
    /// Its number and name.
    pub name: &'static str,
    /// What it adds, in words for whoever looks after the database.
    pub what: &'static str,
    /// Makes it.
    up: &'static str,
    /// Takes it back; what it held is lost.
    down: &'static str,
    /// Whether the server does the same work without it, only with more effort. Needs the right of Sal's own tables'
    /// owner, which a login that is only a member does not have.
    pub only_saves: bool,
}

/// Sal's tables, as its migrations leave them.
const TABLES: &str = include_str!("../../../schema/sal-4.sql");
/// The rows that its migrations leave, without the default administrator.
const ROWS: &str = include_str!("../../../schema/sal-4-rows.sql");
/// The table of what was applied. The column came later than the table.
const RECORD: &str = "
    CREATE TABLE IF NOT EXISTS salrs_schema (name text PRIMARY KEY, applied timestamptz NOT NULL DEFAULT now());
    ALTER TABLE salrs_schema ADD COLUMN IF NOT EXISTS taken_back timestamptz;";

macro_rules! addition {
    ($name:literal, $only_saves:expr, $what:literal) => {
        Addition {
            name: $name,
            what: $what,
            up: include_str!(concat!("../../../schema/additions/", $name, ".sql")),
            down: include_str!(concat!("../../../schema/additions/", $name, ".down.sql")),
            only_saves: $only_saves,
        }
    };
}

/// What we add, in order.
pub const ADDITIONS: &[Addition] = &[
    addition!(
        "0001-sessions",
        false,
        "tables for browser sessions and the link that makes the first user"
    ),
    addition!(
        "0002-checkins",
        false,
        "tables for what each machine last sent, and the journal of check-in problems"
    ),
    addition!(
        "0003-fill-factor",
        true,
        "more room in the pages of four of Sal's tables (a setting; no row is rewritten)"
    ),
    addition!("0004-audit", false, "a table of who changed what"),
    addition!("0005-oidc", false, "tables for single sign-on"),
    addition!(
        "0006-preferences",
        false,
        "a table of what people chose on the pages"
    ),
    addition!("0007-summaries", true, "a table of counts over the fleet"),
    addition!(
        "0008-software-indexes",
        true,
        "an index each on inventory_inventoryitem and server_manageditem"
    ),
    addition!("0009-jobs", false, "a table of maintenance jobs"),
    addition!(
        "0010-page-indexes",
        true,
        "an index each on server_pluginscriptrow and server_fact"
    ),
    addition!("0011-logins", false, "two more tables for single sign-on"),
    addition!(
        "0012-journal-strangers",
        false,
        "a column of the journal of check-in problems"
    ),
    addition!(
        "0013-bounded-page-indexes",
        true,
        "indexes over the beginning of names where an earlier build indexed whole names"
    ),
    addition!(
        "0014-searches",
        false,
        "a table of what saved searches mean and with whom they are shared"
    ),
    addition!(
        "0015-api-tokens",
        false,
        "a table of tokens for programs of the REST API"
    ),
    addition!(
        "0016-api-answers",
        false,
        "a table of what programs of the REST API were answered, for a day"
    ),
    addition!(
        "0017-changes",
        false,
        "a table of machines that are gone, and columns of when parts of machines changed"
    ),
    addition!(
        "0018-group-keys",
        false,
        "a table of keys that machine groups had before, and a column of who still uses one"
    ),
    addition!(
        "0019-machine-changes",
        false,
        "a table of what became of each machine"
    ),
    addition!(
        "0020-snapshots",
        false,
        "a table of how many machines were what on each day"
    ),
];
/// The advisory lock of schema changes: the letters `salschem` as a number.
const LOCK: i64 = 0x7361_6c73_6368_656d;
