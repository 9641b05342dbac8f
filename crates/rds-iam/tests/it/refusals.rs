//! Logins that fail, and what is said about them.

use std::{sync::Arc, time::Duration};

use rds_iam::{CacheSettings, ConfigError, CredentialCache, LoginSecret, Secret, TlsMode};
use rds_lab::{AuthHealth, InstanceRole, LabOptions};

use crate::support::{
    InTurn, Names, USER, admin, cache, clock, config, connector, iam, iam_config, keys, lab,
    lab_without_policy, log_in, refusal,
};

#[tokio::test]
async fn a_denied_policy_gets_one_retry_then_single_attempts_and_recovers() {
    let lab = lab_without_policy(LabOptions::new(clock())).await;
    let connector = connector(iam_config(&lab));
    let error = connector.connect().await.unwrap_err();
    assert_eq!(error.explain().code, "token_refused");
    assert_eq!(lab.log().len(), 2, "one login and one retry");
    connector.connect().await.unwrap_err();
    assert_eq!(lab.log().len(), 3, "the verdict stands for a while");
    assert_eq!(lab.metrics().failure_insufficient_permissions, 3);
    lab.allow_connect("*", USER);
    connector.connect().await.unwrap();
    let status = connector.status();
    assert_eq!((status.logins, status.failed), (3, 2));
    assert_eq!(
        status.last_failure.unwrap().explanation.code,
        "token_refused"
    );
    lab.stop().await;
}

#[tokio::test]
async fn credentials_that_died_early_are_replaced_after_one_refusal() {
    let lab = lab().await;
    let dead = keys(&lab.temporary_credentials("sal"));
    lab.faults().expire_credentials();
    let alive = keys(&lab.temporary_credentials("sal"));
    let mut secret = iam(&lab);
    let settings = CacheSettings {
        first_pause: Duration::ZERO,
        ..CacheSettings::default()
    };
    let provider = Arc::new(InTurn::new([dead.clone(), alive]));
    let renewing = CredentialCache::with_settings(provider, clock(), settings);
    secret.credentials = Arc::new(renewing);
    log_in(config(&lab, LoginSecret::Iam(secret)))
        .await
        .unwrap();
    assert_eq!(
        (lab.metrics().failure_invalid_token, lab.metrics().success),
        (1, 1)
    );

    let mut secret = iam(&lab);
    secret.credentials = cache(InTurn::new([dead]));
    let (code, text) = refusal(config(&lab, LoginSecret::Iam(secret))).await;
    assert_eq!(code, "token_refused");
    assert!(text.contains("a list"), "{text}");
    lab.stop().await;
}

#[tokio::test]
async fn a_token_for_a_user_outside_rds_iam_is_explained_as_such() {
    let lab = lab().await;
    admin(&lab, "REVOKE rds_iam FROM salawsiam").await;
    let (code, text) = refusal(iam_config(&lab)).await;
    assert_eq!(code, "token_sent_to_password_check");
    assert!(text.contains("GRANT rds_iam TO \"salawsiam\""), "{text}");
    admin(&lab, "GRANT rds_iam TO salawsiam").await;
    log_in(iam_config(&lab)).await.unwrap();
    lab.stop().await;
}

#[tokio::test]
async fn passwords_are_refused_with_their_own_reasons() {
    let lab = lab().await;
    let password = |text: &str| LoginSecret::Password(Secret::new(text));
    let (code, _) = refusal(config(&lab, password("not it"))).await;
    assert_eq!(code, "password_for_iam_user");

    let mut wrong = config(&lab, password("not it"));
    wrong.user = "sal".to_owned();
    assert_eq!(refusal(wrong.clone()).await.0, "password_refused");

    wrong.tls.mode = TlsMode::Disable;
    assert_eq!(refusal(wrong).await.0, "tls_forced");

    let mut clear = config(&lab, password("not it"));
    clear.tls.mode = TlsMode::Disable;
    assert_eq!(refusal(clear).await.0, "iam_without_tls");

    let mut other = iam_config(&lab);
    other.database = "nosuch".to_owned();
    assert_eq!(refusal(other).await.0, "no_such_database");
    lab.stop().await;
}

#[tokio::test]
async fn a_sick_login_service_is_survived_when_it_recovers() {
    let lab = lab().await;
    let connector = connector(iam_config(&lab));
    for health in [AuthHealth::Throttling, AuthHealth::Unavailable] {
        lab.faults().set_auth(health);
        assert_eq!(
            connector.connect().await.unwrap_err().explain().code,
            "token_refused"
        );
        lab.faults().set_auth(AuthHealth::Healthy);
        connector.connect().await.unwrap();
    }
    lab.stop().await;
}

#[tokio::test]
async fn a_server_that_does_not_answer_costs_a_bounded_time() {
    let lab = lab().await;
    lab.faults().set_slow_accept(Duration::from_secs(3600));
    let mut config = iam_config(&lab);
    config.connect_timeout = Duration::from_millis(300);
    // The server would take an hour.
    let patience = Duration::from_secs(60);
    let refused = tokio::time::timeout(patience, log_in(config)).await;
    let error = refused.unwrap().unwrap_err();
    assert_eq!(error.explain().code, "no_answer");
    assert!(error.context.attempts <= 3);
    lab.stop().await;
}

#[tokio::test]
async fn a_reader_is_refused_where_writes_are_needed() {
    let lab = lab().await;
    lab.faults().set_role(InstanceRole::Reader);
    let mut config = iam_config(&lab);
    log_in(config.clone()).await.unwrap();
    config.require_writable = true;
    assert_eq!(refusal(config.clone()).await.0, "not_writable");
    lab.faults().set_role(InstanceRole::Writer);
    log_in(config).await.unwrap();
    lab.stop().await;
}

#[tokio::test]
async fn a_host_that_leads_to_no_rds_name_is_refused_before_anything_is_sent() {
    let lab = lab().await;
    let mut config = iam_config(&lab);
    config.host = "db.example.com".to_owned();
    let (code, text) = refusal(config).await;
    assert_eq!(code, "no_rds_name");
    assert!(text.contains("db.example.com"), "{text}");
    assert!(lab.log().is_empty());
    lab.stop().await;
}

#[tokio::test]
async fn configurations_that_cannot_work_are_refused_at_once() {
    let lab = lab().await;
    let refuse = |config| {
        let names = Arc::new(Names::default());
        rds_iam::Connector::new(config, names, clock()).unwrap_err()
    };
    let mut clear = iam_config(&lab);
    clear.tls.mode = TlsMode::Disable;
    assert!(matches!(refuse(clear), ConfigError::IamWithoutTls));
    let mut web = iam_config(&lab);
    web.port = 443;
    assert!(matches!(
        refuse(web),
        ConfigError::UnsignablePort { port: 443 }
    ));
    let mut nobody = iam_config(&lab);
    nobody.user.clear();
    assert!(matches!(
        refuse(nobody),
        ConfigError::Empty { field: "user" }
    ));
    let mut never = iam_config(&lab);
    never.logins_per_second = 0;
    assert!(matches!(refuse(never), ConfigError::Zero { .. }));
    lab.stop().await;
}
