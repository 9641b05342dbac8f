//! Counts the machines of every group once in a while, so that pages can show how numbers went from day to day.

use std::time::Duration;

use jiff::{SignedDuration, ToSpan, tz::TimeZone};
use sal_store::machine_changes::SILENT_DAYS;
use sal_store::snapshots::{take_snapshot, thin_snapshots};

use crate::{
    jobs::Job,
    work::{JobError, Outcome, Work},
};

const NAME: &str = "snapshots";
// What is counted last on a day stands for it.
const EVERY: Duration = Duration::from_secs(3600);

pub(crate) const JOB: Job = Job {
    name: NAME,
    what: "Counts machines of every group for the trends; after 400 days one count a week is kept.",
    every: |_config| EVERY,
    run: |work| Box::pin(run(work)),
};

async fn run(work: &Work<'_>) -> Result<Outcome, JobError> {
    let mut outcome = Outcome::default();
    if work.counts_only() {
        return Ok(outcome);
    }
    let today = work.now.to_zoned(TimeZone::UTC).date();
    let day_ago = work.now.saturating_sub(SignedDuration::from_hours(24));
    let groups = take_snapshot(
        work.db,
        &today,
        &day_ago.unwrap_or(work.now),
        &work.days_ago(SILENT_DAYS),
    )
    .await?;
    outcome.add(groups, "groups were counted");
    let before = today.saturating_sub(DAILY_DAYS.days());
    outcome.add(thin_snapshots(work.db, &before).await?, "daily counts");
    Ok(outcome)
}

/// So long every day is kept; longer ago, Mondays.
const DAILY_DAYS: i32 = 400;
