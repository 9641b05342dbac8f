//! The way to AWS: a proxy, its authority, and a container without any list of authorities, for every call alike.

use std::path::Path;

use rds_lab::Lab;

use crate::looking_proxy::LookingProxy;
use crate::server::Server;
use crate::stage::{Ended, Settings, Stage, USER};

/// No authority of the system's can be found.
fn bare(settings: Settings) -> Settings {
    settings
        .with("SSL_CERT_FILE", "/nonexistent")
        .with("SSL_CERT_DIR", "/nonexistent")
}

/// A deployment whose credentials are keys, so that every other question goes to AWS's own addresses.
fn by_keys(stage: &Stage) -> Settings {
    let key = stage.lab.static_credentials();
    stage
        .settings()
        .without("AWS_CONTAINER_CREDENTIALS_FULL_URI")
        .without("AWS_CONTAINER_AUTHORIZATION_TOKEN")
        .with("AWS_ACCESS_KEY_ID", &key.access_key_id)
        .with("AWS_SECRET_ACCESS_KEY", &key.secret_access_key)
        .with("AWS_EC2_METADATA_DISABLED", "true")
}

fn bundle(folder: &Path, pem: &str) -> String {
    let path = folder.join("proxy.pem");
    std::fs::write(&path, pem).unwrap();
    path.to_str().unwrap().to_owned()
}

fn services(proxy: &LookingProxy) -> Vec<String> {
    let asked = proxy.asked();
    let mut services: Vec<_> = asked
        .iter()
        .map(|host| host.split('.').next().unwrap().to_owned())
        .collect();
    services.sort_unstable();
    services.dedup();
    services
}

#[tokio::test]
async fn every_call_to_aws_goes_through_the_proxy_and_trusts_its_authority() {
    let stage = Stage::set().await;
    let proxy = LookingProxy::start(&stage.lab).await;
    let folder = tempfile::tempdir().unwrap();
    let bundle = bundle(folder.path(), &proxy.ca_pem);
    let lab: &Lab = &stage.lab;
    lab.trust_role(&lab.role_arn("there"), "*");
    lab.allow_connect(&lab.role_arn("there"), USER);
    for name in ["HTTPS_PROXY", "https_proxy"] {
        let settings = bare(by_keys(&stage))
            .with(name, &proxy.url)
            .with("AWS_CA_BUNDLE", &bundle);
        // STS by the sources of credentials, for a role on top.
        let with_role = settings
            .clone()
            .with("SAL_IAM_ROLE_ARN", &lab.role_arn("there"));
        let checked = with_role.run(&["db", "check"]).await;
        assert!(matches!(checked.code, Some(0 | 3)), "{checked:?}");
        // STS, RDS, IAM and CloudWatch by our own client.
        let doctor = settings.run(&["iam", "doctor", "--role", "there"]).await;
        assert!(
            !doctor.stdout.contains("no usable answer"),
            "{}",
            doctor.stdout
        );
        let policy = settings.run(&["iam", "policy"]).await;
        assert_eq!(policy.code, Some(0), "{policy:?}");
        assert!(policy.stdout.contains("rds-db:connect"), "{policy:?}");
        assert_eq!(
            services(&proxy),
            ["iam", "logs", "monitoring", "rds", "sts"]
        );
    }
}

#[tokio::test]
async fn a_proxy_whose_authority_is_not_trusted_is_told_by_every_command() {
    let stage = Stage::set().await;
    let proxy = LookingProxy::start(&stage.lab).await;
    let role = stage.lab.role_arn("there");
    let settings = by_keys(&stage).with("HTTPS_PROXY", &proxy.url);
    let told = |ended: &Ended| {
        let all = format!("{}{}", ended.stdout, ended.stderr);
        assert!(all.contains("certificate"), "{all}");
        assert_ne!(ended.code, Some(0), "{all}");
    };
    told(&settings.run(&["iam", "policy"]).await);
    told(
        &settings
            .with("SAL_IAM_ROLE_ARN", &role)
            .run(&["db", "check"])
            .await,
    );
    assert_eq!(services(&proxy), ["sts"]);
}

