//! All rows of a list, from one snapshot, with flat memory.
//!
//! A cursor in a transaction: what it finds was there when it was declared, whatever changes meanwhile. Its rows come in
//! batches of about [`BATCH_BYTES`], so that a reader who stops leaves the session idle in its transaction, where Postgres
//! ends it (`idle_in_transaction_session_timeout`); a statement that waits for its reader could not be ended by any limit.
//! Whoever drops a [`Stream`] rolls back, or has the running statement cancelled.

use jiff::Timestamp;
use tokio_postgres::Row;

use super::{
    Column, Conditions, Kind, Resource,
    page::{columns, found, order},
};
use crate::{
    error::StoreError,
    machine_query::run,
    pool::{Client, Tx, batch, query_typed},
    scope::Scope,
};

/// The rows of a list that were not read yet.
pub struct Stream {
    tx: Tx,
    /// What is read of each row.
    columns: Vec<&'static Column>,
    rows_at_once: usize,
}

/// Rows, as they came.
pub struct Batch {
    rows: Vec<Row>,
    columns: Vec<&'static Column>,
}

/// The values of a row, in the order of the columns that were asked for.
#[derive(Clone, Copy)]
pub struct Cells<'a> {
    row: &'a Row,
    columns: &'a [&'static Column],
}

/// A value of a row that is still where it arrived.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Cell<'a> {
    /// None.
    Null,
    /// A whole number.
    Integer(i64),
    /// Text, or a UUID.
    Text(&'a str),
    /// Yes or no.
    Flag(bool),
    /// A moment.
    Time(Timestamp),
    /// JSON, as the database writes it.
    Json(&'a str),
}

/// Opens a list on a connection of its own: these columns of all its rows. Lists that come in the order of their keys
/// come in none here, where nobody asks for one: a million rows would have to be sorted first.
///
/// # Errors
/// When the database cannot be asked.
pub async fn stream(
    resource: &Resource,
    wanted: Vec<&'static Column>,
    conditions: &Conditions,
    scope: &Scope,
    db: Client,
) -> Result<Stream, StoreError> {
    let (fragment, found) = found(resource, conditions, scope);
    let order = match resource.is_by_key(conditions) {
        true => String::new(),
        false => {
            let first = order(resource, &conditions.order);
            format!(" ORDER BY {first}{}", resource.key)
        }
    };
    let sql = format!(
        "DECLARE {CURSOR} NO SCROLL CURSOR FOR SELECT {} FROM {} WHERE {found}{order}",
        columns(wanted.iter().copied()),
        resource.from,
    );
    let tx = db.begin().await?;
    batch(LIMITS, &tx).await?;
    run(&sql, &[&fragment], scope, &tx).await?;
    Ok(Stream {
        tx,
        columns: wanted,
        rows_at_once: FIRST_ROWS,
    })
}

impl Stream {
    /// The next rows; none at the end.
    ///
    /// # Errors
    /// When the database cannot be asked.
    pub async fn next(&mut self) -> Result<Batch, StoreError> {
        let sql = format!("FETCH FORWARD {} FROM {CURSOR}", self.rows_at_once);
        let rows = query_typed(&sql, &[], &self.tx).await?;
        let bytes: usize = rows.iter().map(Row::raw_size_bytes).sum();
        if let Some(each) = bytes.checked_div(rows.len()) {
            self.rows_at_once = (BATCH_BYTES / each.max(1)).clamp(1, MOST_ROWS);
        }
        let columns = self.columns.clone();
        Ok(Batch { rows, columns })
    }

    /// Gives the connection back, after the last rows.
    ///
    /// # Errors
    /// When the database cannot be asked.
    pub async fn end(self) -> Result<(), StoreError> {
        self.tx.rollback().await.map(drop)
    }
}

impl Batch {
    /// How many they are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The rows.
    pub fn rows(&self) -> impl Iterator<Item = Cells<'_>> {
        let columns = self.columns.as_slice();
        self.rows.iter().map(move |row| Cells { row, columns })
    }
}

impl<'a> Cells<'a> {
    /// The values.
    pub fn iter(self) -> impl Iterator<Item = Result<Cell<'a>, StoreError>> {
        let columns = self.columns.iter().enumerate();
        columns.map(move |(place, column)| cell(self.row, place, column.kind))
    }
}

pub(super) fn cell(row: &Row, place: usize, kind: Kind) -> Result<Cell<'_>, StoreError> {
    Ok(match kind {
        Kind::Integer => row.try_get::<_, Option<i64>>(place)?.map(Cell::Integer),
        Kind::Text | Kind::Uuid => row.try_get::<_, Option<&str>>(place)?.map(Cell::Text),
        Kind::Flag => row.try_get::<_, Option<bool>>(place)?.map(Cell::Flag),
        Kind::Time => row.try_get::<_, Option<Timestamp>>(place)?.map(Cell::Time),
        Kind::Json => row.try_get::<_, Option<&str>>(place)?.map(Cell::Json),
    }
    .unwrap_or(Cell::Null))
}

/// All rows are wanted, so the plan is the one that has the last row first. A step of a sparse filter over a long table may
/// take longer than a page's statement.
const LIMITS: &str = "SET TRANSACTION READ ONLY; SET LOCAL cursor_tuple_fraction = 1; SET LOCAL statement_timeout = '10min'";
const CURSOR: &str = "salrs_stream";
/// So large is what is read at once.
const BATCH_BYTES: usize = 512 * 1024;
/// Before anything is known of the rows' size.
const FIRST_ROWS: usize = 100;
const MOST_ROWS: usize = 5_000;
