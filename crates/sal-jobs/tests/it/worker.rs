//! Several servers, of which one works.

use std::sync::Arc;
use std::time::Duration;

use sal_jobs::JobsConfig;
use sal_jobs::jobs::JOBS;
use sal_testkit::database::PlainConnector;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::ground::{Ground, NOW};

/// Starts a server's worker.
fn start(name: &str, ground: &Ground, tasks: &mut JoinSet<()>) -> CancellationToken {
    let connector = Arc::new(PlainConnector(ground.database.config().clone()));
    let config = JobsConfig {
        server: name.to_owned(),
        ..ground.config.clone()
    };
    let shutdown = CancellationToken::new();
    tasks.spawn(sal_jobs::run(
        connector,
        ground.database.store(),
        ground.clock(),
        config,
        shutdown.clone(),
    ));
    shutdown
}

fn all_ran(times: usize) -> String {
    format!(
        "SELECT count(*) = {} FROM salrs_job WHERE runs = {times} AND last_result = 'done'",
        JOBS.len()
    )
}

const HOLDERS: &str = "SELECT COALESCE(string_agg(application_name, ','), '') FROM pg_stat_activity a JOIN pg_locks l USING (pid)
    WHERE l.locktype = 'advisory' AND l.granted AND a.datname = current_database() AND application_name LIKE 'sal maintenance on %'
      AND ((l.classid::bigint << 32) | l.objid::bigint) = x'73616c6a6f627377'::bigint";

#[tokio::test]
async fn of_two_servers_one_works_and_the_other_takes_over() {
    let ground = Ground::new().await;
    let mut tasks = JoinSet::new();
    let stops = ["one", "two"].map(|name| start(name, &ground, &mut tasks));
    ground.until(&all_ran(1)).await;
    let holder: String = ground.value(HOLDERS).await;
    let servers = "SELECT string_agg(DISTINCT last_server, ',') FROM salrs_job";
    let server: String = ground.value(servers).await;
    assert_eq!(holder, format!("sal maintenance on {server}"));

    // What is not due is not done again, whoever looks.
    ground.pass(24);
    ground.until(&all_ran(2)).await;
    assert_eq!(ground.value::<String>(servers).await, server);

    // The working server stops, the other goes on.
    let (first, second) = if server == "one" {
        (0, "two")
    } else {
        (1, "one")
    };
    stops[first].cancel();
    ground
        .until(&format!(
            "SELECT ({HOLDERS}) = 'sal maintenance on {second}'"
        ))
        .await;
    ground.pass(24);
    ground.until(&all_ran(3)).await;
    assert_eq!(ground.value::<String>(servers).await, second);
    stops.iter().for_each(CancellationToken::cancel);
    tasks.join_all().await;
    // Postgres ends the session a moment after its connection.
    ground.until(&format!("SELECT ({HOLDERS}) = ''")).await;
}

#[tokio::test]
async fn a_killed_connection_loses_the_lock_and_another_is_opened() {
    let ground = Ground::new().await;
    let mut tasks = JoinSet::new();
    let stop = start("one", &ground, &mut tasks);
    ground.until(&all_ran(1)).await;
    let kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'sal maintenance on one'
        AND datname = current_database()";
    let pid = "SELECT COALESCE(max(pid), 0)::bigint FROM pg_stat_activity WHERE application_name = 'sal maintenance on one'
        AND datname = current_database()";
    let before = ground.number(pid).await;
    ground.sql(kill).await;
    ground
        .until(&format!(
            "SELECT ({pid}) NOT IN (0, {before}) AND ({HOLDERS}) <> ''"
        ))
        .await;
    ground.pass(24);
    ground.until(&all_ran(2)).await;
    stop.cancel();
    tasks.join_all().await;
}

#[tokio::test]
async fn a_server_that_stops_ends_the_job_after_a_batch_and_the_next_finishes_it() {
    let mut ground = Ground::new().await;
    ground.config.batch = 4;
    ground.config.pause = Duration::from_millis(2);
    ground.machines().await;
    ground
        .sql(
            "INSERT INTO server_historicalfact (fact_name, fact_data, fact_recorded, machine_id)
             SELECT 'f', n::text, '2020-01-01', 1 FROM generate_series(1, 20000) n",
        )
        .await;
    let left = "SELECT count(*) FROM server_historicalfact";
    let mut tasks = JoinSet::new();
    let stop = start("one", &ground, &mut tasks);
    ground.until(&format!("SELECT ({left}) < 20000")).await;
    stop.cancel();
    tasks.join_all().await;
    let remain = ground.number(left).await;
    assert!(remain > 0 && remain < 20_000, "{remain}");
    let stopped = format!(
        "SELECT count(*) FROM salrs_job WHERE name = 'retention' AND last_result = 'stopped' AND next_due <= '{NOW}'"
    );
    assert_eq!(ground.number(&stopped).await, 1);

    ground.config.batch = 5_000;
    let mut tasks = JoinSet::new();
    let stop = start("two", &ground, &mut tasks);
    ground.until(&format!("SELECT ({left}) = 0")).await;
    ground
        .until("SELECT last_result = 'done' AND last_server = 'two' FROM salrs_job WHERE name = 'retention'")
        .await;
    stop.cancel();
    tasks.join_all().await;
}

#[tokio::test]
async fn a_person_can_have_a_job_now() {
    let ground = Ground::new().await;
    let mut tasks = JoinSet::new();
    let stop = start("one", &ground, &mut tasks);
    ground.until(&all_ran(1)).await;
    ground
        .sql(&format!(
            "UPDATE salrs_job SET next_due = '{NOW}' WHERE name = 'sessions'"
        ))
        .await;
    ground
        .until("SELECT bool_and(runs = CASE name WHEN 'sessions' THEN 2 ELSE 1 END) FROM salrs_job")
        .await;
    // By hand while a server has the lock.
    ground.run("applications").await;
    ground
        .until("SELECT runs = 2 FROM salrs_job WHERE name = 'applications'")
        .await;
    stop.cancel();
    tasks.join_all().await;
}
