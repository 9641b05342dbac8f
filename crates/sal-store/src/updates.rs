//! `server_manageditem` by item: what waits to be installed and what failed, on how many machines, and on which.

use jiff::Timestamp;
use tokio_postgres::{
    Row,
    types::{ToSql, Type},
};

use crate::{
    applications::{CountsFrom, words},
    devices::Direction,
    error::StoreError,
    ids::{MachineId, SourceId},
    keyset::{Key, ListPage, Listing, Start},
    places::{Place, ask},
    pool::Executor,
    scope::Scope,
};

crate::queries! {
    /// The source with this name.
    find_source(name: str) -> /// A management source.
    Source {
        /// Its id.
        id: SourceId,
        /// Its name.
        name: String,
    } = "SELECT id, name FROM server_managementsource WHERE name = $1";
}

/// What a page of the list shows.
#[derive(Debug, Clone)]
pub struct UpdateQuery {
    /// Where the counts come from.
    pub from: CountsFrom,
    /// Words that must all occur in the name of item or source.
    pub search: String,
    /// Where the page is.
    pub start: Start,
    /// How many to return.
    pub limit: i64,
}

/// An item that waits or failed somewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Update {
    /// Name of the management source.
    pub source: String,
    /// Name of the item.
    pub name: String,
    /// On how many machines it waits to be installed.
    pub pending: i64,
    /// On how many machines it failed.
    pub errors: i64,
    /// The oldest of the dates that these machines gave it.
    pub oldest: Option<Timestamp>,
    /// Which version waits, as the machine with the newest date says.
    pub version: Option<String>,
}

/// Lists items that wait or failed, most machines first.
///
/// # Errors
/// When the database cannot be asked.
pub async fn list_updates(
    query: &UpdateQuery,
    place: &Place,
    scope: &Scope,
    db: &impl Executor,
) -> Result<ListPage<Update>, StoreError> {
    let counts = match query.from {
        CountsFrom::Items => counting(place),
        // It is of the whole place, whoever reads it.
        CountsFrom::Summary if !place.is_within(scope) => return Ok(ListPage::EMPTY),
        CountsFrom::Summary => SUMMARY.to_owned(),
    };
    let from = format!(
        "FROM ({counts}) c JOIN server_managementsource s ON s.id = c.source
         WHERE concat_ws(E'\\n', c.name, s.name) ILIKE ALL ($4::text[])"
    );
    let (units, id) = (scope.units(), place.id());
    let (kind, words) = (place.kind(), words(&query.search));
    let listing = Listing {
        order: vec![
            Key::integer("c.pending + c.errors").going(Direction::Descending),
            Key::text("lower(c.name)"),
            Key::text("c.name"),
            Key::text("s.name"),
        ],
        columns: "s.name AS source, c.name, c.pending, c.errors, c.oldest, c.version",
        from: &from,
        shown: "shown.source, shown.name, shown.pending, shown.errors, shown.oldest, shown.version",
        beside: "",
        parameters: vec![
            (&units, Type::INT4_ARRAY),
            (&id, Type::INT8),
            (&kind, Type::TEXT),
            (&words, Type::TEXT_ARRAY),
        ],
    };
    let limit = Some(query.limit);
    listing.read(&query.start, limit, update, db).await
}

/// Which machines of an item are listed.
#[derive(Debug, Clone)]
pub struct StatusQuery {
    /// The management source.
    pub source: SourceId,
    /// The item.
    pub name: String,
    /// Only those with this status; all without.
    pub status: Option<String>,
    /// Where the page is.
    pub start: Start,
    /// How many to return.
    pub limit: i64,
}

/// A machine and how it stands with an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemOnMachine {
    /// Its id.
    pub id: MachineId,
    /// Serial number.
    pub serial: String,
    /// Name.
    pub hostname: Option<String>,
    /// User at the last check-in.
    pub console_user: Option<String>,
    /// `PRESENT`, `ABSENT`, `PENDING`, `ERROR` or `UNKNOWN`.
    pub status: String,
    /// The item's date on it.
    pub date: Timestamp,
    /// Details as JSON text.
    pub data: Option<String>,
}

/// How many machines of a place have an item in each status.
///
/// # Errors
/// When the database cannot be asked.
pub async fn count_statuses(
    query: &StatusQuery,
    place: &Place,
    scope: &Scope,
    db: &impl Executor,
) -> Result<Vec<(String, i64)>, StoreError> {
    let sql = format!(
        "SELECT i.status::text, count(*) FROM server_manageditem i JOIN ({}) ON m.id = i.machine_id
         WHERE i.management_source_id = $3 AND i.name = $4 GROUP BY 1",
        place.machines()
    );
    let parameters: [(&(dyn ToSql + Sync), Type); 2] =
        [(&query.source, Type::UUID), (&query.name, Type::TEXT)];
    let rows = ask(&sql, place, &parameters, scope, db).await?;
    let pair = |row: &Row| Ok((row.try_get(0)?, row.try_get(1)?));
    rows.iter().map(pair).collect()
}

