//! The worker: every server has one, and the one that holds the lock works.
//!
//! The lock belongs to a connection of its own, and the jobs run on that very connection. A server that loses it can
//! therefore do nothing more, whatever it still believes, and another server gets the lock when Postgres has ended the
//! old connection. Nobody needs to watch the clock for that.

use std::ops::ControlFlow;
use std::sync::Arc;

use jiff::Timestamp;
use sal_http::Clock;
use sal_store::jobs::{WORKER, due, introduce, lock_holder, register, try_lock};
use sal_store::pool::{Connected, Connector, Lane};
use sal_store::{Store, StoreError};
use tokio_postgres::Client;
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use crate::{
    config::JobsConfig,
    jobs::{JOBS, named},
    run::Runner,
};

/// What the worker needs. The store answers whether another server works; the connector opens the connection that
/// holds the lock.
struct Worker {
    connector: Arc<dyn Connector>,
    store: Store,
    clock: Clock,
    config: JobsConfig,
    shutdown: CancellationToken,
}

/// Works until `shutdown` falls: runs what is due whenever this server has the lock, and else waits for it.
///
/// A job that runs then ends after its batch, and is taken up by the next server at once.
pub async fn run(
    connector: Arc<dyn Connector>,
    store: Store,
    clock: Clock,
    config: JobsConfig,
    shutdown: CancellationToken,
) {
    let worker = Worker {
        connector,
        store,
        clock,
        config,
        shutdown,
    };
    let mut failures = 0_u32;
    while !worker.shutdown.is_cancelled() {
        match worker.turn().await {
            Ok(()) => failures = 0,
            // Once is enough for the log: a database that is away is told of by those who need it more.
            Err(error) if failures > 0 => {
                failures = failures.saturating_add(1).min(MOST_PATIENT);
                debug!("maintenance waits: {}", with_causes(&error));
            }
            Err(error) => {
                failures = 1;
                warn!("maintenance waits: {}", with_causes(&error));
            }
        }
        let rest = worker.config.stand_by.saturating_mul(failures.max(1));
        worker.rest(rest).await;
    }
}

impl Worker {
    /// One try to get the lock, and the work while it is held.
    async fn turn(&self) -> Result<(), StoreError> {
        if self.somebody_works().await? {
            return Ok(());
        }
        let own = Own::open(self.connector.as_ref()).await?;
        let name = format!("sal maintenance on {}", self.config.server);
        introduce(&own.client, name.as_str()).await?;
        let answer = try_lock(&own.client, &WORKER).await?;
        if !answer.iter().any(|answer| answer.locked) {
            return Ok(());
        }
        info!("this server does the maintenance now");
        let lost = self.work(&own.client).await;
        if !self.shutdown.is_cancelled() {
            info!("this server lost the lock of maintenance");
        }
        lost
    }

    async fn somebody_works(&self) -> Result<bool, StoreError> {
        let db = self.store.get(Lane::Pages).await?;
        Ok(!lock_holder(&db, &WORKER).await?.is_empty())
    }

    /// Runs what is due, until the connection is lost or the server stops.
    async fn work(&self, db: &Client) -> Result<(), StoreError> {
        let runner = Runner {
            db,
            config: &self.config,
            clock: &self.clock,
            shutdown: &self.shutdown,
        };
        register_all(&runner).await?;
        while !self.shutdown.is_cancelled() {
            if runner.begin().await? {
                let flow = self.run_due(&runner).await?;
                runner.end().await?;
                if flow.is_break() {
                    break;
                }
            }
            self.rest(self.config.look_every).await;
        }
        Ok(())
    }

    async fn run_due(&self, runner: &Runner<'_>) -> Result<ControlFlow<()>, StoreError> {
        let names = JOBS.iter().map(|job| job.name.to_owned()).collect();
        let now: Timestamp = (self.clock)();
        for found in due(runner.db, &names, &now).await? {
            let Some(job) = named(&found.name) else {
                continue;
            };
            runner.run(job, now).await?;
            if self.shutdown.is_cancelled() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    async fn rest(&self, time: std::time::Duration) {
        tokio::select! {
            () = self.shutdown.cancelled() => {}
            () = tokio::time::sleep(time) => {}
        }
    }
}

/// Lets the table know every job.
pub(crate) async fn register_all(runner: &Runner<'_>) -> Result<(), StoreError> {
    let names = JOBS.iter().map(|job| job.name.to_owned()).collect();
    let whats = JOBS.iter().map(|job| job.what.to_owned()).collect();
    let seconds = |job: &crate::jobs::Job| {
        i64::try_from((job.every)(runner.config).as_secs()).unwrap_or(i64::MAX)
    };
    let every = JOBS.iter().map(seconds).collect();
    register(runner.db, &names, &whats, &every, &(runner.clock)()).await?;
    Ok(())
}

/// A connection outside the pool. Dropping it ends it at once, and with it the lock.
struct Own {
    client: Client,
    task: tokio::task::JoinHandle<()>,
}

impl Own {
    async fn open(connector: &dyn Connector) -> Result<Self, StoreError> {
        let Connected { client, task, .. } =
            connector.connect().await.map_err(StoreError::Connect)?;
        Ok(Self { client, task })
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// How many times the usual rest a server rests that fails again and again.
const MOST_PATIENT: u32 = 10;

fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
