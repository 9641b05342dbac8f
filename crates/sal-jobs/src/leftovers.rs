//! Removes what this server keeps of machines, users, searches and units that are gone. A Django Sal deletes them without knowing of our
//! tables, which have no foreign keys so that it can.
//!
//! The journal, kept bodies and the audit log stay: they tell of serial numbers that never became machines too, and have
//! limits of their own. Which table is what is in `tests/it/leftovers.rs`, which no new table can pass without a word.

use std::time::Duration;

use sal_store::maintenance::changes::{count_changes_of_gone, delete_changes_of_gone};
use sal_store::maintenance::{
    count_leftovers, delete_checkins_of_gone, delete_filters_of_gone, delete_identities_of_gone,
    delete_preferences_of_gone, delete_sessions_of_gone, unshare_with_gone,
};

use crate::{
    jobs::Job,
    work::{JobError, Outcome, Work, number},
};

const NAME: &str = "leftovers";
const EVERY: Duration = Duration::from_secs(6 * 3600);

pub(crate) const JOB: Job = Job {
    name: NAME,
    what: "Removes what this server keeps of machines, users, searches and units that a Django Sal deleted.",
    every: |_config| EVERY,
    run: |work| Box::pin(run(work)),
};

async fn run(work: &Work<'_>) -> Result<Outcome, JobError> {
    let mut outcome = Outcome::default();
    let counts = count_leftovers(work.db).await?;
    changes(work, &mut outcome).await?;
    if work.counts_only() {
        for found in counts {
            outcome.add(number(found.checkins), CHECKINS);
            outcome.add(number(found.sessions), SESSIONS);
            outcome.add(number(found.identities), IDENTITIES);
            outcome.add(number(found.preferences), PREFERENCES);
            outcome.add(number(found.searches), SEARCHES);
            outcome.add(number(found.shared), SHARED);
        }
        return Ok(outcome);
    }
    for found in counts {
        // A check-in's memory is made again by the next one; who is whom at the provider is not.
        work.allows((found.identities, found.all_identities), IDENTITIES, NAME)?;
        work.allows(
            (found.preferences, found.all_preferences),
            PREFERENCES,
            NAME,
        )?;
        work.allows((found.searches, found.all_searches), SEARCHES, NAME)?;
    }
    let batch = work.config.batch_rows();
    loop {
        let gone = delete_checkins_of_gone(work.db, &batch).await?;
        outcome.add(gone, CHECKINS);
        if gone == 0 {
            break;
        }
        work.pause().await?;
    }
    outcome.add(delete_sessions_of_gone(work.db).await?, SESSIONS);
    outcome.add(delete_identities_of_gone(work.db).await?, IDENTITIES);
    outcome.add(delete_preferences_of_gone(work.db).await?, PREFERENCES);
    outcome.add(delete_filters_of_gone(work.db).await?, SEARCHES);
    outcome.add(unshare_with_gone(work.db).await?, SHARED);
    Ok(outcome)
}

/// Changes of machines that are gone.
async fn changes(work: &Work<'_>, outcome: &mut Outcome) -> Result<(), JobError> {
    for found in count_changes_of_gone(work.db).await? {
        if work.counts_only() {
            outcome.add(number(found.gone), CHANGES);
            return Ok(());
        }
        work.allows((found.gone, found.all), CHANGES, NAME)?;
    }
    loop {
        let gone = delete_changes_of_gone(work.db, &work.config.batch_rows()).await?;
        outcome.add(gone, CHANGES);
        if gone == 0 {
            return Ok(());
        }
        work.pause().await?;
    }
}

const CHECKINS: &str = "last check-ins of deleted machines";
const CHANGES: &str = "changes of deleted machines";
const SESSIONS: &str = "sessions of deleted users";
const IDENTITIES: &str = "single sign-on accounts of deleted users";
const PREFERENCES: &str = "preferences of deleted users";
const SEARCHES: &str = "filters of deleted searches";
const SHARED: &str = "searches shared with deleted units";
