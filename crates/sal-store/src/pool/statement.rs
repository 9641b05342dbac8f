//! Every statement of the house goes out here, so that a connection knows what is under way on it.
//!
//! A request that is hung up drops its futures in the middle. Without the count, the connection would go back to the pool
//! with its statement still running, and the next request would wait for the end of somebody else's work.

use std::sync::atomic::Ordering;

use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Row, Statement};

use super::client::Executor;
use super::connection::Pooled;
use crate::error::StoreError;

/// A statement that was sent. Counted until its answer has come; for ever when the future that waits is dropped.
pub struct Flight<'a>(Option<&'a Pooled>);

impl<'a> Flight<'a> {
    pub(super) fn of(pooled: &'a Pooled) -> Self {
        pooled.in_flight.fetch_add(1, Ordering::Relaxed);
        Self(Some(pooled))
    }

    /// A connection that nobody hands on needs no count.
    pub(super) fn uncounted() -> Self {
        Self(None)
    }

    /// Notes the answer, and what it says of the connection.
    ///
    /// # Errors
    /// The statement's.
    pub fn landed<T>(self, answer: Result<T, tokio_postgres::Error>) -> Result<T, StoreError> {
        let Some(pooled) = self.0 else {
            return Ok(answer?);
        };
        pooled.in_flight.fetch_sub(1, Ordering::Relaxed);
        let error = match answer {
            Ok(value) => return Ok(value),
            Err(error) => StoreError::from(error),
        };
        if error.is_of_the_wrong_server() {
            pooled.unfit.store(true, Ordering::Relaxed);
        }
        if error.waited_for_a_lock() {
            pooled.trouble.note_lock();
        }
        Err(error)
    }
}

/// Runs a prepared statement that has rows.
///
/// # Errors
/// Postgres's.
pub async fn query(
    statement: &Statement,
    parameters: &[&(dyn ToSql + Sync)],
    db: &impl Executor,
) -> Result<Vec<Row>, StoreError> {
    let flight = db.flight();
    flight.landed(db.client().query(statement, parameters).await)
}

/// Runs a prepared statement without rows and counts the rows it changed.
///
/// # Errors
/// Postgres's.
pub async fn execute(
    statement: &Statement,
    parameters: &[&(dyn ToSql + Sync)],
    db: &impl Executor,
) -> Result<u64, StoreError> {
    let flight = db.flight();
    flight.landed(db.client().execute(statement, parameters).await)
}

/// Runs a statement that is not prepared, so that Postgres plans with the values.
///
/// # Errors
/// Postgres's.
pub(crate) async fn query_typed(
    sql: &str,
    parameters: &[(&(dyn ToSql + Sync), Type)],
    db: &impl Executor,
) -> Result<Vec<Row>, StoreError> {
    let flight = db.flight();
    flight.landed(db.client().query_typed(sql, parameters).await)
}

/// Runs statements without parameters or rows.
///
/// # Errors
/// Postgres's.
pub(crate) async fn batch(sql: &str, db: &impl Executor) -> Result<(), StoreError> {
    let flight = db.flight();
    flight.landed(db.client().batch_execute(sql).await)
}
