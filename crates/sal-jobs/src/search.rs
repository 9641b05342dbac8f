//! Keeps what a Django Sal's searches read, and removes searches that nobody saved.
//!
//! This server answers its own drop-downs from the tables themselves; the caches are kept so that a Django Sal on the
//! same database finds them filled (sal-search, "search_maintenance").

use std::time::Duration;

use sal_store::{
    StoreError,
    maintenance::{count_unsaved_searches, delete_unsaved_searches},
    search_caches::{lock_caches, machine_fields, refresh_fields, refresh_values},
};

use crate::{
    jobs::Job,
    work::{JobError, Outcome, Work, number},
};

const NAME: &str = "search";

pub(crate) const JOB: Job = Job {
    name: NAME,
    what: "Keeps the drop-downs and the quick search of a Django Sal up to date, and removes searches that nobody saved for 30 days.",
    every: |config| config.search_every.max(EVERY_AT_LEAST),
    run: |work| Box::pin(run(work)),
};

async fn run(work: &Work<'_>) -> Result<Outcome, JobError> {
    let mut outcome = Outcome::default();
    remove_unsaved(work, &mut outcome).await?;
    let (fields, values) = work.transaction(refresh(work)).await?;
    outcome.add(fields, "entries of drop-downs");
    outcome.add(values, "values of quick search");
    Ok(outcome)
}

async fn remove_unsaved(work: &Work<'_>, outcome: &mut Outcome) -> Result<(), JobError> {
    let before = work.days_ago(UNSAVED_DAYS);
    if work.counts_only() {
        for count in count_unsaved_searches(work.db, &before).await? {
            outcome.add(number(count.searches), UNSAVED);
        }
        return Ok(());
    }
    loop {
        let deleted = delete_unsaved_searches(work.db, &before, &work.config.batch_rows()).await?;
        let gone: u64 = deleted.iter().map(|row| number(row.searches)).sum();
        outcome.add(gone, UNSAVED);
        if gone == 0 {
            return Ok(());
        }
        work.pause().await?;
    }
}

/// Both caches in one transaction; a look that changes nothing is rolled back by [`Work::transaction`].
async fn refresh(work: &Work<'_>) -> Result<(u64, u64), StoreError> {
    lock_caches(work.db).await?;
    let words = |list: &[&str]| {
        list.iter()
            .map(|word| (*word).to_owned())
            .collect::<Vec<_>>()
    };
    let fields = refresh_fields(
        work.db,
        &machine_fields(),
        &words(APPLICATION),
        &words(PROFILE),
        &words(PAYLOAD),
    )
    .await?;
    let values = refresh_values(work.db, &work.config.search_facts).await?;
    let fields = fields.iter().map(|row| number(row.made) + number(row.gone));
    let values = values.iter().map(|row| number(row.made) + number(row.gone));
    Ok((fields.sum(), values.sum()))
}

const EVERY_AT_LEAST: Duration = Duration::from_secs(60);
const UNSAVED_DAYS: i64 = 30;
const UNSAVED: &str = "unsaved searches";

const APPLICATION: &[&str] = &["Bundle ID", "Bundle Name", "Name", "Path"];
const PROFILE: &[&str] = &[
    "description",
    "display_name",
    "identifier",
    "install_date",
    "machine",
    "organization",
    "uuid",
    "verification_state",
];
const PAYLOAD: &[&str] = &["identifier", "payload_type", "profile", "uuid"];
