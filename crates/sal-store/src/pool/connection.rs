//! What the pool holds: a connection with what is known of it, and how connections are made and looked at again.

use std::error::Error;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use deadpool::managed::{self, Metrics, RecycleError, RecycleResult};
use deadpool_postgres::ClientWrapper;

use super::logins::Logins;
use super::trouble::Trouble;
use super::{Cancel, Connected, SessionLimits};

/// A pooled connection.
pub(super) struct Pooled {
    pub(super) wrapper: ClientWrapper,
    pub(super) cancel: Cancel,
    /// Statements that were sent and whose answers have not come. More than none when a connection comes back means
    /// that its request was hung up.
    pub(super) in_flight: AtomicUsize,
    /// A transaction was begun and has not ended well.
    pub(super) in_transaction: AtomicBool,
    /// It leads to the wrong server, or is broken: it must not be used again.
    pub(super) unfit: AtomicBool,
    /// The `lock_timeout` of the session now, in milliseconds.
    pub(super) lock_milliseconds: AtomicU32,
    pub(super) trouble: Arc<Trouble>,
    born: tokio::time::Instant,
    /// Lists of statements that are prepared, by their addresses: asking for each one costs more than running it.
    known: Mutex<Vec<usize>>,
}

impl Pooled {
    pub(super) fn knows(&self, list: &'static [crate::queries::Entry]) -> bool {
        self.known().contains(&list.as_ptr().addr())
    }

    pub(super) fn learnt(&self, list: &'static [crate::queries::Entry]) {
        self.known().push(list.as_ptr().addr());
    }

    /// Whether it can be handed on as it is.
    pub(super) fn is_tidy(&self) -> bool {
        self.in_flight.load(Ordering::Relaxed) == 0 && !self.in_transaction.load(Ordering::Relaxed)
    }

    fn known(&self) -> MutexGuard<'_, Vec<usize>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Makes and checks the pool's connections.
pub(super) struct Manager {
    pub(super) logins: Logins,
    pub(super) max_age: Duration,
    pub(super) session: SessionLimits,
    pub(super) trouble: Arc<Trouble>,
}

impl managed::Manager for Manager {
    type Type = Pooled;
    type Error = Box<dyn Error + Send + Sync>;

    async fn create(&self) -> Result<Self::Type, Self::Error> {
        let Connected {
            client,
            task,
            cancel,
        } = self.logins.next().await?;
        prepare_session(&client, &self.session).await;
        Ok(Pooled {
            wrapper: ClientWrapper::new(client, task),
            cancel,
            in_flight: AtomicUsize::new(0),
            in_transaction: AtomicBool::new(false),
            unfit: AtomicBool::new(false),
            lock_milliseconds: AtomicU32::new(milliseconds(self.session.lock)),
            trouble: Arc::clone(&self.trouble),
            born: tokio::time::Instant::now(),
            known: Mutex::default(),
        })
    }

    async fn recycle(
        &self,
        pooled: &mut Self::Type,
        _metrics: &Metrics,
    ) -> RecycleResult<Self::Error> {
        if pooled.wrapper.is_closed() || pooled.unfit.load(Ordering::Relaxed) {
            return Err(RecycleError::message("the connection was closed"));
        }
        if pooled.born.elapsed() > self.max_age {
            return Err(RecycleError::message(
                "the connection reached its greatest age",
            ));
        }
        Ok(())
    }
}

/// Sets what every session of ours prefers and is held to. A setting that a server does not know (RDS Proxy, an old
/// version) is left out alone: each is tried by itself when all together are refused. A connection that broke is
/// noticed by its first use.
pub(super) async fn prepare_session(client: &tokio_postgres::Client, limits: &SessionLimits) {
    let settings = [
        // Compiling an overview's sixty conditions takes Postgres longer than counting 100,000 machines by them.
        "SET jit = off".to_owned(),
        setting("statement_timeout", limits.statement),
        setting("lock_timeout", limits.lock),
        setting(
            "idle_in_transaction_session_timeout",
            limits.idle_in_transaction,
        ),
        setting("client_connection_check_interval", limits.client_check),
    ];
    let mut all = String::new();
    for setting in &settings {
        // Writing to a string does not fail.
        let _ = write!(all, "{setting};");
    }
    if client.batch_execute(&all).await.is_ok() || client.is_closed() {
        return;
    }
    for setting in &settings {
        if let Err(error) = client.batch_execute(setting).await {
            tracing::debug!(%error, "`{setting}` was refused");
        }
    }
}

fn setting(name: &str, value: Duration) -> String {
    format!("SET {name} = {}", milliseconds(value))
}

/// As Postgres takes times: whole milliseconds in 32 bits with a sign.
pub(super) fn milliseconds(value: Duration) -> u32 {
    u32::try_from(value.as_millis())
        .unwrap_or(u32::MAX)
        .min(i32::MAX.unsigned_abs())
}
