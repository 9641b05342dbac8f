//! Password users: scram is relayed, TLS is asked for as `rds.force_ssl` says.

use rds_lab::ForceSsl;

use crate::client::{ask, connect, psql, refusal, refusal_without_tls};
use crate::site::{OLD_PASSWORD, OLD_USER, Site};

#[tokio::test]
async fn a_password_user_logs_in_by_scram_through_the_gate() {
    let site = Site::start().await;
    let said = psql(
        &site.lab,
        OLD_USER,
        OLD_PASSWORD,
        "sslmode=verify-full",
        "SELECT current_user",
    )
    .await;
    assert_eq!(said.out, "sal", "{}", said.err);
    let session = connect(&site.lab, OLD_USER, OLD_PASSWORD).await.unwrap();
    let stored = "SELECT password_encryption FROM (SELECT current_setting('password_encryption') AS password_encryption) s";
    assert_eq!(ask(&session, stored).await, "scram-sha-256");
    let (code, text) = refusal(&site.lab, OLD_USER, "another password").await;
    assert_eq!(
        (code.as_str(), text.as_str()),
        ("28P01", "password authentication failed for user \"sal\"")
    );
    assert_eq!(site.lab.metrics().requests, 0);
}

#[tokio::test]
async fn force_ssl_refuses_a_password_user_without_tls() {
    let site = Site::start().await;
    let (code, text) = refusal_without_tls(&site.lab, OLD_USER, OLD_PASSWORD).await;
    assert_eq!(code, "28000");
    assert_eq!(
        text,
        "no pg_hba.conf entry for host \"127.0.0.1\", user \"sal\", database \"sal\", no encryption"
    );
}

#[tokio::test]
async fn without_force_ssl_a_password_user_may_come_in_clear() {
    let site = Site::start_with(|options| options.force_ssl = ForceSsl::Off).await;
    let said = psql(
        &site.lab,
        OLD_USER,
        OLD_PASSWORD,
        "sslmode=disable",
        "SELECT 'in'",
    )
    .await;
    assert_eq!(said.out, "in", "{}", said.err);
}
