//! `sal simulate` against the server: data on stdout, the outcome in the exit code.

use serde_json::Value;

use crate::server::Server;
use crate::stage::{Ended, KEY, Settings, Stage};

async fn simulate(server: &Server, key: &str) -> (Ended, Value) {
    let arguments = [
        "simulate",
        "--url",
        &server.url,
        "--key",
        key,
        "--machines",
        "12",
        "--runs",
        "2",
        "--json",
    ];
    let ended = Settings::default().run(&arguments).await;
    let report =
        serde_json::from_str(&ended.stdout).unwrap_or_else(|error| panic!("{error}: {ended:?}"));
    (ended, report)
}

#[tokio::test]
async fn a_simulated_fleet_is_taken_whole_and_a_wrong_key_is_a_problem_found() {
    let stage = Stage::set().await;
    let mut server = Server::start(&stage.settings()).await;
    stage.make_group().await;
    let (ended, report) = simulate(&server, KEY).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(
        (report["sent"].as_u64(), report["ok"].as_u64()),
        (Some(24), Some(24))
    );
    assert_eq!(
        stage.value("SELECT count(*) FROM server_machine").await,
        "12"
    );

    let (ended, report) = simulate(&server, "not-the-key").await;
    assert_eq!(ended.code, Some(3), "{ended:?}");
    assert_eq!(report["ok"].as_u64(), Some(0));
    assert_eq!(report["failed"]["401"].as_u64(), Some(24), "{report:#}");
    assert!(!ended.stderr.contains("not-the-key"));
    assert_eq!(
        stage.value("SELECT count(*) FROM server_machine").await,
        "12"
    );
    assert!(server.stop().await.success());
}
