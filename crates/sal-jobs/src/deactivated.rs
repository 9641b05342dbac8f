//! Ends the sessions of users who were deactivated, by whatever program. A request of theirs does so too; this is for
//! those who ask for nothing meanwhile, so that an account that is activated again does not bring its sessions back.

use std::time::Duration;

use sal_store::maintenance::{count_sessions_of_inactive, delete_sessions_of_inactive};

use crate::{
    jobs::Job,
    work::{JobError, Outcome, Work, number},
};

const NAME: &str = "deactivated-users";
const EVERY: Duration = Duration::from_secs(60);

pub(crate) const JOB: Job = Job {
    name: NAME,
    what: "Ends the sessions of users who are not active any more, so that they do not come back with the account.",
    every: |_config| EVERY,
    run: |work| Box::pin(run(work)),
};

async fn run(work: &Work<'_>) -> Result<Outcome, JobError> {
    let mut outcome = Outcome::default();
    if work.counts_only() {
        for counts in count_sessions_of_inactive(work.db).await? {
            outcome.add(number(counts.sessions), SESSIONS);
        }
    } else {
        outcome.add(delete_sessions_of_inactive(work.db).await?, SESSIONS);
    }
    Ok(outcome)
}

const SESSIONS: &str = "sessions of deactivated users";
