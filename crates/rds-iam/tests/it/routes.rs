//! Every way to AWS credentials ends in a login, and leaves no secret in any log.
//!
//! The credential chain reads the process environment, so each way runs in a process of its own:
//! this test program again, with one test selected and a prepared environment.

use std::{
    collections::HashMap,
    io::{self, Write},
    path::Path,
    process::Command,
    sync::{Arc, Mutex},
};

use jiff::SignedDuration;
use rds_iam::{
    AssumeRole, Authorities, ChainSettings, CredentialCache, CredentialChain, IamConfig,
    LoginConfig, LoginSecret,
};
use rds_lab::{EndpointHealth, Lab, LabOptions, Service};
use tempfile::TempDir;
use tracing_subscriber::util::SubscriberInitExt;

use crate::support::{USER, clock, connector, lab_without_policy};

const CHILD: &str = "routes::the_environment_leads_to_a_login";
const TARGET: &str = "RDS_IAM_TEST_TARGET";
const ASSUME: &str = "RDS_IAM_TEST_ASSUME_ROLE";

/// The child of every route; on its own it is the route of plain keys.
#[test]
fn the_environment_leads_to_a_login() {
    #[expect(
        clippy::disallowed_methods,
        reason = "how the parent tells the child its task"
    )]
    let target = std::env::var(TARGET);
    let Ok(target) = target else {
        let route = |lab: &Lab, _: &Path| plain_keys(lab);
        let outcome = run_route("arn:aws:iam::123456789012:user/*", route);
        assert_eq!(outcome, "OUTCOME logged in from environment");
        return;
    };
    let lines: Vec<&str> = target.split('\n').collect();
    let [host, port, ca] = lines.as_slice() else {
        panic!("the target has three lines");
    };
    #[expect(
        clippy::disallowed_methods,
        reason = "how the parent tells the child its task"
    )]
    let assume_role = std::env::var(ASSUME).ok().map(|role_arn| AssumeRole {
        role_arn,
        session_name: "test".to_owned(),
        external_id: None,
    });
    let settings = ChainSettings {
        assume_role,
        ..ChainSettings::default()
    };
    let outcome = log_in_and_search_the_logs(host, port.parse().unwrap(), ca, settings);
    println!("\nOUTCOME {outcome}");
}

#[test]
fn the_instance_role_leads_to_a_login() {
    let outcome = run_route("*:role/*", |lab, _| {
        vec![("AWS_EC2_METADATA_SERVICE_ENDPOINT", lab.imds_url())]
    });
    assert!(
        outcome.starts_with("OUTCOME logged in from instance metadata (role"),
        "{outcome}"
    );
}

#[test]
fn the_container_endpoint_leads_to_a_login_by_token_and_by_token_file() {
    let by_token = run_route("*:role/*", |lab, _| container(lab));
    assert_eq!(by_token, "OUTCOME logged in from container");
    let by_file = run_route("*:role/*", |lab, folder| {
        let file = write(folder, "token", lab.container_authorization());
        vec![
            ("AWS_CONTAINER_CREDENTIALS_FULL_URI", lab.container_url()),
            ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", file),
        ]
    });
    assert_eq!(by_file, "OUTCOME logged in from container");
}

#[test]
fn web_identity_leads_to_a_login() {
    let outcome = run_route("*:role/irsa", |lab, folder| {
        let role = lab.role_arn("irsa");
        let file = write(folder, "jwt", &lab.web_identity_token(&role));
        vec![
            ("AWS_WEB_IDENTITY_TOKEN_FILE", file),
            ("AWS_ROLE_ARN", role),
            ("AWS_REGION", lab.region().to_owned()),
            ("AWS_ENDPOINT_URL_STS", lab.sts_url()),
        ]
    });
    assert_eq!(outcome, "OUTCOME logged in from web identity");
}

