//! Readiness asks by a connection of its own, so that a full pool is not taken for a database that is away.

use std::time::Duration;

use deadpool::managed::{self, Object};
use jiff::Timestamp;
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};
use tokio_postgres::SimpleQueryMessage;
use tokio_postgres::error::SqlState;

use super::connection::Manager;

/// The connection and what it last found.
pub(super) struct Probe {
    pool: managed::Pool<Manager>,
    last: Mutex<Option<(Instant, Result<Timestamp, String>)>>,
}

impl Probe {
    pub(super) fn new(pool: managed::Pool<Manager>) -> Self {
        Self {
            pool,
            last: Mutex::default(),
        }
    }

    /// Asks, or repeats what was found within the last second. The value is the time of the database.
    pub(super) async fn ask(&self) -> Result<Timestamp, String> {
        let mut last = self.last.lock().await;
        // What was found over a connection that is gone says nothing any more.
        let lost = self.pool.retain(|pooled, _| !pooled.wrapper.is_closed());
        if let Some((at, found)) = &*last
            && at.elapsed() < FRESH
            && lost.removed.is_empty()
        {
            return found.clone();
        }
        let found = timeout(PATIENCE, self.look())
            .await
            .unwrap_or_else(|_elapsed| {
                Err(format!(
                    "the database gave no answer within {} s",
                    PATIENCE.as_secs()
                ))
            });
        *last = Some((Instant::now(), found.clone()));
        found
    }

    pub(super) fn close(&self) {
        self.pool.close();
    }

    async fn look(&self) -> Result<Timestamp, String> {
        let object = self.pool.get().await.map_err(|error| match error {
            managed::PoolError::Backend(error) => {
                format!("no database connection could be made: {error}")
            }
            other => other.to_string(),
        })?;
        // Whoever gives up in the middle must not leave half an answer on it.
        let mut guard = Discard(Some(object));
        let found = match &guard.0 {
            Some(object) => look_with(&object.wrapper).await,
            None => Err("the pool is closed".to_owned()),
        };
        if found.is_ok()
            && let Some(object) = guard.0.take()
        {
            drop(object);
        }
        found
    }
}

/// Closes the connection unless it was taken out.
struct Discard(Option<Object<Manager>>);

impl Drop for Discard {
    fn drop(&mut self) {
        if let Some(object) = self.0.take() {
            drop(Object::take(object));
        }
    }
}

async fn look_with(client: &tokio_postgres::Client) -> Result<Timestamp, String> {
    let answer = client.simple_query(STATE).await;
    let rows = answer.map_err(|error| sentence(&error))?;
    let row = rows.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => Some(row),
        _ => None,
    });
    if row.is_some_and(|row| row.get(0) == Some("t")) {
        return Err(
            "the database is read-only: it is a standby, it was demoted by a failover, or it has no space left"
                .to_owned(),
        );
    }
    match client.batch_execute(TOUCH).await {
        Ok(()) => {
            let seconds = row.and_then(|row| row.get(1)?.parse().ok());
            seconds
                .and_then(|seconds| Timestamp::from_second(seconds).ok())
                .ok_or_else(|| "the database did not say what time it is".to_owned())
        }
        Err(error) if error.code() == Some(&SqlState::LOCK_NOT_AVAILABLE) => {
            // The failed batch left its transaction open.
            client
                .batch_execute("ROLLBACK")
                .await
                .map_err(|error| sentence(&error))?;
            Err(who_locks(client).await)
        }
        Err(error) => Err(sentence(&error)),
    }
}

/// Names the session that holds the table, as far as our user may know it.
async fn who_locks(client: &tokio_postgres::Client) -> String {
    let found = client.simple_query(HOLDER).await.unwrap_or_default();
    let holder = found.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
        _ => None,
    });
    match holder {
        Some(holder) => format!("the table server_machine is locked by {holder}"),
        None => "the table server_machine is locked by another session".to_owned(),
    }
}

fn sentence(error: &tokio_postgres::Error) -> String {
    match error.as_db_error() {
        Some(refusal) => format!(
            "the database refused a statement: {} ({})",
            refusal.message(),
            refusal.code().code()
        ),
        None => "the connection to the database is broken".to_owned(),
    }
}

const STATE: &str = "SELECT pg_catalog.pg_is_in_recovery() OR pg_catalog.current_setting('transaction_read_only') = 'on',
    extract(epoch FROM pg_catalog.clock_timestamp())::bigint";
/// Reading does not conflict with anything but a lock on the whole table. Some other session may hold it for a moment,
/// as a change of the schema does.
const TOUCH: &str =
    "BEGIN; SET LOCAL lock_timeout = 1000; SELECT 1 FROM server_machine LIMIT 1; COMMIT";
const HOLDER: &str = "SELECT pg_catalog.format('session %s (%s)', held.pid, coalesce(nullif(activity.application_name, ''), 'no application name'))
    FROM pg_catalog.pg_locks held
    LEFT JOIN pg_catalog.pg_stat_activity activity ON activity.pid = held.pid
    WHERE held.granted AND held.mode = 'AccessExclusiveLock' AND held.relation = 'server_machine'::regclass
    LIMIT 1";
/// Orchestrators ask every few seconds, several at once.
const FRESH: Duration = Duration::from_secs(1);
/// They do not wait longer either.
const PATIENCE: Duration = Duration::from_secs(3);
