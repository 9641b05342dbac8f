//! Who counts as an IAM user: `rds_iam` granted, revoked, and granted the wrong way round.

use crate::client::{ask, connect, psql, refusal};
use crate::site::{OLD_PASSWORD, OLD_USER, Site, USER};

#[tokio::test]
async fn granting_rds_iam_ends_the_password_at_once_and_revoking_restores_it() {
    let site = Site::start().await;
    assert!(connect(&site.lab, OLD_USER, OLD_PASSWORD).await.is_ok());
    site.sql("GRANT rds_iam TO sal").await;
    let (code, text) = refusal(&site.lab, OLD_USER, OLD_PASSWORD).await;
    assert_eq!(
        (code.as_str(), text.as_str()),
        ("28000", "PAM authentication failed for user \"sal\"")
    );
    site.sql("GRANT rds_password TO sal").await;
    assert_eq!(refusal(&site.lab, OLD_USER, OLD_PASSWORD).await.0, "28000");
    let mut token = site.token();
    token.user = OLD_USER.to_owned();
    assert!(connect(&site.lab, OLD_USER, &token.sign()).await.is_ok());
    site.sql("REVOKE rds_iam FROM sal").await;
    assert!(connect(&site.lab, OLD_USER, OLD_PASSWORD).await.is_ok());
    assert_eq!(refusal(&site.lab, OLD_USER, &token.sign()).await.0, "28P01");
}

#[tokio::test]
async fn a_grant_in_the_wrong_direction_locks_the_old_user_out() {
    let site = Site::start().await;
    // The right direction is in place already: the new user is a member of the old one.
    assert!(connect(&site.lab, OLD_USER, OLD_PASSWORD).await.is_ok());
    site.sql("REVOKE sal FROM salawsiam; GRANT salawsiam TO sal")
        .await;
    assert_eq!(refusal(&site.lab, OLD_USER, OLD_PASSWORD).await.0, "28000");
    site.sql("REVOKE salawsiam FROM sal").await;
    assert!(connect(&site.lab, OLD_USER, OLD_PASSWORD).await.is_ok());
}

#[tokio::test]
async fn membership_counts_through_any_chain_and_without_inherit() {
    let site = Site::start().await;
    site.sql(
        "CREATE ROLE team NOLOGIN NOINHERIT; CREATE ROLE wing NOLOGIN; \
         GRANT rds_iam TO wing; GRANT wing TO team; GRANT team TO sal",
    )
    .await;
    assert_eq!(refusal(&site.lab, OLD_USER, OLD_PASSWORD).await.0, "28000");
}

#[tokio::test]
async fn a_token_for_a_user_outside_rds_iam_is_taken_for_a_password() {
    let site = Site::start().await;
    let mut token = site.token();
    for user in [OLD_USER, "nobody_at_all"] {
        token.user = user.to_owned();
        let (code, text) = refusal(&site.lab, user, &token.sign()).await;
        assert_eq!(code, "28P01");
        assert_eq!(
            text,
            format!("password authentication failed for user \"{user}\"")
        );
    }
    site.sql("REVOKE rds_iam FROM salawsiam").await;
    assert_eq!(
        refusal(&site.lab, USER, &site.token().sign()).await.0,
        "28P01"
    );
    assert_eq!(site.lab.metrics().requests, 0);
}

#[tokio::test]
async fn a_session_outlives_token_membership_and_policy() {
    let site = Site::start().await;
    let session = connect(&site.lab, USER, &site.token().sign())
        .await
        .unwrap();
    site.sql("REVOKE rds_iam FROM salawsiam").await;
    site.lab.revoke_connect("*");
    site.advance(jiff::SignedDuration::from_hours(2));
    assert_eq!(ask(&session, "SELECT session_user::text").await, USER);
}

#[tokio::test]
async fn the_master_is_no_superuser_but_can_make_iam_users() {
    let site = Site::start().await;
    let password = site.lab.master_password().to_owned();
    let master = site.lab.master().to_owned();
    let session = connect(&site.lab, &master, &password).await.unwrap();
    assert_eq!(ask(&session, "SHOW is_superuser").await, "off");
    let sql = "CREATE USER second; GRANT rds_iam TO second; GRANT sal TO second";
    session.client.batch_execute(sql).await.unwrap();
    let mut token = site.token();
    token.user = "second".to_owned();
    let sql = "CREATE TABLE made_by_second (); SELECT pg_has_role('sal', 'MEMBER')";
    let said = psql(
        &site.lab,
        "second",
        &token.sign(),
        "sslmode=verify-full",
        sql,
    )
    .await;
    assert_eq!(said.out.lines().last(), Some("t"), "{}", said.err);
    let denied = session
        .client
        .batch_execute("SELECT * FROM pg_authid")
        .await
        .unwrap_err();
    assert_eq!(denied.code().unwrap().code(), "42501");
}

#[tokio::test]
async fn the_superuser_cannot_come_through_the_gate() {
    let site = Site::start().await;
    let (code, text) = refusal(&site.lab, "rdsadmin", "x").await;
    assert_eq!(code, "28000");
    assert_eq!(
        text,
        "pg_hba.conf rejects connection for host \"127.0.0.1\", user \"rdsadmin\", database \"sal\", SSL encryption"
    );
}