#[tokio::test]
async fn no_proxy_and_metadata_are_asked_directly() {
    let stage = Stage::set().await;
    let proxy = LookingProxy::start(&stage.lab).await;
    // The container's credentials come over plain HTTP from this machine.
    let settings = stage
        .settings()
        .with("HTTP_PROXY", &proxy.url)
        .with("HTTPS_PROXY", &proxy.url)
        .with("ALL_PROXY", &proxy.url);
    let checked = settings.run(&["db", "check"]).await;
    assert!(matches!(checked.code, Some(0 | 3)), "{checked:?}");
    assert_eq!(proxy.asked(), Vec::<String>::new());
    for name in ["NO_PROXY", "no_proxy"] {
        let settings = by_keys(&stage)
            .with("HTTPS_PROXY", &proxy.url)
            .with(name, "localhost,.invalid")
            .with("AWS_ENDPOINT_URL", "https://sts.invalid");
        let ended = settings.run(&["iam", "policy"]).await;
        assert_ne!(ended.code, Some(0), "{ended:?}");
        assert_eq!(proxy.asked(), Vec::<String>::new(), "{name}");
    }
}

#[tokio::test]
async fn without_any_authority_of_the_system_every_command_does_its_work() {
    let stage = Stage::set().await;
    let with_iam = bare(stage.settings());
    for settings in [&with_iam, &bare(stage.password_settings())] {
        let server = Server::start(settings).await;
        let (status, _) = server.readiness().await;
        assert_eq!(status, reqwest::StatusCode::OK);
    }
    let lab = &stage.lab;
    let with_endpoints = with_iam
        .with("AWS_ENDPOINT_URL_STS", &lab.sts_url())
        .with("AWS_ENDPOINT_URL_RDS", &lab.rds_url())
        .with("AWS_ENDPOINT_URL_IAM", &lab.iam_url())
        .with("AWS_ENDPOINT_URL_CLOUDWATCH", &lab.monitoring_url())
        .with("AWS_ENDPOINT_URL_CLOUDWATCH_LOGS", &lab.logs_url());
    let host = format!("--host={}", lab.endpoint());
    let commands: [&[&str]; 9] = [
        &["db", "check"],
        &["iam", "doctor"],
        &["iam", "verify", "--login-only"],
        &["iam", "status"],
        &["iam", "policy"],
        &["iam", "env", "--format", "libpq"],
        &["iam", "token", &host],
        &["relay", "--check"],
        &["user", "list"],
    ];
    for arguments in commands {
        let ended = with_endpoints.run(arguments).await;
        assert!(
            !ended.stderr.contains("panicked"),
            "{arguments:?}: {ended:?}"
        );
        assert!(
            !ended.stderr.contains("ca-certificates"),
            "{arguments:?}: {ended:?}"
        );
        assert_ne!(ended.code, Some(101), "{arguments:?}: {ended:?}");
    }
    // Single sign-on has somebody else's authority, or none that works; the server starts with both.
    let server = Server::start(
        &with_endpoints
            .with("SAL_PUBLIC_URL", "https://sal.example.org")
            .with("SAL_OIDC_ISSUER", "https://login.invalid")
            .with("SAL_OIDC_CLIENT_ID", "sal"),
    )
    .await;
    assert!(!server.log().contains("panicked"), "{}", server.log());
}

#[tokio::test]
async fn a_bundle_that_is_not_there_is_named_by_every_command_that_uses_aws() {
    let stage = Stage::set().await;
    let settings = stage
        .settings()
        .with("AWS_CA_BUNDLE", "/nowhere/bundle.pem");
    let host = format!("--host={}", stage.lab.endpoint());
    for arguments in [
        &["db", "check"][..],
        &["iam", "policy"],
        &["iam", "token", &host],
    ] {
        let ended = settings.run(arguments).await;
        assert_eq!(ended.code, Some(1), "{ended:?}");
        assert!(ended.stderr.contains("/nowhere/bundle.pem"), "{ended:?}");
    }
}
