//! A connection in somebody's hands, and its way back.
//!
//! Whoever hangs up leaves a statement running, or a transaction open. Such a connection keeps its place in the pool
//! until Postgres is done with it: what ends by itself within a moment is waited for, everything else is cancelled. A
//! connection that was cancelled is closed, because the request to cancel could still arrive in the middle of the next
//! statement.

use std::sync::atomic::Ordering;
use std::time::Duration;

use deadpool::managed::Object;
use tokio::time::timeout;
use tokio_postgres::Statement;
use tokio_util::task::TaskTracker;

use super::connection::{Manager, Pooled, milliseconds};
use super::lanes::Place;
use super::statement::{Flight, batch};
use super::trouble::Trouble;
use crate::error::StoreError;

/// A connection taken from the pool; goes back when dropped.
pub struct Client {
    /// Taken out only by drop.
    held: Option<Held>,
    tidying: TaskTracker,
}

/// A connection and the place it stands for.
struct Held {
    object: Object<Manager>,
    place: Place,
}

impl Client {
    pub(super) fn new(object: Object<Manager>, place: Place, tidying: TaskTracker) -> Self {
        Self {
            held: Some(Held { object, place }),
            tidying,
        }
    }

    /// Sets how long this session waits for locks, where that changed since it was last used.
    pub(super) async fn adopt_lock_timeout(&self, trouble: &Trouble) -> Result<(), StoreError> {
        let wanted = milliseconds(trouble.lock_timeout());
        let pooled = self.pooled();
        if pooled.lock_milliseconds.swap(wanted, Ordering::Relaxed) == wanted {
            return Ok(());
        }
        batch(&format!("SET lock_timeout = {wanted}"), self).await
    }

    /// Opens a transaction in one round trip of its own; see [`Client::transaction`] for the pipelined form.
    pub async fn begin(self) -> Result<Tx, StoreError> {
        let tx = self.transaction();
        tx.send_begin().await?;
        Ok(tx)
    }

    /// Opens a transaction whose `BEGIN` the caller sends together with its first statements, by polling
    /// [`Tx::send_begin`] first among them (tokio-postgres pipelines futures in the order of their first poll).
    pub fn transaction(self) -> Tx {
        Tx { client: self }
    }

    #[expect(
        clippy::expect_used,
        reason = "only drop takes the connection out, and nobody can call after it"
    )]
    fn pooled(&self) -> &Pooled {
        let held = self.held.as_ref();
        &held
            .expect("a client has its connection until it is dropped")
            .object
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        let Some(held) = self.held.take() else {
            return;
        };
        if held.object.unfit.load(Ordering::Relaxed) {
            held.close();
        } else if !held.object.is_tidy() {
            // Outside a runtime nobody could wait; closing rolls back.
            match tokio::runtime::Handle::try_current() {
                Ok(_) => drop(self.tidying.spawn(held.tidy())),
                Err(_no_runtime) => held.close(),
            }
        }
    }
}

impl Held {
    /// Ends the connection now, not when the pool next looks at it.
    fn close(self) {
        drop(Object::take(self.object));
    }

    /// Gives the connection back when nothing runs on it any more, or closes it.
    async fn tidy(self) {
        if timeout(MOMENT, self.settle()).await == Ok(true) {
            self.object.in_flight.store(0, Ordering::Relaxed);
            self.object.in_transaction.store(false, Ordering::Relaxed);
            let Self { object, place } = self;
            // The place last: whoever gets it must find the connection.
            drop(object);
            drop(place);
            return;
        }
        let taken = (self.object.cancel)().await;
        if timeout(PATIENCE, self.settle()).await.is_err() {
            tracing::warn!(
                cancel_request_taken = taken,
                "a statement whose request is gone did not end in time; its connection is closed"
            );
        }
        self.close();
    }

    /// Waits for the answers to everything that was sent, and rolls back; true when the session is as new.
    async fn settle(&self) -> bool {
        let end = if self.object.in_transaction.load(Ordering::Relaxed) {
            "ROLLBACK"
        } else {
            ""
        };
        self.object.wrapper.batch_execute(end).await.is_ok()
    }
}

