//! Writes of machines that went missing, and removes what became of machines longer ago than `SAL_CHANGES_DAYS`.

use std::time::Duration;

use sal_store::machine_changes::SILENT_DAYS;
use sal_store::maintenance::changes::{
    count_missing, count_old_changes, delete_old_changes, insert_missing,
};

use crate::{
    jobs::Job,
    work::{JobError, Outcome, Work, number},
};

const NAME: &str = "machine-changes";
const EVERY: Duration = Duration::from_secs(3600);

pub(crate) const JOB: Job = Job {
    name: NAME,
    what: "Notes which machines went missing, and removes changes of machines that are older than SAL_CHANGES_DAYS.",
    every: |_config| EVERY,
    run: |work| Box::pin(run(work)),
};

async fn run(work: &Work<'_>) -> Result<Outcome, JobError> {
    let mut outcome = Outcome::default();
    let silent = work.days_ago(SILENT_DAYS);
    let before = work.days_ago(i64::from(work.config.changes_days));
    let days = i32::try_from(SILENT_DAYS).unwrap_or(i32::MAX);
    let batch = work.config.batch_rows();
    if work.counts_only() {
        for count in count_missing(work.db, &silent, &before, &days).await? {
            outcome.add(number(count.machines), MISSING);
        }
    } else {
        loop {
            let noted = insert_missing(work.db, &silent, &before, &days, &batch).await?;
            outcome.add(noted, MISSING);
            if noted < u64::try_from(batch).unwrap_or(u64::MAX) {
                break;
            }
            work.pause().await?;
        }
    }
    for counts in count_old_changes(work.db, &before).await? {
        if work.counts_only() {
            outcome.add(number(counts.old), LINES);
            return Ok(outcome);
        }
        work.allows((counts.old, counts.all), LINES, NAME)?;
    }
    loop {
        let gone = delete_old_changes(work.db, &before, &batch).await?;
        outcome.add(gone, LINES);
        if gone == 0 {
            return Ok(outcome);
        }
        work.pause().await?;
    }
}

const MISSING: &str = "machines that went missing";
const LINES: &str = "changes of machines";
