//! Steps that run a command of Sal's maintenance: the jobs here that do its work.

use std::sync::Arc;

use jiff::Timestamp;
use sal_http::Clock;
use sal_jobs::JobsConfig;
use sal_jobs::by_hand::{self, Mode};
use sal_jobs::jobs::named;
use tokio_postgres::Client;

use super::GoldenError;
use super::mask::{DAY_SECONDS, RECORDED_SECONDS};
use super::scenario::unsupported;

/// What stands where other steps have the method of a request.
pub(super) const METHOD: &str = "CMD";

/// Runs the jobs for a command of `manage.py`, on the day after the recordings began: what they keep depends on the age of what
/// the scenarios send.
pub(super) async fn run(
    command: &str,
    scenario: &str,
    step: &str,
    db: &Client,
) -> Result<(), GoldenError> {
    let names: &[&str] = match command {
        "search_maintenance" => &["search"],
        "server_maintenance" => &["retention", "inactive-machines"],
        "application_maintenance" => &["applications"],
        other => return Err(unsupported(scenario, step, format!("the command {other}"))),
    };
    let jobs: Option<Vec<_>> = names.iter().map(|name| named(name)).collect();
    let jobs = jobs.ok_or_else(|| unsupported(scenario, step, "a job".to_owned()))?;
    let config = JobsConfig {
        most_skew: None,
        most_share: 100,
        ..JobsConfig::default()
    };
    let clock: Clock =
        Arc::new(|| Timestamp::from_second(RECORDED_SECONDS + DAY_SECONDS).unwrap_or_default());
    let failed = |job, reason: String| GoldenError::Maintenance { job, reason };
    let ran = by_hand::run(&jobs, Mode::Do, &config, &clock, db).await;
    for ran in ran.map_err(|error| failed("any", error.to_string()))? {
        ran.result
            .map_err(|error| failed(ran.job.name, format!("{error:?}")))?;
    }
    Ok(())
}
