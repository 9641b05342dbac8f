//! `salrs_summary`: counts over a large part of the fleet, kept for a while.
//!
//! Counting the applications of ten thousand machines reads 1.5 million rows; pages read what was counted a moment ago.
//! A summary is one row, so it is replaced as a whole. Without the table (it is an addition that only saves) everything
//! is counted at each visit.

use jiff::Timestamp;
use tokio_postgres::types::Type;

use crate::{
    applications,
    error::StoreError,
    places,
    places::Place,
    pool::{Executor, Tx, batch},
    scope::Scope,
    updates,
};

crate::queries! {
    /// When a place was counted.
    find_row(what: str, place: str, place_id: i64) -> /// A summary that is there.
    Counted {
        /// When.
        counted: Timestamp,
        /// How long that took.
        milliseconds: i32,
    } = "SELECT counted, milliseconds FROM salrs_summary WHERE what = $1 AND place = $2 AND place_id = $3";

    /// Takes the right to count until the transaction ends; false when somebody else has it.
    try_lock(name: str) -> /// An answer.
    Locked {
        /// Whether we have it.
        locked: bool,
    } = "SELECT pg_try_advisory_xact_lock(hashtextextended('salrs_summary ' || $1::text, 0)) AS locked";

    /// Waits for the right to count.
    wait_for_lock(name: str) -> /// Nothing.
    Waited {
        /// Always true.
        locked: bool,
    } = "SELECT pg_advisory_xact_lock(hashtextextended('salrs_summary ' || $1::text, 0)) IS NOT NULL AS locked";
}

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Summary {
    /// Machines, installs and versions of each application.
    Applications,
    /// Machines on which each managed item waits or failed.
    Updates,
}

/// Whether to wait for another process that is counting the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Patience {
    /// Wait until it is done.
    Wait,
    /// Leave it to that one.
    Leave,
}

impl Summary {
    fn name(self) -> &'static str {
        match self {
            Self::Applications => "applications",
            Self::Updates => "updates",
        }
    }

    fn counting(self, place: &Place) -> String {
        match self {
            Self::Applications => applications::counting(place),
            Self::Updates => updates::counting(place),
        }
    }
}

/// When this was counted for a place, if it was.
///
/// # Errors
/// When the database cannot be asked, or has no such table.
pub async fn find_summary(
    what: Summary,
    place: &Place,
    db: &impl Executor,
) -> Result<Option<Counted>, StoreError> {
    let rows = find_row(db, what.name(), place.kind(), &place.id()).await?;
    Ok(rows.into_iter().next())
}

/// Takes the right to count this for a place until the transaction ends. False when another process has it.
///
/// # Errors
/// When the database cannot be asked.
pub async fn lock(
    what: Summary,
    place: &Place,
    patience: Patience,
    tx: &Tx,
) -> Result<bool, StoreError> {
    let name = format!("{} {} {}", what.name(), place.kind(), place.id());
    if patience == Patience::Wait {
        wait_for_lock(tx, &name).await?;
        return Ok(true);
    }
    let answer = try_lock(tx, &name).await?;
    Ok(answer.iter().any(|answer| answer.locked))
}

/// Counts this for a place and keeps it. The caller holds the [`lock`].
///
/// # Errors
/// When the database cannot be asked, or has no such table.
pub async fn recount(
    what: Summary,
    place: &Place,
    now: Timestamp,
    tx: &Tx,
) -> Result<(), StoreError> {
    // A place is counted as a whole; who may see it is decided when it is read.
    let sql = format!(
        "INSERT INTO salrs_summary (what, place, place_id, counted, milliseconds, counts)
         SELECT $3, $4, $2, $5, (1000 * extract(epoch FROM clock_timestamp() - statement_timestamp()))::int, counts
         FROM (SELECT coalesce(jsonb_agg(to_jsonb(one)), '[]') AS counts FROM ({}) one) all_of_them
         ON CONFLICT (what, place, place_id) DO UPDATE
         SET counted = EXCLUDED.counted, milliseconds = EXCLUDED.milliseconds, counts = EXCLUDED.counts",
        what.counting(place)
    );
    batch(ROOM_TO_COUNT, tx).await?;
    let (name, kind) = (what.name(), place.kind());
    let parameters: [(&(dyn tokio_postgres::types::ToSql + Sync), Type); 3] = [
        (&name, Type::TEXT),
        (&kind, Type::TEXT),
        (&now, Type::TIMESTAMPTZ),
    ];
    places::ask(&sql, place, &parameters, &Scope::All, tx).await?;
    Ok(())
}

/// The ids of all machines must fit in memory: without room for them Postgres would look each item up in a list.
const ROOM_TO_COUNT: &str = "SET LOCAL work_mem = '64MB'";
