//! Each switch, and that the lab is healthy again afterwards.

use std::time::Duration;

use jiff::SignedDuration;
use rds_lab::{AuthHealth, InstanceRole, Outcome, PolicyFault, Reason};

use crate::client::{ask, config, connect, open, refusal};
use crate::site::{Site, USER};

async fn reason_for(site: &Site, token: &str) -> Option<Reason> {
    let before = site.lab.log().len();
    match connect(&site.lab, USER, token).await {
        Ok(_) => assert_eq!(site.lab.log().last().unwrap().outcome, Outcome::Accepted),
        Err(error) => assert_eq!(crate::client::shown(&error).0, "28000"),
    }
    assert_eq!(site.lab.log().len(), before + 1);
    site.last_reason()
}

#[tokio::test]
async fn expired_credentials_end_their_tokens_but_not_sessions() {
    let site = Site::start().await;
    let token = site.token_of(site.lab.temporary_credentials("sal")).sign();
    let session = connect(&site.lab, USER, &token).await.unwrap();
    site.lab.faults().expire_credentials();
    assert_eq!(reason_for(&site, &token).await, Some(Reason::ExpiredToken));
    assert_eq!(ask(&session, "SELECT 'alive'").await, "alive");
    assert_eq!(reason_for(&site, &site.token().sign()).await, None);
    let fresh = site.token_of(site.lab.temporary_credentials("sal")).sign();
    assert_eq!(reason_for(&site, &fresh).await, None);
}

#[tokio::test]
async fn dying_credentials_end_before_the_token_does() {
    let site = Site::start().await;
    site.lab
        .faults()
        .set_credential_life(Duration::from_secs(10));
    let token = site.token_of(site.lab.temporary_credentials("sal")).sign();
    site.advance(SignedDuration::from_secs(9));
    assert_eq!(reason_for(&site, &token).await, None);
    site.advance(SignedDuration::from_secs(1));
    assert_eq!(reason_for(&site, &token).await, Some(Reason::ExpiredToken));
}

#[tokio::test]
async fn a_shifted_clock_is_tolerated_for_five_minutes_behind_and_fifteen_ahead() {
    let site = Site::start().await;
    let cases = [
        (1, None),
        (14, None),
        (16, Some(Reason::ExpiredToken)),
        (-1, None),
        (-5, None),
        (-6, Some(Reason::InvalidToken)),
        (0, None),
    ];
    for (minutes, expected) in cases {
        site.lab
            .faults()
            .shift_clock(SignedDuration::from_mins(minutes));
        assert_eq!(
            reason_for(&site, &site.token().sign()).await,
            expected,
            "{minutes}"
        );
    }
}

#[tokio::test]
async fn a_sick_auth_service_refuses_good_tokens() {
    let site = Site::start().await;
    let token = site.token().sign();
    site.lab.faults().set_auth(AuthHealth::Throttling);
    assert_eq!(
        reason_for(&site, &token).await,
        Some(Reason::ThrottlingException)
    );
    site.lab.faults().set_auth(AuthHealth::Unavailable);
    assert_eq!(reason_for(&site, &token).await, Some(Reason::InternalError));
    site.lab.faults().set_auth(AuthHealth::Healthy);
    assert_eq!(reason_for(&site, &token).await, None);
    let metrics = site.lab.metrics();
    let counted = (
        metrics.failure_throttling,
        metrics.failure_server_error,
        metrics.failure,
    );
    assert_eq!(counted, (1, 1, 2));
}

#[tokio::test]
async fn logins_above_the_limit_are_throttled_and_counted() {
    let site = Site::start().await;
    site.lab.faults().set_login_limit(0);
    let token = site.token().sign();
    assert_eq!(
        reason_for(&site, &token).await,
        Some(Reason::ThrottlingException)
    );
    site.lab.faults().set_login_limit(200);
    assert_eq!(reason_for(&site, &token).await, None);
    assert!(site.lab.peak_logins_per_second() >= 1);
}