/// Lists the machines of a place with an item: errors first, then what waits, newest first.
///
/// # Errors
/// When the database cannot be asked.
pub async fn list_item_machines(
    query: &StatusQuery,
    place: &Place,
    scope: &Scope,
    db: &impl Executor,
) -> Result<ListPage<ItemOnMachine>, StoreError> {
    // The literal lets the index of what waits be used.
    let waiting = match query.status.as_deref() {
        Some("PENDING" | "ERROR") => "AND i.status IN ('PENDING', 'ERROR')",
        _ => "",
    };
    let from = format!(
        "FROM server_manageditem i JOIN ({}) ON m.id = i.machine_id
         WHERE i.management_source_id = $3 AND i.name = $4 AND ($5::text IS NULL OR i.status = $5) {waiting}",
        place.machines()
    );
    let (units, id) = (scope.units(), place.id());
    let listing = Listing {
        order: vec![
            Key::integer(URGENCY).that_may_miss(),
            Key::time("i.date_managed").going(Direction::Descending),
            Key::integer("m.id"),
        ],
        columns: "i.id AS item",
        from: &from,
        shown: "m.id, m.serial, m.hostname, m.console_user, i.status, i.date_managed, i.data",
        beside: "JOIN server_manageditem i ON i.id = shown.item JOIN server_machine m ON m.id = i.machine_id",
        parameters: vec![
            (&units, Type::INT4_ARRAY),
            (&id, Type::INT8),
            (&query.source, Type::UUID),
            (&query.name, Type::TEXT),
            (&query.status, Type::TEXT),
        ],
    };
    let limit = Some(query.limit);
    listing.read(&query.start, limit, on_machine, db).await
}

/// The statement that counts a place. The version is taken from the text of one machine by a pattern: a text that is no
/// JSON must not make the page fail.
pub(crate) fn counting(place: &Place) -> String {
    format!(
        "SELECT c.source, c.name, c.pending, c.errors, c.oldest,
                left(coalesce(substring(d.data FROM '\"version_to_install\": *\"([^\"\\\\]*)\"'),
                              substring(d.data FROM '\"version\": *\"([^\"\\\\]*)\"')), 100) AS version
         FROM (SELECT i.management_source_id AS source, i.name::text AS name,
                      count(*) FILTER (WHERE i.status = 'PENDING') AS pending,
                      count(*) FILTER (WHERE i.status = 'ERROR') AS errors, min(i.date_managed) AS oldest,
                      (array_agg(i.id ORDER BY i.status = 'PENDING' DESC, i.date_managed DESC))[1] AS newest
               FROM server_manageditem i JOIN ({}) ON m.id = i.machine_id
               WHERE i.status IN ('PENDING', 'ERROR') GROUP BY i.management_source_id, i.name) c
         LEFT JOIN server_manageditem d ON d.id = c.newest",
        place.machines()
    )
}

fn update(row: &Row) -> Result<Update, StoreError> {
    Ok(Update {
        source: row.try_get(0)?,
        name: row.try_get(1)?,
        pending: row.try_get(2)?,
        errors: row.try_get(3)?,
        oldest: row.try_get(4)?,
        version: row.try_get(5)?,
    })
}

fn on_machine(row: &Row) -> Result<ItemOnMachine, StoreError> {
    Ok(ItemOnMachine {
        id: row.try_get(0)?,
        serial: row.try_get(1)?,
        hostname: row.try_get(2)?,
        console_user: row.try_get(3)?,
        status: row.try_get(4)?,
        date: row.try_get(5)?,
        data: row.try_get(6)?,
    })
}

/// Errors first, then what waits. A status that nobody knows comes last.
const URGENCY: &str =
    "array_position(ARRAY['ERROR', 'PENDING', 'UNKNOWN', 'PRESENT', 'ABSENT'], i.status::text)";

/// What was counted of a place the last time; who may read it was asked before.
const SUMMARY: &str = "SELECT c.* FROM salrs_summary s, jsonb_to_recordset(s.counts)
        AS c (source uuid, name text, pending bigint, errors bigint, oldest timestamptz, version text)
    WHERE s.what = 'updates' AND s.place = $3::text AND s.place_id = $2::bigint";
