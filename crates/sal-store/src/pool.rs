//! Connections: a deadpool of at most `max_size`, each made by the [`Connector`] that the program plugged in.
//!
//! The house does not know whether a password or an IAM token opens a connection. Whoever asks says for what
//! ([`Lane`]), so that no kind of request can take the connections of another. The pool is a bound on what the server
//! has open in Postgres: a connection whose request was hung up keeps its place until Postgres is done with it
//! ([`client`]). Beside the pool there is one connection for readiness ([`Store::probe`]).

mod client;
mod connection;
mod lanes;
mod logins;
mod probe;
mod statement;
#[cfg(test)]
mod tests;
mod trouble;

use std::error::Error;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use deadpool::managed;
use futures_util::future::BoxFuture;
use tokio::task::JoinHandle;
use tokio_util::task::TaskTracker;

pub use self::client::{Client, Executor, Tx};
pub use self::lanes::Lane;
pub use self::statement::{Flight, execute, query};
pub(crate) use self::statement::{batch, query_typed};

use self::connection::Manager;
use self::lanes::Lanes;
use self::logins::Logins;
use self::probe::Probe;
use self::trouble::Trouble;
use crate::error::StoreError;

/// One new connection: the client half, and the task that moves its bytes.
pub struct Connected {
    /// Sends statements.
    pub client: tokio_postgres::Client,
    /// Ends when the connection does; aborted when the client is dropped.
    pub task: JoinHandle<()>,
    /// Asks the server to end the statement that runs on this connection.
    pub cancel: Cancel,
}

/// Sends a cancel request for one connection; true when the server took it. Must end by itself within a bounded time.
pub type Cancel = Arc<dyn Fn() -> BoxFuture<'static, bool> + Send + Sync>;

/// Logs in to the database, however that is done.
pub trait Connector: Send + Sync + 'static {
    /// Makes one new connection. Must end by itself within a bounded time.
    fn connect(&self) -> BoxFuture<'_, Result<Connected, Box<dyn Error + Send + Sync>>>;
}

/// Sizes and times of the pool.
#[derive(Debug, Clone)]
pub struct PoolConfig {
    /// The most connections held at once. RDS counts them against `max_connections`. One more is for readiness.
    pub max_size: usize,
    /// How long a client's request waits for its turn. Clients of Sal give up after 8 s, and waiting for memory comes
    /// before.
    pub machines_wait: Duration,
    /// How long a page waits for its turn.
    pub pages_wait: Duration,
    /// A connection older than this is closed when it is next handed out.
    pub max_age: Duration,
    /// What Postgres allows every session.
    pub session: SessionLimits,
}

/// Limits that Postgres itself holds each session to (Postgres manual, 20.11 "Client Connection Defaults"). Zero is no
/// limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionLimits {
    /// `statement_timeout`.
    pub statement: Duration,
    /// `lock_timeout`.
    pub lock: Duration,
    /// `idle_in_transaction_session_timeout`.
    pub idle_in_transaction: Duration,
    /// `client_connection_check_interval`: how soon a backend notices that we are gone.
    pub client_check: Duration,
}

impl Default for SessionLimits {
    fn default() -> Self {
        Self {
            statement: Duration::from_secs(60),
            lock: Duration::from_secs(3),
            idle_in_transaction: Duration::from_secs(30),
            client_check: Duration::from_secs(5),
        }
    }
}

impl Default for PoolConfig {
    fn default() -> Self {
        Self {
            max_size: 16,
            machines_wait: Duration::from_secs(4),
            pages_wait: Duration::from_secs(30),
            max_age: Duration::from_secs(3600),
            session: SessionLimits::default(),
        }
    }
}

/// What the pool looks like now, for the Database page and the metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolStatus {
    /// Connections that exist.
    pub open: usize,
    /// Connections that nobody uses now.
    pub idle: usize,
    /// The most there may be.
    pub max: usize,
    /// Requests waiting for one.
    pub waiting: usize,
}

/// The house's handle on the database. Cheap to clone.
#[derive(Clone)]
pub struct Store(Arc<Inner>);

struct Inner {
    pool: managed::Pool<Manager>,
    lanes: Lanes,
    probe: Probe,
    trouble: Arc<Trouble>,
    /// Connections of requests that were hung up, on their way back.
    tidying: TaskTracker,
    /// When a statement last found that our own tables are missing, or may not be used.
    without_own_tables: Mutex<Option<tokio::time::Instant>>,
}

