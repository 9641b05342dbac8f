//! The standby: it has every commit, takes over at the same name, and gets a standby of its own.

use std::time::Duration;

use rds_lab::{LabError, OldConnections};

use crate::client::{Session, connect};
use crate::site::{OLD_PASSWORD, OLD_USER, Site, USER};

async fn enter(site: &Site) -> Session {
    connect(&site.lab, USER, &site.token().sign())
        .await
        .unwrap()
}

async fn count(session: &Session) -> i64 {
    let row = session.client.query_one("SELECT count(*) FROM kept", &[]);
    row.await.unwrap().get(0)
}

#[tokio::test]
async fn two_failovers_lose_no_commit_and_both_kinds_of_user_come_back() {
    let mut site = Site::start_with(|_usual| {}).await;
    let mut old = Vec::new();
    let first = connect(&site.lab, OLD_USER, OLD_PASSWORD).await.unwrap();
    let made = first.client.batch_execute("CREATE TABLE kept (id bigint)");
    made.await.unwrap();
    let granted = format!("GRANT ALL ON kept TO {USER}");
    first.client.batch_execute(&granted).await.unwrap();
    for round in 1..=2 {
        site.lab.start_standby().await.unwrap();
        let session = enter(&site).await;
        let kept = session
            .client
            .batch_execute("INSERT INTO kept SELECT generate_series(1, 50)");
        kept.await.unwrap();
        site.lab
            .fail_over_to_standby(OldConnections::Closed)
            .await
            .unwrap();
        assert!(session.client.query_one("SELECT 1", &[]).await.is_err());
        old.push(session);
        assert_eq!(count(&enter(&site).await).await, 50 * round);
        let by_password = connect(&site.lab, OLD_USER, OLD_PASSWORD).await.unwrap();
        assert_eq!(count(&by_password).await, 50 * round);
    }
}

#[tokio::test]
async fn connections_with_a_host_that_died_are_silent_and_new_ones_work() {
    let mut site = Site::start_with(|_usual| {}).await;
    site.lab.start_standby().await.unwrap();
    let session = enter(&site).await;
    site.lab
        .fail_over_to_standby(OldConnections::Silent)
        .await
        .unwrap();
    let fresh = enter(&site).await;
    fresh.client.query_one("SELECT 1", &[]).await.unwrap();
    let asked = session.client.query_one("SELECT 1", &[]);
    let answered = tokio::time::timeout(Duration::from_millis(500), asked).await;
    assert!(answered.is_err(), "{answered:?}");
    assert!(!session.client.is_closed());
}

#[tokio::test]
async fn without_a_standby_there_is_no_failover_to_it() {
    let mut site = Site::start_with(|_usual| {}).await;
    let refused = site.lab.fail_over_to_standby(OldConnections::Closed).await;
    assert!(matches!(refused, Err(LabError::NoStandby)), "{refused:?}");
}
