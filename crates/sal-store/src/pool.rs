//! Connections: a deadpool of at most `max_size`, each made by the [`Connector`] that the program plugged in.
//!
//! The house does not know whether a password or an IAM token opens a connection. A connection is thrown
//! away instead of reused when it is closed, when it is older than `max_age`, or when a transaction on it failed
//! (as it does on a server that a failover made read-only), so that the next one asks DNS again.

mod logins;

use std::error::Error;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use deadpool::managed::{self, Metrics, RecycleError, RecycleResult};
use deadpool_postgres::ClientWrapper;
use futures_util::future::BoxFuture;
use tokio::task::JoinHandle;
use tokio_postgres::Statement;

use self::logins::Logins;
use crate::error::StoreError;

/// One new connection: the client half, and the task that moves its bytes.
pub struct Connected {
    /// Sends statements.
    pub client: tokio_postgres::Client,
    /// Ends when the connection does; aborted when the client is dropped.
    pub task: JoinHandle<()>,
}

/// Logs in to the database, however that is done.
pub trait Connector: Send + Sync + 'static {
    /// Makes one new connection. Must end by itself within a bounded time.
    fn connect(&self) -> BoxFuture<'_, Result<Connected, Box<dyn Error + Send + Sync>>>;
}

/// Sizes and times of the pool.
#[derive(Debug, Clone)]
pub struct PoolConfig {
    /// The most connections held at once. RDS counts them against `max_connections`.
    pub max_size: usize,
    /// How long a request waits for a free connection before it is answered with 503.
    pub wait: Duration,
    /// A connection older than this is closed when it is next handed out.
    pub max_age: Duration,
}