#[tokio::test]
async fn an_organisation_can_deny_everything() {
    let site = Site::start().await;
    let token = site.token().sign();
    site.lab.faults().set_policy(PolicyFault::DenyAll);
    assert_eq!(reason_for(&site, &token).await, Some(Reason::NotAuthorized));
    let line = site.lab.log().last().unwrap().error_line().unwrap();
    assert!(
        line.contains("arn:aws:iam::123456789012:user/sal-lab"),
        "{line}"
    );
    site.lab.faults().set_policy(PolicyFault::AsGranted);
    assert_eq!(reason_for(&site, &token).await, None);
}

#[tokio::test]
async fn after_a_rotation_only_the_new_root_vouches_for_the_server() {
    let site = Site::start().await;
    let token = site.token().sign();
    let old_root = site.lab.ca_pem();
    let session = connect(&site.lab, USER, &token).await.unwrap();
    site.lab.rotate_ca().unwrap();
    let refused = open(&config(&site.lab, USER, &token), &old_root)
        .await
        .map(|_| ())
        .unwrap_err();
    let why = format!("{refused:?}");
    assert!(
        why.contains("UnknownIssuer") || why.contains("BadSignature"),
        "{why}"
    );
    assert!(connect(&site.lab, USER, &token).await.is_ok());
    let in_file = std::fs::read_to_string(site.lab.ca_file()).unwrap();
    assert_eq!(in_file, site.lab.ca_pem());
    assert_eq!(ask(&session, "SELECT 'old session'").await, "old session");
}

#[tokio::test]
async fn cut_connections_are_noticed_and_new_ones_work() {
    let site = Site::start().await;
    let token = site.token().sign();
    let mut session = connect(&site.lab, USER, &token).await.unwrap();
    site.lab.cut_connections();
    let ended = session.connection.join_next().await.unwrap().unwrap();
    assert!(ended.is_err() || session.client.is_closed());
    assert!(session.client.batch_execute("SELECT 1").await.is_err());
    assert!(connect(&site.lab, USER, &token).await.is_ok());
}

#[tokio::test]
async fn a_slow_accept_runs_into_the_clients_timeout() {
    let site = Site::start().await;
    site.lab.faults().set_slow_accept(Duration::from_secs(900));
    let token = site.token().sign();
    let patience = Duration::from_millis(200);
    let waited = tokio::time::timeout(patience, connect(&site.lab, USER, &token)).await;
    assert!(waited.is_err());
    site.lab.faults().set_slow_accept(Duration::ZERO);
    assert!(connect(&site.lab, USER, &token).await.is_ok());
}

#[tokio::test]
async fn a_demoted_instance_takes_no_writes() {
    let site = Site::start().await;
    let token = site.token().sign();
    site.lab.faults().set_role(InstanceRole::Reader);
    let session = connect(&site.lab, USER, &token).await.unwrap();
    assert_eq!(ask(&session, "SHOW transaction_read_only").await, "on");
    let denied = session
        .client
        .batch_execute("CREATE TABLE t ()")
        .await
        .unwrap_err();
    assert_eq!(denied.code().unwrap().code(), "25006");
    site.lab.faults().set_role(InstanceRole::Writer);
    let session = connect(&site.lab, USER, &token).await.unwrap();
    assert_eq!(ask(&session, "SHOW transaction_read_only").await, "off");
}

#[tokio::test]
async fn a_crashed_postgres_says_57p03_and_comes_back() {
    let mut site = Site::start().await;
    let token = site.token().sign();
    let session = connect(&site.lab, USER, &token).await.unwrap();
    site.lab.crash_postgres().await;
    assert!(session.client.batch_execute("SELECT 1").await.is_err());
    assert_eq!(refusal(&site.lab, USER, &token).await.0, "57P03");
    site.lab.restart_postgres().await.unwrap();
    let session = connect(&site.lab, USER, &token).await.unwrap();
    assert_eq!(ask(&session, "SELECT 'back'").await, "back");
}

#[tokio::test]
async fn a_stopped_lab_leaves_nothing() {
    let site = Site::start().await;
    let session = connect(&site.lab, USER, &site.token().sign())
        .await
        .unwrap();
    let folder = site.lab.postgres().folder().to_owned();
    let ca = site.lab.ca_file().to_owned();
    let address = site.lab.address();
    site.lab.stop().await;
    assert!(session.client.batch_execute("SELECT 1").await.is_err());
    assert!(!folder.exists() && !ca.exists());
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
}
