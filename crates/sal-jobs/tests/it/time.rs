//! What a wrong clock, or rows that a wrong clock wrote, may cost: nothing.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use sal_jobs::by_hand::{self, Mode, Outcome};
use sal_jobs::jobs::JOBS;
use sal_jobs::{JobError, JobsConfig};

use crate::ground::{Ground, of};

/// Rows of now, by the clock of the database.
const FRESH: &str = "
    INSERT INTO server_businessunit (id, name) VALUES (1, 'Unit');
    INSERT INTO server_machinegroup (id, business_unit_id, name, key) VALUES (1, 1, 'Group', 'key');
    INSERT INTO server_machine (id, serial, os_family, memory_kb, last_checkin, machine_group_id, deployed, broken_client)
    SELECT n, 'S' || n, 'Darwin', 0, now() - interval '1 hour', 1, true, false FROM generate_series(1, 400) n;
    INSERT INTO server_managementsource (id, name) VALUES (gen_random_uuid(), 'Munki');
    INSERT INTO server_manageditemhistory (id, machine_id, management_source_id, name, status, recorded)
    SELECT gen_random_uuid(), m.id, s.id, 'x', 'PRESENT', now() - interval '1 day' FROM server_machine m, server_managementsource s;
    INSERT INTO server_pluginscriptsubmission (machine_id, plugin, historical, recorded)
    SELECT id, 'P', false, now() - interval '1 day' FROM server_machine;
    INSERT INTO django_session (session_key, session_data, expire_date) SELECT 'k' || n, '', now() + interval '1 day' FROM generate_series(1, 400) n";
const ROWS: &str = "SELECT (SELECT count(*) FROM server_machine WHERE deployed) + (SELECT count(*) FROM server_manageditemhistory)
    + (SELECT count(*) FROM server_pluginscriptsubmission) + (SELECT count(*) FROM django_session)";

#[expect(clippy::disallowed_methods, reason = "a clock that runs, and is off")]
async fn run_all(ground: &Ground, off: SignedDuration) -> Vec<Result<Outcome, JobError>> {
    let own = ground.database.connect().await;
    let clock: sal_http::Clock = Arc::new(move || Timestamp::now() + off);
    let jobs: Vec<_> = JOBS.iter().collect();
    let ran = by_hand::run(&jobs, Mode::Do, &ground.config, &clock, &own);
    ran.await
        .unwrap()
        .into_iter()
        .map(|ran| ran.result)
        .collect()
}

#[tokio::test]
async fn a_server_with_a_wrong_clock_removes_nothing_and_says_how_wrong() {
    let mut ground = Ground::new().await;
    ground.config = JobsConfig {
        pause: Duration::ZERO,
        ..JobsConfig::default()
    };
    ground.config.undeploy_after_days = 90;
    ground.sql(FRESH).await;
    for (off, words) in [
        (
            SignedDuration::from_hours(400 * 24 + 1),
            "400 days ahead of",
        ),
        (SignedDuration::from_hours(-400 * 24 - 1), "400 days behind"),
        (SignedDuration::from_mins(11), "minutes ahead of"),
    ] {
        for result in run_all(&ground, off).await {
            let error = result.unwrap_err();
            assert!(matches!(error, JobError::Skew { .. }), "{error}");
            assert!(error.to_string().contains(words), "{error}");
        }
        assert_eq!(ground.number(ROWS).await, 1_600);
    }
    for result in run_all(&ground, SignedDuration::from_secs(60)).await {
        result.unwrap();
    }
    assert_eq!(ground.number(ROWS).await, 1_600);
}

#[tokio::test]
async fn more_than_half_of_a_table_goes_only_with_a_persons_yes() {
    let mut ground = Ground::new().await;
    ground.config = JobsConfig {
        pause: Duration::ZERO,
        ..JobsConfig::default()
    };
    ground.config.undeploy_after_days = 90;
    ground.sql(FRESH).await;
    // As a server whose clock was two years behind would have left them.
    ground
        .sql(
            "UPDATE server_machine SET last_checkin = now() - interval '730 days' WHERE id <= 300;
             UPDATE server_manageditemhistory SET recorded = now() - interval '730 days' WHERE machine_id <= 201;
             UPDATE server_pluginscriptsubmission SET recorded = now() - interval '730 days' WHERE machine_id <= 50",
        )
        .await;
    let results = run_all(&ground, SignedDuration::ZERO).await;
    let refused: Vec<String> = results
        .iter()
        .filter_map(|result| result.as_ref().err())
        .map(ToString::to_string)
        .collect();
    assert_eq!(refused.len(), 2, "{refused:?}");
    assert!(refused[0].starts_with("201 of 400 lines"), "{refused:?}");
    assert!(refused[0].contains("sal db maintain --job retention --yes"));
    assert!(refused[1].starts_with("300 of 400 machines"), "{refused:?}");
    assert_eq!(ground.number(ROWS).await, 1_600, "all of a run or nothing");
    // The ground's own clock stands still, days ago.
    ground.config.most_skew = None;
    let yes = ground.by_hand("retention", Mode::DoAll).await;
    assert_eq!(of(&yes, "lines of managed items' history"), 201);
    assert_eq!(of(&yes, "plugin results"), 50);
    let yes = ground.by_hand("inactive-machines", Mode::DoAll).await;
    assert_eq!(of(&yes, "machines"), 300);
}
