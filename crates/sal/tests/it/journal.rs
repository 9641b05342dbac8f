//! The journal of check-ins: everything of it is there soon, also when nothing else comes, and after a stop.

use serde_json::Value;

use crate::checkins::Macs;
use crate::server::Server;
use crate::stage::{Settings, Stage, until};

/// How often each outcome is in the journal.
async fn counted(settings: &Settings, outcome: &str) -> i64 {
    let ended = settings.run(&["checkin", "journal", "--json"]).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let lines: Value = serde_json::from_str(&ended.stdout).unwrap();
    let lines = lines["events"].as_array().or(lines.as_array()).unwrap();
    let of_kind = lines.iter().filter(|line| line["outcome"] == outcome);
    of_kind.map(|line| line["times"].as_i64().unwrap()).sum()
}

async fn refused(server: &Server) {
    let url = format!("{}/checkin/", server.url);
    let sent = server
        .http
        .post(url)
        .basic_auth("sal", Some("wrong"))
        .send();
    assert_eq!(sent.await.unwrap().status(), 401);
}

#[tokio::test]
async fn events_are_written_when_nothing_follows_and_when_the_server_stops() {
    let stage = Stage::set().await;
    let settings = stage.password_settings();
    let mut server = Server::start(&settings).await;
    stage.make_group().await;
    let macs = Macs::new(3);
    for mac in 0..3 {
        assert_eq!(macs.check_in(mac, 0, &server).await, 200);
    }
    refused(&server).await;
    until("the first check-ins", async || {
        counted(&settings, "stored").await == 3
    })
    .await;
    until("the refusal", async || {
        counted(&settings, "refused").await == 1
    })
    .await;
    for _ in 0..5 {
        refused(&server).await;
    }
    assert!(server.stop().await.success());
    assert_eq!(counted(&settings, "refused").await, 6);
}
