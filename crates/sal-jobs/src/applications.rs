//! Removes applications that no machine has any more. Sal's own command for it is switched off there, because it could
//! break an inventory that came in at the same moment; `sal_store::maintenance::applications` tells why this one cannot.

use std::time::Duration;

use sal_store::{
    StoreError,
    maintenance::applications::{count_orphans, delete_orphans, lock_applications, orphans},
};

use crate::{
    jobs::Job,
    work::{JobError, MOST_IDS, Outcome, Work, number},
};

const NAME: &str = "applications";
const EVERY: Duration = Duration::from_secs(12 * 3600);

pub(crate) const JOB: Job = Job {
    name: NAME,
    what: "Removes applications that no machine has any more.",
    every: |_config| EVERY,
    run: |work| Box::pin(run(work)),
};

async fn run(work: &Work<'_>) -> Result<Outcome, JobError> {
    let mut outcome = Outcome::default();
    if work.counts_only() {
        for count in count_orphans(work.db).await? {
            outcome.add(number(count.applications), APPLICATIONS);
        }
        return Ok(outcome);
    }
    // An inventory that needs one of a batch waits for it, so batches are smaller here.
    let batch = (work.config.batch / 4).max(1);
    loop {
        let found = orphans(work.db, &MOST_IDS).await?;
        let ids: Vec<_> = found.iter().map(|row| row.id).collect();
        let mut gone = 0;
        for part in ids.chunks(batch) {
            gone += work.transaction(remove(part.to_vec(), work)).await?;
            work.pause().await?;
        }
        outcome.add(gone, APPLICATIONS);
        if gone == 0 || i64::try_from(ids.len()).unwrap_or(i64::MAX) < MOST_IDS {
            return Ok(outcome);
        }
    }
}

async fn remove(ids: Vec<i64>, work: &Work<'_>) -> Result<u64, StoreError> {
    let locked = lock_applications(work.db, &ids).await?;
    let locked = locked.into_iter().map(|row| row.id).collect();
    delete_orphans(work.db, &locked).await
}

const APPLICATIONS: &str = "applications";
