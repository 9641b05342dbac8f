//! Jobs that a person starts: `sal db maintain`.

use std::time::Duration;

use jiff::Timestamp;
use sal_http::Clock;
use sal_store::StoreError;
use sal_store::jobs::introduce;
use tokio_postgres::Client;
use tokio_util::sync::CancellationToken;

pub use crate::work::{Mode, Outcome};
use crate::{
    config::JobsConfig,
    jobs::{JOBS, Job},
    run::Runner,
    work::JobError,
    worker,
};

/// How a job went.
pub struct Ran {
    /// Which.
    pub job: &'static Job,
    /// What it did or would do, or why not.
    pub result: Result<Outcome, JobError>,
}

/// Why nothing was run.
#[derive(Debug, thiserror::Error)]
pub enum ByHandError {
    /// A server runs jobs, and went on for longer than was waited.
    #[error("a server has been running maintenance for {seconds} s; try again later")]
    Busy {
        /// How long was waited.
        seconds: u64,
    },
    /// What is written about jobs cannot be written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Runs `jobs`, or counts what they would do. Servers run none meanwhile.
///
/// # Errors
/// [`ByHandError`]; how each job went is in the list.
pub async fn run(
    jobs: &[&'static Job],
    mode: Mode,
    config: &JobsConfig,
    clock: &Clock,
    db: &Client,
) -> Result<Vec<Ran>, ByHandError> {
    let shutdown = CancellationToken::new();
    let runner = Runner {
        db,
        config,
        clock,
        shutdown: &shutdown,
    };
    if mode == Mode::Count {
        let mut ran = Vec::new();
        for job in jobs {
            let result = runner.do_it(job, mode).await;
            ran.push(Ran { job, result });
        }
        return Ok(ran);
    }
    introduce(db, "sal db maintain").await?;
    worker::register_all(&runner).await?;
    wait_for_turn(&runner).await?;
    let mut ran = Vec::new();
    for job in jobs {
        // Due or not: somebody asked for it.
        if let Some(result) = runner.run(job, mode, Timestamp::MAX).await? {
            ran.push(Ran { job, result });
        }
    }
    runner.end().await?;
    Ok(ran)
}

async fn wait_for_turn(runner: &Runner<'_>) -> Result<(), ByHandError> {
    for _ in 0..PATIENCE.as_secs() {
        if runner.begin().await? {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    Err(ByHandError::Busy {
        seconds: PATIENCE.as_secs(),
    })
}

/// How long a server is let finish.
const PATIENCE: Duration = Duration::from_secs(60);

/// All jobs.
#[must_use]
pub fn all() -> Vec<&'static Job> {
    JOBS.iter().collect()
}
