//! Logins that succeed: with IAM, through an alias, through a tunnel, with a password.

use rds_iam::{LoginMode, LoginSecret, LoginWarning, Secret};

use crate::support::{
    Names, USER, admin, ask, config, connector, connector_with, iam, iam_config, lab, log_in,
};

#[tokio::test]
async fn iam_over_verify_full_logs_in_and_the_status_tells_how() {
    let lab = lab().await;
    let mut config = iam_config(&lab);
    config.application_name = Some("rds-iam-test".to_owned());
    let connector = connector(config);
    let connection = connector.connect().await.unwrap();
    assert_eq!(ask(&connection, "SELECT current_user::text").await, USER);
    let name = ask(&connection, "SELECT current_setting('application_name')").await;
    assert_eq!(name, "rds-iam-test");

    let status = connector.status();
    assert_eq!(status.mode, LoginMode::Iam);
    assert_eq!(status.sign_name.as_deref(), Some(lab.endpoint()));
    assert_eq!(status.region.as_deref(), Some(lab.region()));
    assert_eq!((status.logins, status.failed), (1, 0));
    assert!(status.last_success.is_some() && status.last_failure.is_none());
    let certificate = status.certificate.unwrap();
    assert!(certificate.names.contains(&lab.endpoint().to_owned()));
    let credentials = status.credentials.unwrap();
    assert_eq!(credentials.source.as_deref(), Some("fixed keys"));
    assert!(status.skew.unwrap().offset.abs().as_secs() < 2);
    drop(connection);
    connector.drained().await;
    lab.stop().await;
}

#[tokio::test]
async fn an_alias_is_dialled_and_the_endpoint_behind_it_signed_and_verified() {
    let lab = lab().await;
    let names = std::sync::Arc::new(Names::default());
    names.alias("db.example.com", "sal-db.internal.example.com.");
    names.alias(
        "sal-db.internal.example.com",
        &lab.endpoint().to_ascii_uppercase(),
    );
    names.point("DB.example.com", lab.address().ip());
    let mut config = iam_config(&lab);
    config.host = "DB.example.com".to_owned();
    config.host_address = None;
    let connector = connector_with(config, names);
    let connection = connector.connect().await.unwrap();
    assert_eq!(ask(&connection, "SELECT session_user::text").await, USER);
    assert_eq!(
        connector.status().sign_name.as_deref(),
        Some(lab.endpoint())
    );
    lab.stop().await;
}

#[tokio::test]
async fn a_tunnel_signs_for_the_name_and_port_it_is_told() {
    let options = rds_lab::LabOptions {
        signed_port: Some(5432),
        ..rds_lab::LabOptions::new(crate::support::clock())
    };
    let lab = crate::support::lab_without_policy(options).await;
    lab.allow_connect("*", USER);
    let mut secret = iam(&lab);
    secret.sign_host = Some(lab.endpoint().to_owned());
    secret.sign_port = Some(5432);
    let mut config = config(&lab, LoginSecret::Iam(secret));
    config.host = "localhost".to_owned();
    log_in(config).await.unwrap();
    lab.stop().await;
}

#[tokio::test]
async fn the_password_path_is_the_same_code_with_another_secret() {
    let lab = lab().await;
    let secret = LoginSecret::Password(Secret::new("sal's password"));
    let mut config = config(&lab, secret);
    config.user = "sal".to_owned();
    let connector = connector(config);
    let connection = connector.connect().await.unwrap();
    assert_eq!(ask(&connection, "SELECT current_user::text").await, "sal");
    let status = connector.status();
    assert_eq!(status.mode, LoginMode::Password);
    assert!(status.credentials.is_none() && status.certificate.is_some());
    lab.stop().await;
}

#[tokio::test]
async fn a_session_must_have_the_role_it_was_promised() {
    let lab = lab().await;
    admin(
        &lab,
        "ALTER ROLE salawsiam IN DATABASE sal SET role = 'sal'",
    )
    .await;
    let mut config = iam_config(&lab);
    config.expected_current_user = Some("sal".to_owned());
    config.require_writable = true;
    let connection = log_in(config.clone()).await.unwrap();
    assert_eq!(ask(&connection, "SELECT current_user::text").await, "sal");

    admin(&lab, "REVOKE sal FROM salawsiam").await;
    let error = log_in(config).await.unwrap_err();
    assert_eq!(error.explain().code, "wrong_role");
    assert!(
        error.to_string().contains("`salawsiam` instead of `sal`"),
        "{error}"
    );
    lab.stop().await;
}

#[tokio::test]
async fn a_contradicting_region_rules_is_warned_of_and_refused_by_the_server() {
    let lab = lab().await;
    let mut secret = iam(&lab);
    secret.region = Some("eu-west-1".to_owned());
    let connector = connector(config(&lab, LoginSecret::Iam(secret)));
    let error = connector.connect().await.unwrap_err();
    let explanation = error.explain();
    assert_eq!(explanation.code, "token_refused");
    assert!(
        explanation.likely_cause.contains("`eu-west-1`"),
        "{explanation}"
    );
    let contradiction = LoginWarning::RegionContradiction {
        configured: "eu-west-1".to_owned(),
        endpoint: lab.region().to_owned(),
    };
    assert_eq!(connector.status().warnings, vec![contradiction]);
    assert_eq!((error.context.attempts, lab.log().len()), (2, 2));
    lab.stop().await;
}
