//! The server does the maintenance by itself, once it is ready, with IAM like all its connections.

use crate::server::Server;
use crate::stage::{Stage, until};

#[tokio::test]
async fn a_server_does_all_jobs_after_its_start_and_stops_politely() {
    let stage = Stage::set().await;
    let mut idle = Server::start(&stage.settings().with("SAL_JOBS", "false")).await;
    let mut server = Server::start(&stage.settings()).await;
    let undone = "SELECT count(*)::text FROM salrs_job WHERE last_result IS DISTINCT FROM 'done'";
    let done = "SELECT count(*)::text FROM salrs_job WHERE runs = 1 AND last_result = 'done'";
    until("the first round of all jobs", async || {
        stage.value(done).await != "0" && stage.value(undone).await == "0"
    })
    .await;
    let metrics = server.status("/metrics").await.text().await.unwrap();
    assert!(
        metrics.contains("sal_job_runs_total{job=\"retention\",outcome=\"done\"} 1"),
        "{metrics}"
    );
    assert!(!idle.log().contains("does the maintenance now"));
    assert!(server.stop().await.success());
    assert!(idle.stop().await.success());
    let locks = "SELECT count(*)::text FROM pg_stat_activity WHERE application_name LIKE 'sal maintenance%'";
    until("the end of its connection", async || {
        stage.value(locks).await == "0"
    })
    .await;
}