#[test]
fn a_profile_with_a_chain_of_roles_leads_to_a_login() {
    let outcome = run_route("*:role/last", |lab, folder| {
        lab.trust_role(&lab.role_arn("first"), "*");
        lab.trust_role(&lab.role_arn("last"), &lab.role_arn("first"));
        let key = lab.static_credentials();
        let text = format!(
            "[profile last]\nrole_arn = {}\nsource_profile = first\n\
             [profile first]\nrole_arn = {}\nsource_profile = keys\n\
             [profile keys]\naws_access_key_id = {}\naws_secret_access_key = {}\n",
            lab.role_arn("last"),
            lab.role_arn("first"),
            key.access_key_id,
            key.secret_access_key
        );
        vec![
            ("AWS_CONFIG_FILE", write(folder, "config", &text)),
            ("AWS_PROFILE", "last".to_owned()),
            ("AWS_REGION", lab.region().to_owned()),
            ("AWS_ENDPOINT_URL_STS", lab.sts_url()),
        ]
    });
    assert_eq!(outcome, "OUTCOME logged in from profile");
}

#[test]
fn a_credential_process_leads_to_a_login() {
    let outcome = run_route("*:role/process", |lab, folder| {
        let found = lab.temporary_credentials("process");
        let answer = serde_json::json!({
            "Version": 1,
            "AccessKeyId": found.access_key_id,
            "SecretAccessKey": found.secret_access_key,
            "SessionToken": found.session_token,
            "Expiration": found.expires.map(|end| end.to_string()),
        });
        let file = write(folder, "answer.json", &answer.to_string());
        let config = format!("[default]\ncredential_process = cat {file}\n");
        vec![("AWS_CONFIG_FILE", write(folder, "config", &config))]
    });
    assert_eq!(outcome, "OUTCOME logged in from profile");
}

#[test]
fn a_role_of_another_account_is_assumed_on_top_of_what_was_found() {
    let outcome = run_route("*:role/there", |lab, _| {
        lab.trust_role(&lab.role_arn("there"), "*");
        let mut variables = plain_keys(lab);
        variables.extend([
            (ASSUME, lab.role_arn("there")),
            ("AWS_REGION", lab.region().to_owned()),
            ("AWS_ENDPOINT_URL_STS", lab.sts_url()),
        ]);
        variables
    });
    assert!(
        outcome.starts_with("OUTCOME logged in from role arn:"),
        "{outcome}"
    );
    assert!(
        outcome.ends_with("role/there through environment"),
        "{outcome}"
    );
}

#[test]
fn no_source_and_a_dead_source_are_told_apart() {
    let nothing = run_route("*", |_, _| {
        vec![("AWS_EC2_METADATA_DISABLED", "true".to_owned())]
    });
    assert!(
        nothing.starts_with("OUTCOME failed: credentials_missing"),
        "{nothing}"
    );
    let dead = run_route("*", |lab, _| {
        let refused = EndpointHealth::Status(429);
        lab.faults().set_endpoint(Service::Container, refused);
        container(lab)
    });
    assert!(dead.starts_with("OUTCOME failed: credentials_"), "{dead}");
    assert!(!dead.contains("credentials_missing"), "{dead}");
}

#[test]
fn a_wrong_clock_is_named_with_its_size() {
    for (minutes, side) in [(16, "behind"), (-16, "ahead of")] {
        let outcome = run_route("*:role/*", |lab, _| {
            lab.faults().shift_clock(SignedDuration::from_mins(minutes));
            container(lab)
        });
        assert!(
            outcome.starts_with("OUTCOME failed: clock_skew"),
            "{outcome}"
        );
        assert!(
            outcome.contains(&format!("16 min {side} that of 127.0.0.1")),
            "{outcome}"
        );
    }
}

fn container(lab: &Lab) -> Vec<(&'static str, String)> {
    let authorization = lab.container_authorization().to_owned();
    vec![
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", lab.container_url()),
        ("AWS_CONTAINER_AUTHORIZATION_TOKEN", authorization),
    ]
}

