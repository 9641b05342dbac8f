//! `sal relay` as its users run it: a program of many short connections, while everything upstream changes.

use std::path::PathBuf;
use std::process::Stdio;

use rds_lab::{AuthHealth, EndpointHealth, Service};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::stage::{Settings, Stage, USER, until};

const WORKLOAD: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/relay_workload.py");

/// Starts a relay on a unix socket, and waits until it listens.
async fn relay(settings: &Settings, arguments: &[&str]) -> (Child, String) {
    let mut child = settings
        .command(&[&["relay"], arguments].concat())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let first = lines.next_line().await.unwrap().unwrap_or_default();
    let (written, log) = tokio::sync::watch::channel(String::new());
    #[expect(clippy::disallowed_methods, reason = "reads until the child ends")]
    tokio::spawn(async move {
        while let Ok(Some(line)) = lines.next_line().await {
            written.send_modify(|log| log.push_str(&line));
        }
    });
    drop(log);
    (child, first)
}

/// psycopg; a missing one is a failure, never a test left out.
fn python() -> PathBuf {
    #[expect(
        clippy::disallowed_methods,
        reason = "a test finds what `./dev test` installed"
    )]
    let root = std::env::var_os("SAL_TESTS_PYTHON")
        .map_or_else(|| PathBuf::from("/var/tmp/sal-tests-python"), PathBuf::from);
    let path = root.join("bin/python");
    assert!(
        path.exists(),
        "{} is missing; `./dev test` installs it",
        path.display()
    );
    path
}

#[tokio::test]
async fn django_like_connections_survive_expiry_outage_and_restart() {
    let mut stage = Stage::set().await;
    stage
        .run("CREATE TABLE visits (n bigint); ALTER TABLE visits OWNER TO sal")
        .await;
    let folder = tempfile::tempdir().unwrap();
    let door = format!(
        "unix:{}={}:{}",
        folder.path().display(),
        stage.lab.endpoint(),
        stage.lab.address().port()
    );
    let (mut child, first) = relay(&stage.settings(), &[&door, "--drain", "5"]).await;
    assert!(first.contains("listens on"), "{first}");
    let mut workload = Command::new(python())
        .args([WORKLOAD, &folder.path().display().to_string(), USER, "sal"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    everything_changes(&mut stage).await;
    drop(workload.stdin.take());
    let output = workload.wait_with_output().await.unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let (written, doubtful) = (
        report["written"].as_u64().unwrap(),
        report["doubtful"].as_u64().unwrap(),
    );
    let stored = visits(&stage).await;
    assert!(
        (written..=written + doubtful).contains(&stored),
        "{stored} stored, {report}"
    );
    assert_eq!(
        report["strange"],
        Value::Array(Vec::new()),
        "every failure is a Postgres error: {report}"
    );
    assert!(report["written"].as_u64().unwrap() > 240, "{report}");
    crate::server::signal(child.id().unwrap(), "TERM").await;
    assert!(child.wait().await.unwrap().success());
    assert!(!folder.path().join(".s.PGSQL.5432").exists());
}

async fn visits(stage: &Stage) -> u64 {
    stage
        .value("SELECT count(*) FROM visits")
        .await
        .parse()
        .unwrap()
}

/// Waits until the workload has been through some more connections.
async fn more(stage: &Stage) {
    let before = visits(stage).await;
    until("more visits", async || visits(stage).await > before + 40).await;
}

/// Tokens, credentials, their source, the service that checks them, the connections, the server.
async fn everything_changes(stage: &mut Stage) {
    more(stage).await;
    // Tokens: each of the connections so far had its own. Credentials: all of them end, new ones are fetched.
    stage.lab.faults().expire_credentials();
    more(stage).await;
    // The source of credentials is away: what is cached goes on.
    stage
        .lab
        .faults()
        .set_endpoint(Service::Container, EndpointHealth::Down);
    more(stage).await;
    stage
        .lab
        .faults()
        .set_endpoint(Service::Container, EndpointHealth::Up);
    // The service that checks tokens fails for a moment, all connections are cut, the server restarts.
    stage.lab.faults().set_auth(AuthHealth::Unavailable);
    let failures = stage.lab.metrics().failure;
    until("a refusal", async || stage.lab.metrics().failure > failures).await;
    stage.lab.faults().set_auth(AuthHealth::Healthy);
    more(stage).await;
    stage.lab.cut_connections();
    more(stage).await;
    stage.lab.crash_postgres().await;
    stage.lab.restart_postgres().await.unwrap();
    more(stage).await;
}

#[tokio::test]
async fn check_wait_and_mistakes_say_what_they_should() {
    let stage = Stage::set().await;
    let settings = stage.settings();
    let checked = settings.run(&["relay", "--check"]).await;
    assert_eq!(checked.code, Some(0), "{checked:?}");
    assert!(checked.stdout.contains("ok       salawsiam"), "{checked:?}");
    stage.lab.revoke_connect(&stage.lab.task_role_arn());
    let refused = settings.run(&["relay", "--check"]).await;
    assert_eq!(refused.code, Some(3), "{refused:?}");
    assert!(refused.stdout.contains("rds-db:connect"), "{refused:?}");
    let open = settings.run(&["relay"]).await;
    assert_eq!(open.code, Some(2), "{open:?}");
    assert!(open.stderr.contains("SAL_RELAY_PASSWORD"), "{open:?}");
    let wide = settings
        .clone()
        .with("SAL_RELAY_PASSWORD", "x")
        .run(&["relay", "0.0.0.0:0=db:5432"])
        .await;
    assert_eq!(wide.code, Some(2), "{wide:?}");
    assert!(wide.stderr.contains("TLS only"), "{wide:?}");
    let nobody = settings
        .run(&[
            "relay",
            "--wait",
            "--health",
            "127.0.0.1:1",
            "--wait-timeout",
            "1",
        ])
        .await;
    assert_eq!(nobody.code, Some(1), "{nobody:?}");
}