impl Default for PoolConfig {
    fn default() -> Self {
        Self {
            max_size: 16,
            wait: Duration::from_secs(5),
            max_age: Duration::from_secs(3600),
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
pub struct Store {
    pool: managed::Pool<Manager>,
    wait: Duration,
    /// When a statement last found that our own tables are missing, or may not be used.
    without_own_tables: Arc<Mutex<Option<tokio::time::Instant>>>,
}

impl Store {
    /// Makes a store whose connections come from `connector`. Opens none yet.
    pub fn new(connector: Arc<dyn Connector>, config: &PoolConfig) -> Self {
        let manager = Manager {
            logins: Logins::new(connector),
            max_age: config.max_age,
        };
        let pool = managed::Pool::builder(manager)
            .max_size(config.max_size.max(1))
            // The connection that was used last has its caches warm, here and in Postgres.
            .queue_mode(managed::QueueMode::Lifo)
            .build();
        #[expect(
            clippy::expect_used,
            reason = "building fails only when timeouts are set without a runtime; none are"
        )]
        let pool = pool.expect("a pool without timeouts needs no runtime");
        Self {
            pool,
            wait: config.wait,
            without_own_tables: Arc::default(),
        }
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
        self.without_own_tables
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a connection, waiting at most the configured time.
    ///
    /// # Errors
    /// [`StoreError::PoolBusy`] when none became free, [`StoreError::Connect`] when a new one was refused.
    pub async fn get(&self) -> Result<Client, StoreError> {
        let busy = StoreError::PoolBusy {
            waited_seconds: self.wait.as_secs(),
        };
        let taken = tokio::time::timeout(self.wait, self.pool.get())
            .await
            .map_err(|_elapsed| busy)?;
        taken
            .map(|inner| Client { inner })
            .map_err(|error| match error {
                managed::PoolError::Backend(error) => StoreError::Connect(error),
                other => StoreError::Connect(other.to_string().into()),
            })
    }

    /// Counts of the pool.
    pub fn status(&self) -> PoolStatus {
        let status = self.pool.status();
        PoolStatus {
            open: status.size,
            idle: status.available,
            max: status.max_size,
            waiting: status.waiting,
        }
    }

    /// Closes the pool: waiting requests are refused, connections end as they come back.
    pub fn close(&self) {
        self.pool.close();
        self.pool.manager().logins.abandon();
    }

    /// Drops all idle connections, so that the next ones log in anew.
    pub fn forget_idle(&self) {
        self.pool.retain(|_, _| false);
    }
}

/// How long our own tables are taken for missing.
const LOOK_AGAIN: Duration = Duration::from_secs(10);

/// A connection taken from the pool; goes back when dropped.
pub struct Client {
    inner: managed::Object<Manager>,
}

impl Client {
    /// Opens a transaction in one round trip of its own; see [`Client::transaction`] for the pipelined form.
    pub async fn begin(self) -> Result<Tx, StoreError> {
        let tx = self.transaction();
        tx.send_begin().await?;
        Ok(tx)
    }

    /// Opens a transaction whose `BEGIN` the caller sends together with its first statements, by polling
    /// [`Tx::send_begin`] first among them (tokio-postgres pipelines futures in the order of their first poll).
    pub fn transaction(self) -> Tx {
        // Until the transaction ends well: dropping the connection is the rollback that also works when the
        // future was cancelled in the middle of a statement.
        self.inner.discard.store(true, Ordering::Relaxed);
        Tx { client: self }
    }
}

/// One transaction on a connection of its own. Without [`Tx::commit`] or [`Tx::rollback`] the connection is
/// dropped, which rolls back.
///
/// Not tokio-postgres's own `Transaction`, because that one always spends a round trip on `BEGIN`.
pub struct Tx {
    client: Client,
}

impl Tx {
    /// Makes sure that the connection knows these statements, so that later ones can be sent together in order.
    pub async fn know(&self, lists: &[&'static [crate::queries::Entry]]) -> Result<(), StoreError> {
        for list in lists {
            if self.client.inner.knows(list) {
                continue;
            }
            for entry in *list {
                self.prepared(entry.sql).await?;
            }
            self.client.inner.learnt(list);
        }
        Ok(())
    }

    /// Rolls back and gives the connection back for further use.
    pub async fn rollback(self) -> Result<Client, StoreError> {
        self.client.inner.batch_execute("ROLLBACK").await?;
        Ok(self.ended())
    }

    /// Sends `BEGIN`; poll it first among the statements of the first round trip.
    pub async fn send_begin(&self) -> Result<(), StoreError> {
        Ok(self.client.inner.batch_execute("BEGIN").await?)
    }

    /// Commits.
    ///
    /// # Errors
    /// A deferred foreign key is checked here, so a violation can surface at this point.
    pub async fn commit(self) -> Result<(), StoreError> {
        self.client.inner.batch_execute("COMMIT").await?;
        self.ended();
        Ok(())
    }

    /// Sends `COMMIT`; poll it last among the statements of the last round trip, then call [`Tx::committed`].
    ///
    /// Postgres answers COMMIT after a failed statement with a rollback and no error, so the caller must look at
    /// the other results before it believes in the commit.
    pub async fn send_commit(&self) -> Result<(), StoreError> {
        Ok(self.client.inner.batch_execute("COMMIT").await?)
    }

    /// Ends the guard after a successful [`Tx::send_commit`].
    pub fn committed(self) {
        self.ended();
    }

    fn ended(self) -> Client {
        self.client.inner.discard.store(false, Ordering::Relaxed);
        self.client
    }
}

/// Anything statements can be sent over: a connection or a transaction.
pub trait Executor: Sync {
    /// The client below.
    fn client(&self) -> &tokio_postgres::Client;
    /// The prepared form of `sql`, from the connection's cache.
    fn prepared(&self, sql: &str) -> impl Future<Output = Result<Statement, StoreError>> + Send;
}

impl Executor for Client {
    fn client(&self) -> &tokio_postgres::Client {
        &self.inner.wrapper
    }
    async fn prepared(&self, sql: &str) -> Result<Statement, StoreError> {
        Ok(self.inner.wrapper.prepare_cached(sql).await?)
    }
}

impl Executor for Tx {
    fn client(&self) -> &tokio_postgres::Client {
        self.client.client()
    }
    async fn prepared(&self, sql: &str) -> Result<Statement, StoreError> {
        self.client.prepared(sql).await
    }
}

impl Executor for tokio_postgres::Client {
    fn client(&self) -> &tokio_postgres::Client {
        self
    }
    async fn prepared(&self, sql: &str) -> Result<Statement, StoreError> {
        Ok(self.prepare(sql).await?)
    }
}

/// A pooled connection with the mark that it must not be reused.
pub struct Pooled {
    wrapper: ClientWrapper,
    discard: AtomicBool,
    born: tokio::time::Instant,
    /// Lists of statements that are prepared, by their addresses: asking for each one costs more than running it.
    known: Mutex<Vec<usize>>,
}

impl Pooled {
    fn knows(&self, list: &'static [crate::queries::Entry]) -> bool {
        self.known().contains(&list.as_ptr().addr())
    }

    fn learnt(&self, list: &'static [crate::queries::Entry]) {
        self.known().push(list.as_ptr().addr());
    }

    fn known(&self) -> MutexGuard<'_, Vec<usize>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::ops::Deref for Pooled {
    type Target = tokio_postgres::Client;
    fn deref(&self) -> &Self::Target {
        &self.wrapper
    }
}

/// Makes and checks the pool's connections.
pub struct Manager {
    logins: Logins,
    max_age: Duration,
}

impl managed::Manager for Manager {
    type Type = Pooled;
    type Error = Box<dyn Error + Send + Sync>;

    async fn create(&self) -> Result<Self::Type, Self::Error> {
        let Connected { client, task } = self.logins.next().await?;
        // Compiling an overview's sixty conditions takes Postgres longer than counting 100,000 machines by them. A
        // server that does not know the setting loses nothing; a connection that broke is noticed by its first use.
        let _refused = client.batch_execute(PREFERENCES).await;
        Ok(Pooled {
            wrapper: ClientWrapper::new(client, task),
            discard: AtomicBool::new(false),
            born: tokio::time::Instant::now(),
            known: Mutex::default(),
        })
    }

    async fn recycle(
        &self,
        pooled: &mut Self::Type,
        _metrics: &Metrics,
    ) -> RecycleResult<Self::Error> {
        if pooled.wrapper.is_closed() {
            return Err(RecycleError::message("the connection was closed"));
        }
        if pooled.discard.load(Ordering::Relaxed) {
            return Err(RecycleError::message(
                "a transaction on the connection failed",
            ));
        }
        if pooled.born.elapsed() > self.max_age {
            return Err(RecycleError::message(
                "the connection reached its greatest age",
            ));
        }
        Ok(())
    }
}

/// What every connection of ours prefers.
const PREFERENCES: &str = "SET jit = off";