impl Store {
    /// Makes a store whose connections come from `connector`. Opens none yet.
    pub fn new(connector: Arc<dyn Connector>, config: &PoolConfig) -> Self {
        let trouble = Arc::new(Trouble::new(config.session.lock));
        let pool = |size: usize, connector: Arc<dyn Connector>| {
            let manager = Manager {
                logins: Logins::new(connector),
                max_age: config.max_age,
                session: config.session,
                trouble: Arc::clone(&trouble),
            };
            let built = managed::Pool::builder(manager)
                .max_size(size)
                // The connection that was used last has its caches warm, here and in Postgres.
                .queue_mode(managed::QueueMode::Lifo)
                .build();
            #[expect(
                clippy::expect_used,
                reason = "building fails only when timeouts are set without a runtime; none are"
            )]
            built.expect("a pool without timeouts needs no runtime")
        };
        Self(Arc::new(Inner {
            probe: Probe::new(pool(1, Arc::clone(&connector))),
            pool: pool(config.max_size.max(1), connector),
            lanes: Lanes::new(config),
            trouble,
            tidying: TaskTracker::new(),
            without_own_tables: Mutex::default(),
        }))
    }

    /// Whether statements may use our own tables. They are looked for again after ten seconds: an administrator may have
    /// run `sal db init` meanwhile.
    pub fn has_own_tables(&self) -> bool {
        let missing = self.missing_since();
        missing.is_none_or(|since| since.elapsed() > LOOK_AGAIN)
    }

    /// Remembers that a statement with our own tables failed for want of them.
    pub fn note_missing_tables(&self) {
        let now = tokio::time::Instant::now();
        *self.missing_since() = Some(now);
    }

    fn missing_since(&self) -> MutexGuard<'_, Option<tokio::time::Instant>> {
        self.0
            .without_own_tables
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a connection when it is this request's turn. A request holds one at a time: whoever waits here while
    /// holding another keeps the pool from ever becoming free.
    ///
    /// # Errors
    /// [`StoreError::PoolBusy`] when the turn did not come in time, [`StoreError::Connect`] when a new connection was
    /// refused.
    pub async fn get(&self, lane: Lane) -> Result<Client, StoreError> {
        let inner = &*self.0;
        let wait = inner.lanes.wait(lane);
        let busy = || StoreError::PoolBusy {
            waited_seconds: wait.as_secs(),
        };
        let taking = async {
            let place = inner.lanes.enter(lane).await;
            let object = inner.pool.get().await.map_err(refused)?;
            let tidying = inner.tidying.clone();
            Ok::<_, StoreError>(Client::new(object, place, tidying))
        };
        let client = tokio::time::timeout(wait, taking)
            .await
            .map_err(|_elapsed| busy())??;
        client.adopt_lock_timeout(&inner.trouble).await?;
        Ok(client)
    }

    /// Whether the database can be asked and its tables be read and written, by a connection of its own; the value is
    /// the time of the database. Asked at most once a second, however many want to know.
    ///
    /// # Errors
    /// Why not, in a sentence for the person on call.
    pub async fn probe(&self) -> Result<jiff::Timestamp, String> {
        self.0.probe.ask().await
    }

    /// Counts of the pool.
    pub fn status(&self) -> PoolStatus {
        let status = self.0.pool.status();
        PoolStatus {
            open: status.size,
            idle: status.available,
            max: status.max_size,
            waiting: self.0.lanes.waiting(),
        }
    }

    /// Closes the pool: waiting requests are refused, connections end as they come back.
    pub fn close(&self) {
        self.0.pool.close();
        self.0.probe.close();
        self.0.pool.manager().logins.abandon();
    }

    /// Drops all idle connections, so that the next ones log in anew.
    pub fn forget_idle(&self) {
        self.0.pool.retain(|_, _| false);
    }
}

fn refused(error: managed::PoolError<Box<dyn Error + Send + Sync>>) -> StoreError {
    match error {
        managed::PoolError::Backend(error) => StoreError::Connect(error),
        other => StoreError::Connect(other.to_string().into()),
    }
}

/// How long our own tables are taken for missing.
const LOOK_AGAIN: Duration = Duration::from_secs(10);
