//! Removes what is older than the setting `historical_retention` says, and management sources that nothing names.
//!
//! As in Sal, the current plugin results of machines that were silent for so long go too (sal-database, "Retention").

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use sal_http::sal_settings::HISTORICAL_RETENTION;
use sal_store::{
    StoreError,
    maintenance::{
        count_old, delete_facts, delete_history, delete_source, delete_submissions, first_id_of,
        old_facts, old_history, old_submissions, unused_sources,
    },
};
use tokio_postgres::error::SqlState;
use tracing::debug;

use crate::{
    jobs::Job,
    work::{JobError, MOST_IDS, Outcome, Work, number},
};

const NAME: &str = "retention";
// Each look reads the three tables once; Sal looks every five minutes.
const EVERY: Duration = Duration::from_secs(6 * 3600);

pub(crate) const JOB: Job = Job {
    name: NAME,
    what: "Removes plugin results, history of managed items and historical facts that are older than the retention, and sources that nothing uses.",
    every: |_config| EVERY,
    run: |work| Box::pin(run(work)),
};

async fn run(work: &Work<'_>) -> Result<Outcome, JobError> {
    let mut outcome = Outcome::default();
    let stored = HISTORICAL_RETENTION.stored(work.db).await?;
    let days = HISTORICAL_RETENTION.number(stored.as_deref());
    outcome.warnings.extend(days.warning);
    let before = work.days_ago(days.value);
    if work.counts_only() {
        for counts in count_old(work.db, &before).await? {
            outcome.add(number(counts.submissions), RESULTS);
            outcome.add(number(counts.history), HISTORY);
            outcome.add(number(counts.facts), FACTS);
        }
    } else {
        for counts in count_old(work.db, &before).await? {
            work.allows((counts.submissions, counts.all_submissions), RESULTS, NAME)?;
            work.allows((counts.history, counts.all_history), HISTORY, NAME)?;
            work.allows((counts.facts, counts.all_facts), FACTS, NAME)?;
        }
        remove_submissions(before, work, &mut outcome).await?;
        remove_history(before, work, &mut outcome).await?;
        remove_facts(before, work, &mut outcome).await?;
    }
    remove_sources(work, &mut outcome).await?;
    Ok(outcome)
}

async fn remove_submissions(
    before: Timestamp,
    work: &Work<'_>,
    outcome: &mut Outcome,
) -> Result<(), JobError> {
    // Each has rows, so that fewer of them make a batch.
    let batch = (work.config.batch / 4).max(1);
    loop {
        let found = old_submissions(work.db, &before, &MOST_IDS).await?;
        let ids: Vec<_> = found.iter().map(|row| row.id).collect();
        let mut gone = 0;
        for part in ids.chunks(batch) {
            for deleted in delete_submissions(work.db, &part.to_vec(), &before).await? {
                gone += number(deleted.submissions);
                outcome.add(number(deleted.submissions), RESULTS);
                outcome.add(number(deleted.rows), "rows of plugin results");
            }
            work.pause().await?;
        }
        if is_all(ids.len(), gone) {
            return Ok(());
        }
    }
}

async fn remove_history(
    before: Timestamp,
    work: &Work<'_>,
    outcome: &mut Outcome,
) -> Result<(), JobError> {
    loop {
        let found = old_history(work.db, &before, &MOST_IDS).await?;
        let ids: Vec<_> = found.iter().map(|row| row.id).collect();
        let mut gone = 0;
        for part in ids.chunks(work.config.batch.max(1)) {
            gone += delete_history(work.db, &part.to_vec(), &before).await?;
            work.pause().await?;
        }
        outcome.add(gone, HISTORY);
        if is_all(ids.len(), gone) {
            return Ok(());
        }
    }
}

async fn remove_facts(
    before: Timestamp,
    work: &Work<'_>,
    outcome: &mut Outcome,
) -> Result<(), JobError> {
    loop {
        let found = old_facts(work.db, &before, &MOST_IDS).await?;
        let ids: Vec<_> = found.iter().map(|row| row.id).collect();
        let mut gone = 0;
        for part in ids.chunks(work.config.batch.max(1)) {
            gone += delete_facts(work.db, &part.to_vec(), &before).await?;
            work.pause().await?;
        }
        outcome.add(gone, FACTS);
        if is_all(ids.len(), gone) {
            return Ok(());
        }
    }
}

/// Whether there is nothing more to look for; what was skipped waits for the next run.
fn is_all(found: usize, gone: u64) -> bool {
    gone == 0 || i64::try_from(found).unwrap_or(i64::MAX) < MOST_IDS
}

async fn remove_sources(work: &Work<'_>, outcome: &mut Outcome) -> Result<(), JobError> {
    let made_before = work
        .now
        .saturating_sub(SOURCE_REST)
        .unwrap_or(Timestamp::MIN);
    let unused = unused_sources(work.db, &first_id_of(made_before)).await?;
    if work.counts_only() {
        outcome.add(u64::try_from(unused.len()).unwrap_or(u64::MAX), SOURCES);
        return Ok(());
    }
    for source in unused {
        match delete_source(work.db, &source.id).await {
            Ok(gone) => outcome.add(gone, SOURCES),
            // A check-in used it just now: it stays.
            Err(error) if is_in_use(&error) => debug!("{} is in use again", source.name),
            Err(error) => return Err(error.into()),
        }
        work.pause().await?;
    }
    Ok(())
}

fn is_in_use(error: &StoreError) -> bool {
    error.sql_state() == Some(&SqlState::FOREIGN_KEY_VIOLATION)
}

/// How long a new source may be without rows: a check-in makes it before it uses it.
const SOURCE_REST: SignedDuration = SignedDuration::from_hours(1);

const RESULTS: &str = "plugin results";
const HISTORY: &str = "lines of managed items' history";
const FACTS: &str = "historical facts";
const SOURCES: &str = "unused sources";