fn plain_keys(lab: &Lab) -> Vec<(&'static str, String)> {
    let key = lab.static_credentials();
    vec![
        ("AWS_ACCESS_KEY_ID", key.access_key_id.clone()),
        ("AWS_SECRET_ACCESS_KEY", key.secret_access_key.clone()),
    ]
}

fn write(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

/// Starts a lab, prepares an environment, runs the child in it, and returns its outcome line.
pub(crate) fn run_route(
    principal: &str,
    environment: impl FnOnce(&Lab, &Path) -> Vec<(&'static str, String)>,
) -> String {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let lab = lab_without_policy(LabOptions::new(clock())).await;
        lab.allow_connect(principal, USER);
        let folder = TempDir::new().unwrap();
        let variables: HashMap<_, _> = environment(&lab, folder.path()).into_iter().collect();
        let ca = lab.ca_file().to_str().unwrap();
        let target = format!("{}\n{}\n{ca}", lab.endpoint(), lab.address().port());
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .args(["--exact", CHILD, "--nocapture"])
            .env_clear()
            .env("HOME", folder.path())
            .env("PATH", "/usr/bin:/bin")
            .envs(variables)
            .env(TARGET, target);
        let output = tokio::task::spawn_blocking(move || command.output())
            .await
            .unwrap();
        let output = output.unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{text}\n{errors}");
        lab.stop().await;
        let outcome = text.lines().find(|line| line.starts_with("OUTCOME"));
        assert!(outcome.is_some(), "no outcome in {text}");
        outcome.unwrap_or_default().to_owned()
    })
}

/// A buffer that every log line of the process goes to.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn log_in_and_search_the_logs(host: &str, port: u16, ca: &str, settings: ChainSettings) -> String {
    let lines = Lines::default();
    let writer = lines.clone();
    tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_writer(move || writer.clone())
        .with_ansi(false)
        .finish()
        .init();
    let chain = CredentialChain::new(settings, clock());
    let cache = Arc::new(CredentialCache::new(Arc::new(chain), clock()));
    let secret = LoginSecret::Iam(IamConfig {
        region: None,
        sign_host: None,
        sign_port: None,
        credentials: Arc::clone(&cache),
    });
    let mut config = LoginConfig::new(host, port, "sal", USER, secret);
    config.host_address = Some([127, 0, 0, 1].into());
    config.tls.authorities = Authorities::File(ca.into());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let (outcome, secrets) = runtime.block_on(async {
        let connector = connector(config);
        let outcome = match connector.connect().await {
            Ok(_) => {
                let credentials = connector.status().credentials.unwrap();
                format!("logged in from {}", credentials.source.unwrap())
            }
            Err(error) => {
                let explanation = error.explain();
                return (
                    format!("failed: {} {explanation}", explanation.code),
                    Vec::new(),
                );
            }
        };
        let fetched = cache.get().await.unwrap();
        let keys = &fetched.credentials;
        let mut secrets = vec![keys.secret_access_key().expose().to_owned()];
        secrets.extend(keys.session_token().map(|token| token.expose().to_owned()));
        (outcome, secrets)
    });
    search(&lines, &outcome, &secrets);
    outcome
}

fn search(lines: &Lines, outcome: &str, secrets: &[String]) {
    let text = String::from_utf8_lossy(&lines.0.lock().unwrap()).into_owned();
    let logged_in = !outcome.starts_with("failed");
    // The driver says its own part through the `log` facade, so this is proof that both are seen.
    assert!(
        !logged_in || text.contains("clock_timestamp"),
        "the driver's lines are missing"
    );
    for secret in secrets
        .iter()
        .map(String::as_str)
        .chain(["X-Amz-Signature="])
    {
        let line = text.lines().find(|line| line.contains(secret));
        assert!(line.is_none(), "a secret in the log: {line:?}");
    }
}
