//! What a job is given, and what it gives back.

use jiff::{SignedDuration, Timestamp};
use sal_store::StoreError;
use tokio_postgres::Client;
use tokio_util::sync::CancellationToken;

use crate::config::JobsConfig;

/// Whether a job does its work or says what it would do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// It does it, unless that is more than a share of a table.
    Do,
    /// It does it, however much it is: a person said yes.
    DoAll,
    /// It counts, and changes nothing.
    Count,
}

/// What a job is given.
pub(crate) struct Work<'a> {
    /// A connection that nothing else uses.
    pub(crate) db: &'a Client,
    pub(crate) now: Timestamp,
    pub(crate) mode: Mode,
    pub(crate) config: &'a JobsConfig,
    pub(crate) shutdown: &'a CancellationToken,
}

/// Why a job did not finish.
#[derive(Debug, thiserror::Error)]
pub enum JobError {
    /// A statement failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Whose clock is right nobody here can tell; nothing was changed.
    #[error(
        "this server's clock is {by} the database's, and nothing is removed by a clock that may be wrong; set the clock of one of them"
    )]
    Skew {
        /// How far, in words.
        by: String,
    },
    /// More than a share of a table is old at once; nothing was changed.
    #[error(
        "{old} of {all} {things} would go at once, more than {share} %: look whether that is right, then run `sal db maintain --job {job} --yes`"
    )]
    TooMuch {
        /// How many would go.
        old: u64,
        /// How many there are.
        all: u64,
        /// Of what.
        things: &'static str,
        /// The share that needs no yes.
        share: u8,
        /// The job.
        job: &'static str,
    },
    /// The server stops; what was done by then is done.
    #[error("the server stops")]
    Stopped,
}

impl JobError {
    /// The error and what Postgres said.
    pub fn in_words(&self) -> String {
        match self {
            Self::Store(StoreError::Statement(error)) => error
                .as_db_error()
                .map_or_else(|| error.to_string(), |refusal| refusal.message().to_owned()),
            other => other.to_string(),
        }
    }
}

/// What a job did, or would do.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Outcome {
    /// Counts of things, such as `(3, "lines of history")`.
    pub counts: Vec<(u64, &'static str)>,
    /// What an administrator should know.
    pub warnings: Vec<String>,
}

impl Outcome {
    pub(crate) fn add(&mut self, count: u64, things: &'static str) {
        match self.counts.iter_mut().find(|(_, known)| *known == things) {
            Some((so_far, _)) => *so_far += count,
            None => self.counts.push((count, things)),
        }
    }

    /// All counts together.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.counts.iter().map(|(count, _)| count).sum()
    }

    /// The counts that are not nothing, and the warnings, in words.
    #[must_use]
    pub fn in_words(&self) -> String {
        let counts = self.counts.iter().filter(|(count, _)| *count > 0);
        let counts: Vec<_> = counts
            .map(|(count, things)| format!("{count} {things}"))
            .collect();
        let counts = if counts.is_empty() {
            "nothing".to_owned()
        } else {
            counts.join(", ")
        };
        [counts]
            .iter()
            .chain(&self.warnings)
            .cloned()
            .collect::<Vec<_>>()
            .join("; ")
    }
}

impl Work<'_> {
    pub(crate) fn counts_only(&self) -> bool {
        self.mode == Mode::Count
    }

    pub(crate) fn days_ago(&self, days: i64) -> Timestamp {
        let ago = SignedDuration::from_hours(days.saturating_mul(24));
        self.now.saturating_sub(ago).unwrap_or(Timestamp::MIN)
    }

    /// Asks for a person's yes where a run would remove much at once: a clock that was wrong when rows were written, or
    /// a setting with a digit too few, would else empty a table.
    ///
    /// # Errors
    /// [`JobError::TooMuch`].
    pub(crate) fn allows(
        &self,
        (old, all): (i64, i64),
        things: &'static str,
        job: &'static str,
    ) -> Result<(), JobError> {
        let (old, all, share) = (number(old), number(all), self.config.most_share);
        let is_much = old > FEW_ROWS && old.saturating_mul(100) > all.saturating_mul(share.into());
        if self.mode != Mode::Do || !is_much {
            return Ok(());
        }
        Err(JobError::TooMuch {
            old,
            all,
            things,
            share,
            job,
        })
    }

    /// Lets others have the database for a moment; the end of a run when the server stops.
    pub(crate) async fn pause(&self) -> Result<(), JobError> {
        tokio::select! {
            biased;
            () = self.shutdown.cancelled() => Err(JobError::Stopped),
            () = tokio::time::sleep(self.config.pause) => Ok(()),
        }
    }

    /// Runs statements as one transaction.
    pub(crate) async fn transaction<T>(
        &self,
        statements: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        self.db.batch_execute("BEGIN").await?;
        let result = statements.await;
        let keep = result.is_ok() && self.mode != Mode::Count;
        let ended = self
            .db
            .batch_execute(if keep { "COMMIT" } else { "ROLLBACK" })
            .await;
        let value = result?;
        ended?;
        Ok(value)
    }
}

/// So many may go whatever share of their table they are.
const FEW_ROWS: u64 = 100;

/// A count that Postgres gave.
pub(crate) fn number(count: i64) -> u64 {
    u64::try_from(count).unwrap_or(0)
}

/// The most ids that are looked for at once; they are held in memory.
pub(crate) const MOST_IDS: i64 = 100_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outcome_is_worded_without_what_is_nothing() {
        let mut outcome = Outcome::default();
        assert_eq!(outcome.in_words(), "nothing");
        outcome.add(2, "sessions");
        outcome.add(0, "links");
        outcome.add(3, "sessions");
        outcome.warnings.push("the clock is odd".to_owned());
        assert_eq!(outcome.in_words(), "5 sessions; the clock is odd");
        assert_eq!(outcome.rows(), 5);
    }
}
