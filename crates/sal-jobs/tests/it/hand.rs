//! Jobs that a person starts.

use sal_jobs::by_hand::{self, Mode};
use sal_jobs::jobs::{JOBS, named};

use crate::ground::Ground;

#[tokio::test]
async fn every_job_runs_on_an_empty_database_and_is_written_down() {
    let ground = Ground::new().await;
    let own = ground.database.connect().await;
    let ran = by_hand::run(
        &by_hand::all(),
        Mode::Count,
        &ground.config,
        &ground.clock(),
        &own,
    )
    .await;
    assert!(ran.unwrap().iter().all(|ran| ran.result.is_ok()));
    assert_eq!(
        ground.number("SELECT count(*) FROM salrs_job").await,
        0,
        "counting leaves no trace"
    );
    let ran = by_hand::run(
        &by_hand::all(),
        Mode::Do,
        &ground.config,
        &ground.clock(),
        &own,
    )
    .await;
    assert!(ran.unwrap().iter().all(|ran| ran.result.is_ok()));
    let written = "SELECT count(*) FROM salrs_job WHERE runs = 1 AND failures = 0 AND last_result = 'done' AND last_server = 'sal'
        AND last_finished IS NOT NULL AND next_due > last_started AND what <> ''";
    let count = i64::try_from(JOBS.len()).unwrap();
    assert_eq!(ground.number(written).await, count);
    let locks = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    assert_eq!(ground.number(locks).await, 0);
}

#[tokio::test]
async fn a_job_that_fails_says_why_and_is_due_again_soon() {
    let ground = Ground::new().await;
    ground.sql("DROP TABLE django_session").await;
    let own = ground.database.connect().await;
    let jobs = [named("sessions").unwrap()];
    let ran = by_hand::run(&jobs, Mode::Do, &ground.config, &ground.clock(), &own).await;
    let error = ran.unwrap().remove(0).result.unwrap_err();
    assert!(error.in_words().contains("django_session"), "{error:?}");
    let written = "SELECT count(*) FROM salrs_job WHERE name = 'sessions' AND last_result = 'failed' AND failures = 1
        AND last_error LIKE '%django_session%' AND next_due = last_started + interval '10 minutes'";
    assert_eq!(ground.number(written).await, 1);
}
