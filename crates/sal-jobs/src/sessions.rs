//! Removes sessions that expired: ours, set-up links, and Django's, which Django never removes by itself; and notes of
//! machines that are gone, once no cursor of the REST API asks for them.

use std::time::Duration;

use sal_store::StoreError;
use sal_store::changed::forget_gone;
use sal_store::former_keys::{count_ended_keys, forget_former_keys};
use sal_store::maintenance::{
    count_expired, delete_django_sessions, delete_sessions, delete_setup_links,
};

use crate::{
    jobs::Job,
    work::{JobError, Outcome, Work, number},
};

const NAME: &str = "sessions";
const EVERY: Duration = Duration::from_secs(3600);

pub(crate) const JOB: Job = Job {
    name: NAME,
    what: "Removes browser sessions and set-up links that expired, those of a Django Sal too, former keys of machine groups that ended, and notes of machines that were gone 37 days ago.",
    every: |_config| EVERY,
    run: |work| Box::pin(run(work)),
};

async fn run(work: &Work<'_>) -> Result<Outcome, JobError> {
    let mut outcome = Outcome::default();
    if work.counts_only() {
        for counts in count_expired(work.db, &work.now).await? {
            outcome.add(number(counts.sessions), SESSIONS);
            outcome.add(number(counts.links), LINKS);
            outcome.add(number(counts.django), DJANGO);
            outcome.add(number(counts.gone), GONE);
        }
        for ended in counted(count_ended_keys(work.db, &work.now).await)? {
            outcome.add(number(ended.keys), KEYS);
        }
        return Ok(outcome);
    }
    let batch = work.config.batch_rows();
    loop {
        let gone = delete_sessions(work.db, &work.now, &batch).await?;
        outcome.add(gone, SESSIONS);
        if gone == 0 {
            break;
        }
        work.pause().await?;
    }
    outcome.add(delete_setup_links(work.db, &work.now).await?, LINKS);
    loop {
        let gone = delete_django_sessions(work.db, &work.now, &batch).await?;
        outcome.add(gone, DJANGO);
        if gone == 0 {
            break;
        }
        work.pause().await?;
    }
    outcome.add(counted(forget_former_keys(work.db, &work.now).await)?, KEYS);
    loop {
        let gone = forget_gone(work.db, &work.now, &batch).await?;
        outcome.add(gone, GONE);
        if gone == 0 {
            return Ok(outcome);
        }
        work.pause().await?;
    }
}

/// The table of former keys is younger than the others: where it is missing, the rest is done.
fn counted<T: Default>(found: Result<T, StoreError>) -> Result<T, StoreError> {
    match found {
        Err(error) if error.lacks_a_table() => Ok(T::default()),
        found => found,
    }
}

const SESSIONS: &str = "sessions";
const LINKS: &str = "set-up links";
const KEYS: &str = "former keys of machine groups";
const GONE: &str = "notes of machines that are gone";
const DJANGO: &str = "sessions of Django";
