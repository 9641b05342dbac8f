//! Exchanges recorded from Sal 4.4.1, replayed; every difference must be a numbered quirk.

use jiff::tz::TimeZone;
use sal_http::HttpConfig;
use sal_testkit::golden::{self, Start};
use sal_testkit::{Filled, TestServer};

use crate::quirks::QUIRKS;

async fn replays(scenario: &str) {
    replays_confirmed(scenario, &[]).await;
}

/// Links to `confirmed` change something in the original and ask first here.
async fn replays_confirmed(scenario: &str, confirmed: &[&str]) {
    let filled = match golden::start_of(scenario).unwrap() {
        Start::Migrated => Filled::Migrated,
        Start::Seed => Filled::Seeded,
    };
    // The zone that the original has when none is set.
    let config = HttpConfig {
        time_zone: TimeZone::get("Europe/London").unwrap(),
        ..HttpConfig::default()
    };
    let server = TestServer::with(filled, config).await;
    let db = server.database.connect().await;
    let report = golden::replay_confirmed(&server.base_url, &db, scenario, confirmed)
        .await
        .unwrap();
    assert!(!report.steps.is_empty());
    let unexplained = report.unexplained(QUIRKS);
    let idle = report.idle(QUIRKS);
    assert!(
        unexplained.is_empty(),
        "{scenario}: {:?}\n{}",
        report.counts(),
        unexplained.join("\n")
    );
    assert!(
        idle.is_empty(),
        "{scenario}: quirks that explain nothing:\n{}",
        idle.join("\n")
    );
}

#[tokio::test]
async fn auth_key_replays() {
    replays("auth_key").await;
}

#[tokio::test]
async fn checkin_valid_replays() {
    replays("checkin_valid").await;
}

#[tokio::test]
async fn checkin_bad_replays() {
    replays("checkin_bad").await;
}

#[tokio::test]
async fn broken_client_replays() {
    replays("broken_client").await;
}

#[tokio::test]
async fn preflight_replays() {
    replays("preflight").await;
}

#[tokio::test]
async fn first_run_replays() {
    replays("first_run").await;
}

#[tokio::test]
async fn inventory_replays() {
    replays("inventory").await;
}

#[tokio::test]
async fn catalogs_replays() {
    replays("catalogs").await;
}

#[tokio::test]
async fn profiles_replays() {
    replays("profiles").await;
}

#[tokio::test]
async fn web_anonymous_replays() {
    replays("web_anonymous").await;
}

#[tokio::test]
async fn web_as_rw_replays() {
    replays("web_as_rw").await;
}

#[tokio::test]
async fn widgets_replays() {
    replays("widgets").await;
}

#[tokio::test]
async fn web_as_admin_replays() {
    replays("web_as_admin").await;
}

#[tokio::test]
async fn inventory_web_replays() {
    replays("inventory_web").await;
}

#[tokio::test]
async fn maintenance_replays() {
    replays("maintenance").await;
}

#[tokio::test]
async fn api_auth_replays() {
    replays("api_auth").await;
}

#[tokio::test]
async fn api_read_small_replays() {
    replays("api_read_small").await;
}

#[tokio::test]
async fn api_write_replays() {
    replays("api_write").await;
}

#[tokio::test]
async fn searches_part_replays() {
    replays_confirmed("searches_part", &["/search/new/"]).await;
}
