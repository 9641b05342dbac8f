//! All rows of a list, from one snapshot, with flat memory.
//!
//! A cursor in a transaction: what it finds was there when it was declared, whatever changes meanwhile. Its rows come in
//! batches of at most about [`BATCH_BYTES`], by the largest row so far, so that a reader who stops leaves the session idle in its transaction, where Postgres
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
    size: BatchSize,
}

/// How many rows are read at once.
struct BatchSize {
    rows: usize,
    /// Of one row, so far.
    most_bytes: usize,
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
        size: BatchSize::FIRST,
    })
}

impl Stream {
    /// The next rows; none at the end.
    ///
    /// # Errors
    /// When the database cannot be asked.
    pub async fn next(&mut self) -> Result<Batch, StoreError> {
        let sql = format!("FETCH FORWARD {} FROM {CURSOR}", self.size.rows);
        let rows = query_typed(&sql, &[], &self.tx).await?;
        self.size.learn(rows.iter().map(Row::raw_size_bytes));
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

impl BatchSize {
    /// Before anything is known of the rows.
    const FIRST: Self = Self {
        rows: 100,
        most_bytes: 1,
    };

    /// From the bytes of the rows of a batch. Large rows are seldom alone, and an average says nothing of them; growing in
    /// steps keeps small rows at the beginning from asking for thousands of what may follow.
    fn learn(&mut self, bytes: impl Iterator<Item = usize>) {
        self.most_bytes = bytes.fold(self.most_bytes, usize::max);
        let most = self.rows.saturating_mul(2).min(MOST_ROWS);
        self.rows = (BATCH_BYTES / self.most_bytes).clamp(1, most);
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
/// Rows that are larger than any before come in one batch of this many at most.
const MOST_ROWS: usize = 500;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_row_so_far_bounds_a_batch() {
        let mut size = BatchSize::FIRST;
        let mut next = |rows: &[usize]| {
            size.learn(rows.iter().copied());
            size.rows
        };
        assert_eq!(next(&[100; 100]), 200);
        assert_eq!(next(&[100; 200]), 400);
        assert_eq!(next(&[100; 400]), MOST_ROWS);
        // One among many, which an average would not show.
        let mut mixed = vec![100; MOST_ROWS];
        mixed.push(256 * 1024);
        assert_eq!(next(&mixed), 2);
        assert_eq!(next(&[100, 100]), 2);
        assert_eq!(next(&[BATCH_BYTES * 10, 1]), 1);
        assert_eq!(next(&[]), 1);
    }
}
