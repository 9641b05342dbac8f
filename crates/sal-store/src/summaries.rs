//! `salrs_summary`: counts over a large part of the fleet, kept for a while.
//!
//! Counting the applications of ten thousand machines reads 1.5 million rows; pages read what was counted a moment ago.
//! A summary is one row, so it is replaced as a whole. Without the table (it is an addition that only saves) everything
//! is counted at each visit.
//!
//! The numbers of widgets and reports are kept here too, by whoever counts them, as texts that only he reads.

use jiff::Timestamp;
use tokio_postgres::types::Type;

use crate::{
    applications,
    error::StoreError,
    ids::{GroupId, UnitId},
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

    /// Numbers that were kept for a place.
    kept_counts(whats: Vec<String>, place: str, place_id: i64) -> /// Numbers as they were kept.
    KeptCounts {
        /// What was counted.
        what: String,
        /// When.
        counted: Timestamp,
        /// How long that took.
        milliseconds: i32,
        /// JSON.
        counts: String,
    } = "SELECT what, counted, milliseconds, counts::text AS counts FROM salrs_summary
         WHERE what = ANY($1) AND place = $2 AND place_id = $3";

    /// Keeps numbers of a place that were counted together, each under its name.
    keep_counts(KeepCounts {
        whats: Vec<String>, place: str, place_id: i64, counted: Timestamp, milliseconds: i32, counts: Vec<String>
    }) = "INSERT INTO salrs_summary (what, place, place_id, counted, milliseconds, counts)
         SELECT one.what, $2, $3, $4, $5, one.counts::jsonb FROM unnest($1::text[], $6::text[]) AS one (what, counts)
         ON CONFLICT (what, place, place_id) DO UPDATE
         SET counted = EXCLUDED.counted, milliseconds = EXCLUDED.milliseconds, counts = EXCLUDED.counts";

    /// Says that this server counts in the background for the next two minutes; no row when another one does.
    claim_background(server: str, now: Timestamp) -> /// That it is so.
    Claimed {
        /// When it was said.
        counted: Timestamp,
    } = "INSERT INTO salrs_summary (what, place, place_id, counted, milliseconds, counts)
         VALUES ('background', 'all', 0, $2, 0, to_jsonb($1::text))
         ON CONFLICT (what, place, place_id) DO UPDATE SET counted = EXCLUDED.counted, counts = EXCLUDED.counts
         WHERE salrs_summary.counts = EXCLUDED.counts OR salrs_summary.counted < $2::timestamptz - interval '2 minutes'
            OR salrs_summary.counted > $2::timestamptz + interval '2 minutes'
         RETURNING counted";

    /// Forgets numbers that nobody counted for 30 days: of plugins that changed or went, of places that are gone.
    forget_old_counts(now: Timestamp) = "DELETE FROM salrs_summary WHERE counted < $1::timestamptz - interval '30 days'";

    /// Business units and machine groups with more deployed machines than that, the largest first.
    large_places(machines: i64) -> /// A place.
    LargePlace {
        /// The machine group; none for a whole unit.
        group_id: Option<GroupId>,
        /// The unit.
        unit_id: UnitId,
    } = "SELECT group_id, unit_id FROM (
             SELECT g.id AS group_id, g.business_unit_id AS unit_id, count(*) AS machines
             FROM server_machine m JOIN server_machinegroup g ON g.id = m.machine_group_id WHERE m.deployed
             GROUP BY GROUPING SETS ((g.business_unit_id, g.id), (g.business_unit_id))) place
         WHERE machines > $1 ORDER BY machines DESC, unit_id, group_id";

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

/// Counts this for a place and keeps it. The caller holds the [`lock`], and has the time ([`allow_time`]).
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

/// Lets a transaction that counts take ten minutes: on a small database that has nothing in memory, the whole of a large
/// fleet takes longer than a page may, and it must be counted once all the same.
///
/// # Errors
/// When the database cannot be asked.
pub async fn allow_time(tx: &Tx) -> Result<(), StoreError> {
    batch("SET LOCAL statement_timeout = '10min'", tx).await
}

/// The ids of all machines must fit in memory: without room for them Postgres would look each item up in a list.
const ROOM_TO_COUNT: &str = "SET LOCAL work_mem = '64MB'";