/// What ends within this time need not be cancelled.
const MOMENT: Duration = Duration::from_millis(300);
/// How long a cancelled statement may take to end.
const PATIENCE: Duration = Duration::from_secs(10);

/// One transaction on a connection of its own. Without [`Tx::commit`] or [`Tx::rollback`] it is rolled back.
///
/// Not tokio-postgres's own `Transaction`, because that one always spends a round trip on `BEGIN`.
pub struct Tx {
    client: Client,
}

impl Tx {
    /// Makes sure that the connection knows these statements, so that later ones can be sent together in order.
    pub async fn know(&self, lists: &[&'static [crate::queries::Entry]]) -> Result<(), StoreError> {
        let pooled = self.client.pooled();
        for list in lists {
            if pooled.knows(list) {
                continue;
            }
            for entry in *list {
                self.prepared(entry.sql).await?;
            }
            pooled.learnt(list);
        }
        Ok(())
    }

    /// Rolls back and gives the connection back for further use.
    pub async fn rollback(self) -> Result<Client, StoreError> {
        batch("ROLLBACK", &self).await?;
        Ok(self.ended())
    }

    /// Sends `BEGIN`; poll it first among the statements of the first round trip.
    pub async fn send_begin(&self) -> Result<(), StoreError> {
        // Until the transaction ends well: the future may be dropped in the middle of any statement.
        let pooled = self.client.pooled();
        pooled.in_transaction.store(true, Ordering::Relaxed);
        batch("BEGIN", self).await
    }

    /// Commits.
    ///
    /// # Errors
    /// A deferred foreign key is checked here, so a violation can surface at this point.
    pub async fn commit(self) -> Result<(), StoreError> {
        self.send_commit().await?;
        self.ended();
        Ok(())
    }

    /// Sends `COMMIT`; poll it last among the statements of the last round trip, then call [`Tx::committed`].
    ///
    /// Postgres answers COMMIT after a failed statement with a rollback and no error, so the caller must look at
    /// the other results before it believes in the commit.
    pub async fn send_commit(&self) -> Result<(), StoreError> {
        batch("COMMIT", self).await?;
        // Committed or rolled back: there is no transaction any more.
        let pooled = self.client.pooled();
        pooled.in_transaction.store(false, Ordering::Relaxed);
        Ok(())
    }

    /// Ends the guard after a successful [`Tx::send_commit`].
    pub fn committed(self) {
        self.ended();
    }

    fn ended(self) -> Client {
        let pooled = self.client.pooled();
        pooled.in_transaction.store(false, Ordering::Relaxed);
        self.client
    }
}

/// Anything statements can be sent over: a connection or a transaction.
pub trait Executor: Sync {
    /// The client below. Statements go through the functions of `pool::statement`, which count them.
    fn client(&self) -> &tokio_postgres::Client;
    /// The prepared form of `sql`, from the connection's cache.
    fn prepared(&self, sql: &str) -> impl Future<Output = Result<Statement, StoreError>> + Send;
    /// Counts a statement that is about to be sent.
    fn flight(&self) -> Flight<'_>;
}

impl Executor for Client {
    fn client(&self) -> &tokio_postgres::Client {
        &self.pooled().wrapper
    }
    async fn prepared(&self, sql: &str) -> Result<Statement, StoreError> {
        let flight = self.flight();
        flight.landed(self.pooled().wrapper.prepare_cached(sql).await)
    }
    fn flight(&self) -> Flight<'_> {
        Flight::of(self.pooled())
    }
}

impl Executor for Tx {
    fn client(&self) -> &tokio_postgres::Client {
        self.client.client()
    }
    async fn prepared(&self, sql: &str) -> Result<Statement, StoreError> {
        self.client.prepared(sql).await
    }
    fn flight(&self) -> Flight<'_> {
        self.client.flight()
    }
}

impl Executor for tokio_postgres::Client {
    fn client(&self) -> &tokio_postgres::Client {
        self
    }
    async fn prepared(&self, sql: &str) -> Result<Statement, StoreError> {
        Ok(self.prepare(sql).await?)
    }
    fn flight(&self) -> Flight<'_> {
        Flight::uncounted()
    }
}
