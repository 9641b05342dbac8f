//! One run of one job: who may begin, what is written about it, when the next one is due.

use std::time::Duration;

use jiff::Timestamp;
use sal_http::Clock;
use sal_http::metric_names::{JOB_LAST_DONE, JOB_RUNS};
use sal_http::skew::skew_in_words;
use sal_store::StoreError;
use sal_store::jobs::{Finish, RUN, database_time, finish, start, try_lock, unlock};
use tokio::time::Instant;
use tokio_postgres::Client;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::{
    config::JobsConfig,
    jobs::Job,
    work::{JobError, Mode, Outcome, Work},
};

/// What runs need.
pub(crate) struct Runner<'a> {
    /// A connection that nothing else uses.
    pub(crate) db: &'a Client,
    pub(crate) config: &'a JobsConfig,
    pub(crate) clock: &'a Clock,
    pub(crate) shutdown: &'a CancellationToken,
}

impl Runner<'_> {
    /// Takes the lock around runs; false when somebody else is at work.
    pub(crate) async fn begin(&self) -> Result<bool, StoreError> {
        let answer = try_lock(self.db, &RUN).await?;
        Ok(answer.iter().any(|answer| answer.locked))
    }

    /// Gives it back.
    pub(crate) async fn end(&self) -> Result<(), StoreError> {
        unlock(self.db, &RUN).await?;
        Ok(())
    }

    /// Runs a job and writes down how it went, if it was due at `due_by`; nothing when somebody else did it meanwhile.
    ///
    /// # Errors
    /// When nothing could be written down; how the job itself went is the value.
    pub(crate) async fn run(
        &self,
        job: &Job,
        mode: Mode,
        due_by: Timestamp,
    ) -> Result<Option<Result<Outcome, JobError>>, StoreError> {
        let started = (self.clock)();
        let every = (job.every)(self.config);
        let again = after(started, every.min(RETRY));
        let server = self.config.server.as_str();
        if start(self.db, job.name, &due_by, server, &again, &started).await? == 0 {
            return Ok(None);
        }
        let clock = Instant::now();
        let result = self.do_it(job, mode).await;
        let took = clock.elapsed();
        let next = match &result {
            Ok(_) => after(started, every.max(took.saturating_mul(SHARE))),
            Err(JobError::Stopped) => started,
            Err(_) => again,
        };
        self.write_down(job, &result, took, next).await?;
        report(job, &result, took, (self.clock)());
        Ok(Some(result))
    }

    /// Does a job, or counts what it would do, by the time of the database.
    ///
    /// # Errors
    /// The job's, and [`JobError::Skew`] when this server and the database disagree on the time.
    pub(crate) async fn do_it(&self, job: &Job, mode: Mode) -> Result<Outcome, JobError> {
        let work = Work {
            db: self.db,
            now: self.time().await?,
            mode,
            config: self.config,
            shutdown: self.shutdown,
        };
        (job.run)(&work).await
    }

    async fn time(&self) -> Result<Timestamp, JobError> {
        let ours = (self.clock)();
        let Some(most) = self.config.most_skew else {
            return Ok(ours);
        };
        let answers = database_time(self.db).await?;
        let theirs = answers.first().map_or(ours, |answer| answer.now);
        match skew_in_words(ours, theirs, most) {
            Some(by) => Err(JobError::Skew { by }),
            None => Ok(theirs),
        }
    }

    async fn write_down(
        &self,
        job: &Job,
        result: &Result<Outcome, JobError>,
        took: Duration,
        next: Timestamp,
    ) -> Result<(), StoreError> {
        let (rows, detail, error) = match result {
            Ok(outcome) => (outcome.rows(), outcome.in_words(), String::new()),
            Err(error) => (0, String::new(), error.in_words()),
        };
        let milliseconds = i64::try_from(took.as_millis()).unwrap_or(i64::MAX);
        finish(
            self.db,
            Finish {
                name: job.name,
                finished: &(self.clock)(),
                result: word(result),
                rows: &i64::try_from(rows).unwrap_or(i64::MAX),
                milliseconds: &milliseconds,
                detail: detail.as_str(),
                error: error.as_str(),
                next_due: &next,
            },
        )
        .await?;
        Ok(())
    }
}

fn report(job: &Job, result: &Result<Outcome, JobError>, took: Duration, now: Timestamp) {
    let (name, elapsed_ms) = (job.name, took.as_millis());
    metrics::counter!(JOB_RUNS, "job" => name, "outcome" => word(result)).increment(1);
    match result {
        Ok(outcome) => {
            metrics::gauge!(JOB_LAST_DONE, "job" => name).set(now.as_duration().as_secs_f64());
            for warning in &outcome.warnings {
                warn!(job = name, "maintenance job {name}: {warning}");
            }
            info!(
                job = name,
                rows = outcome.rows(),
                elapsed_ms,
                "maintenance job {name} is done: {}",
                outcome.in_words()
            );
        }
        Err(JobError::Stopped) => info!(job = name, "maintenance job {name} was stopped"),
        Err(error) => warn!(
            job = name,
            elapsed_ms,
            "maintenance job {name} failed and is tried again: {}",
            error.in_words()
        ),
    }
}

fn word(result: &Result<Outcome, JobError>) -> &'static str {
    match result {
        Ok(_) => "done",
        Err(JobError::Stopped) => "stopped",
        Err(_) => "failed",
    }
}

fn after(moment: Timestamp, wait: Duration) -> Timestamp {
    moment.saturating_add(wait).unwrap_or(Timestamp::MAX)
}

/// When a job that failed is tried again, and one whose server was killed.
const RETRY: Duration = Duration::from_secs(600);
/// A job that takes long rests longer: at most one part of this many of the time is maintenance.
const SHARE: u32 = 20;
