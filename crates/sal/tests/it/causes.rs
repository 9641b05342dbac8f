//! What fails because something before it failed says what that was, in every command of `sal iam`.

use crate::stage::{OWNER_PASSWORD, Settings, Stage};

/// A deployment with a password, and AWS at the lab; no credentials yet.
fn settings(stage: &Stage) -> Settings {
    let lab = &stage.lab;
    stage
        .password_settings()
        .with("AWS_EC2_METADATA_DISABLED", "true")
        .with("AWS_RDS_REGION", lab.region())
        .with("AWS_ENDPOINT_URL_RDS", &lab.rds_url())
        .with("AWS_ENDPOINT_URL_STS", &lab.sts_url())
        .with("AWS_ENDPOINT_URL_IAM", &lab.iam_url())
        .with("AWS_ENDPOINT_URL_CLOUDWATCH", &lab.monitoring_url())
        .with("AWS_ENDPOINT_URL_CLOUDWATCH_LOGS", &lab.logs_url())
        .with("SAL_ADMIN_USER", "sal")
        .with("SAL_ADMIN_PASS", OWNER_PASSWORD)
}

fn with_keys(settings: Settings, token: Option<&str>) -> Settings {
    let settings = settings
        .with("AWS_ACCESS_KEY_ID", "AKIAWRONGWRONGWRONG0")
        .with("AWS_SECRET_ACCESS_KEY", "wr0ng-secret-key-of-nobody");
    match token {
        Some(token) => settings.with("AWS_SESSION_TOKEN", token),
        None => settings,
    }
}

/// Ways to have no usable credentials, and what each is called.
fn without_credentials(stage: &Stage, folder: &std::path::Path) -> Vec<(Settings, &'static str)> {
    let config = folder.join("config");
    let profile = "[profile work]\nsso_start_url = https://x.awsapps.com/start\nsso_region = eu-west-1\nsso_account_id = 123456789012\nsso_role_name = Admin\nregion = eu-west-1\n";
    std::fs::write(&config, profile).unwrap();
    let sso = settings(stage)
        .with("AWS_CONFIG_FILE", config.to_str().unwrap())
        .with("HOME", folder.to_str().unwrap())
        .with("AWS_PROFILE", "work");
    let web = settings(stage)
        .with("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/sal")
        .with("AWS_WEB_IDENTITY_TOKEN_FILE", "/nonexistent/web-token");
    let container = settings(stage)
        .with(
            "AWS_CONTAINER_CREDENTIALS_FULL_URI",
            &stage.lab.container_url(),
        )
        .with(
            "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
            "/nonexistent/pod-token",
        );
    vec![
        (
            settings(stage),
            "looked at environment (environment variable not set)",
        ),
        (with_keys(settings(stage), None), "InvalidClientTokenId"),
        (
            with_keys(settings(stage), Some("junk")),
            "InvalidClientTokenId",
        ),
        (sso, "profile"),
        (
            web,
            "`/nonexistent/web-token` that AWS_WEB_IDENTITY_TOKEN_FILE names",
        ),
        (
            container,
            "`/nonexistent/pod-token` that AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE names",
        ),
    ]
}

#[tokio::test]
async fn commands_that_ask_aws_say_why_it_could_not_be_asked() {
    let stage = Stage::set().await;
    let folder = tempfile::tempdir().unwrap();
    for (settings, reason) in without_credentials(&stage, folder.path()) {
        for command in [
            &["iam", "plan", "--aws", "--role", "r"][..],
            &["iam", "apply", "--aws", "--role", "r", "--yes"],
            &["iam", "rollback", "--aws", "--role", "r", "--yes"],
            &["iam", "policy"],
        ] {
            let ended = settings.run(command).await;
            assert_eq!(ended.code, Some(1), "{command:?}: {ended:?}");
            assert!(
                ended.stderr.contains(reason),
                "{reason} for {command:?}: {ended:?}"
            );
            assert!(
                !ended.stderr.contains("the database is not known"),
                "{ended:?}"
            );
        }
        let doctor = settings.run(&["iam", "doctor"]).await;
        // Where it happened; the lines that depend on it are one sentence.
        assert!(doctor.stdout.contains(reason), "{reason}: {doctor:?}");
        assert!(
            !doctor.stdout.contains("there are no credentials, or"),
            "{doctor:?}"
        );
    }
}

#[tokio::test]
async fn commands_that_need_a_token_say_why_there_is_none() {
    let stage = Stage::set().await;
    let folder = tempfile::tempdir().unwrap();
    for (settings, reason) in without_credentials(&stage, folder.path()) {
        if reason == "InvalidClientTokenId" {
            // Signing needs no AWS.
            continue;
        }
        for command in [
            &["iam", "token", "--user", "u"][..],
            &["iam", "env", "--format", "libpq"],
            &["iam", "psql"],
            &["iam", "verify"],
        ] {
            let ended = settings.run(command).await;
            let said = format!("{}{}", ended.stdout, ended.stderr);
            assert_ne!(ended.code, Some(0), "{command:?}: {ended:?}");
            assert!(said.contains(reason), "{reason} for {command:?}: {ended:?}");
        }
    }
}

#[tokio::test]
async fn status_names_everybody_who_was_refused() {
    let stage = Stage::set().await;
    let settings = settings(&stage)
        .with("SAL_ADMIN_PASS", "wrong")
        .with("DB_PASS", "wrong-too");
    let ended = settings.run(&["iam", "status"]).await;
    assert_eq!(ended.code, Some(1), "{ended:?}");
    for reason in ["password authentication failed", "looked at environment"] {
        assert!(ended.stderr.contains(reason), "{reason}: {ended:?}");
    }
}
