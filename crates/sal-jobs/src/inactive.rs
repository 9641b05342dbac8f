//! Takes the mark of being in use from machines that did not check in for `DOCKER_SAL_INACTIVE_UNDEPLOYED` days.

use std::time::Duration;

use jiff::Timestamp;
use sal_store::{
    StoreError,
    audit::{InsertAudit, insert_audit},
    maintenance::{count_inactive, undeploy},
};

use crate::{
    jobs::Job,
    work::{JobError, Outcome, Work, number},
};

const NAME: &str = "inactive-machines";
const EVERY: Duration = Duration::from_secs(3600);

pub(crate) const JOB: Job = Job {
    name: NAME,
    what: "Marks machines as undeployed that did not check in for DOCKER_SAL_INACTIVE_UNDEPLOYED days; 0 leaves them.",
    every: |_config| EVERY,
    run: |work| Box::pin(run(work)),
};

async fn run(work: &Work<'_>) -> Result<Outcome, JobError> {
    let mut outcome = Outcome::default();
    let days = work.config.undeploy_after_days;
    if days == 0 {
        return Ok(outcome);
    }
    let before = work.days_ago(i64::from(days));
    if work.counts_only() {
        for count in count_inactive(work.db, &before).await? {
            outcome.add(number(count.machines), MACHINES);
        }
        return Ok(outcome);
    }
    for count in count_inactive(work.db, &before).await? {
        work.allows((count.machines, count.deployed), MACHINES, NAME)?;
    }
    loop {
        let gone = work.transaction(batch(before, days, work)).await?;
        if gone == 0 {
            return Ok(outcome);
        }
        outcome.add(gone, MACHINES);
        work.pause().await?;
    }
}

/// Some machines, and the line of the audit log that says so.
async fn batch(before: Timestamp, days: u32, work: &Work<'_>) -> Result<u64, StoreError> {
    let gone = undeploy(work.db, &before, &work.config.batch_rows()).await?;
    if gone.is_empty() {
        return Ok(0);
    }
    let mut serials: Vec<_> = gone.iter().map(|machine| machine.serial.as_str()).collect();
    serials.sort_unstable();
    let more = serials.len().saturating_sub(NAMED);
    serials.truncate(NAMED);
    let and_more = match more {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let name = format!("{} {MACHINES}", gone.len());
    let detail = format!(
        "deployed: yes -> no, as they did not check in for {days} days: {}{and_more}",
        serials.join(", ")
    );
    insert_audit(
        work.db,
        InsertAudit {
            at: &work.now,
            user: &None,
            username: "maintenance",
            action: "changed",
            kind: "machine",
            object_id: "",
            object_name: &name,
            detail: &detail,
        },
    )
    .await?;
    Ok(u64::try_from(gone.len()).unwrap_or(u64::MAX))
}

const MACHINES: &str = "machines";
/// How many serial numbers a line of the audit log names.
const NAMED: usize = 50;
