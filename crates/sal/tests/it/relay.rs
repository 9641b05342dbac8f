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
pub(crate) async fn relay(settings: &Settings, arguments: &[&str]) -> (Child, String) {
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
pub(crate) fn python() -> PathBuf {
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
    let (mut child, first) = relay(&stage.settings(), &[&door, "--drain", "1"]).await;
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

/// A relay with a TCP door and health, and what it has written so far.
struct Running {
    child: Child,
    port: u16,
    health: String,
    log: tokio::sync::watch::Receiver<String>,
}

impl Running {
    /// It is told to end, and does.
    async fn quits(&mut self) {
        let answer = self.asked("POST /quitquitquit", "").await;
        assert!(answer.contains("200 OK"), "{answer}");
        let ended = tokio::time::timeout(crate::stage::PATIENCE, self.child.wait()).await;
        assert_eq!(ended.unwrap().unwrap().code(), Some(0));
    }

    /// With so many open files at most.
    async fn start(files: u32, stage: &Stage) -> Self {
        Self::start_with(files, &[], stage).await
    }

    async fn start_with(files: u32, more: &[&str], stage: &Stage) -> Self {
        let settings = stage.settings().with("SAL_RELAY_PASSWORD", LOCAL_PASSWORD);
        let door = format!(
            "127.0.0.1:0={}:{}",
            stage.lab.endpoint(),
            stage.lab.address().port()
        );
        let mut command = settings.command_named("bash");
        let script = format!("ulimit -n {files} && exec \"$@\"");
        command.args(["-c", &script, "bash", crate::stage::SAL, "relay", &door]);
        command.args(["--health", "127.0.0.1:0", "--max-connections", "10"]);
        command.args(more);
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let (written, log) = tokio::sync::watch::channel(String::new());
        #[expect(clippy::disallowed_methods, reason = "reads until the child ends")]
        tokio::spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                written.send_modify(|log| log.push_str(&format!("{line}\n")));
            }
        });
        until("the relay", async || log.borrow().contains("/readyz")).await;
        let said = log.borrow().clone();
        let after = |mark: &str| said.split_once(mark).unwrap().1.to_owned();
        let port = after("listens on 127.0.0.1:");
        Self {
            child,
            port: port.split(' ').next().unwrap().parse().unwrap(),
            health: after("health is at http://")
                .split('/')
                .next()
                .unwrap()
                .to_owned(),
            log,
        }
    }

    async fn psql(&self, password: &str) -> std::process::Output {
        let mut command = Command::new("psql");
        command
            .args(["-XAtqw", "-c", "SELECT current_user", "-d"])
            .arg(format!(
                "host=127.0.0.1 port={} dbname=sal user={USER}",
                self.port
            ))
            .env("PGPASSWORD", password)
            .env("PGCONNECT_TIMEOUT", "15");
        command.output().await.unwrap()
    }

    async fn serves(&self) -> bool {
        let output = self.psql(LOCAL_PASSWORD).await;
        output.status.success() && output.stdout.starts_with(b"sal\n")
    }

    async fn health(&self, path: &str) -> String {
        self.asked(&format!("GET {path}"), "").await
    }

    /// A request with more header lines, and the answer.
    async fn asked(&self, what: &str, more: &str) -> String {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let mut stream = tokio::net::TcpStream::connect(&self.health).await.unwrap();
        let request = format!(
            "{what} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\n{more}\r\n"
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap_or_default();
        answer
    }
}

const LOCAL_PASSWORD: &str = "the-l0cal-password-of-the-relay";

#[tokio::test]
async fn an_application_that_ends_beside_it_gets_a_connection_for_each_last_request() {
    let stage = Stage::set().await;
    let mut running = Running::start(1000, &stage).await;
    assert!(running.health("/readyz").await.contains("200 OK"));
    crate::server::signal(running.child.id().unwrap(), "TERM").await;
    until("the drain", async || {
        running.health("/readyz").await.contains("503")
    })
    .await;
    for _ in 0..3 {
        assert!(running.serves().await, "{}", *running.log.borrow());
    }
    // It has ended, and says so.
    running.quits().await;
}

#[tokio::test]
async fn a_job_ends_its_relay_and_pages_and_mistakes_do_not() {
    let stage = Stage::set().await;
    let mut running = Running::start(1000, &stage).await;
    for (what, more, status) in [
        ("GET /quitquitquit", "", "405"),
        (
            "POST /quitquitquit",
            "Origin: https://evil.example\r\n",
            "403",
        ),
        (
            "POST /quitquitquit",
            "Sec-Fetch-Site: cross-site\r\n",
            "403",
        ),
    ] {
        let answer = running.asked(what, more).await;
        assert!(answer.contains(status), "{what} {more}: {answer}");
    }
    assert!(running.serves().await);
    running.quits().await;
}

#[tokio::test]
async fn a_relay_whose_login_is_refused_is_not_ready_before_anybody_came() {
    let stage = Stage::set().await;
    stage.lab.revoke_connect(&stage.lab.task_role_arn());
    let running = Running::start(1000, &stage).await;
    let ready = running.health("/readyz").await;
    assert!(
        ready.contains("503") && ready.contains("rds-db:connect"),
        "{ready}"
    );
}

/// Nobody comes: only the relay's own logins can tell.
#[tokio::test]
async fn a_relay_that_checks_knows_that_its_role_may_not_log_in_any_more() {
    let stage = Stage::set().await;
    let running = Running::start_with(1000, &["--check", "1"], &stage).await;
    until("readiness", async || {
        running.health("/readyz").await.contains("200 OK")
    })
    .await;
    stage.run("ALTER ROLE salawsiam NOLOGIN").await;
    until("the end of readiness", async || {
        running.log.borrow().contains("logins do not work")
    })
    .await;
    let ready = running.health("/readyz").await;
    assert!(
        ready.contains("503") && ready.contains("NOLOGIN"),
        "{ready}"
    );
    let wait = [
        "relay",
        "--wait",
        "--wait-timeout=1",
        "--health",
        &running.health,
    ];
    let waited = stage.settings().run(&wait).await;
    assert_eq!(waited.code, Some(1), "{waited:?}");
    assert!(waited.stderr.contains("NOLOGIN"), "{waited:?}");
    stage.run("ALTER ROLE salawsiam LOGIN").await;
    until("readiness again", async || {
        running.health("/readyz").await.contains("200 OK")
    })
    .await;
}

#[tokio::test]
async fn silent_connections_beyond_the_open_files_stop_neither_clients_nor_health() {
    let stage = Stage::set().await;
    let running = Running::start(100, &stage).await;
    let mut held = Vec::new();
    for target in [
        format!("127.0.0.1:{}", running.port),
        running.health.clone(),
    ] {
        for _ in 0..250 {
            // The kernel's queue may be full as well.
            let connecting = tokio::net::TcpStream::connect(&target);
            if let Ok(Ok(stream)) =
                tokio::time::timeout(std::time::Duration::from_millis(200), connecting).await
            {
                held.push(stream);
            }
        }
    }
    assert!(held.len() > 200, "{}", held.len());
    until("a session beside the silent", async || {
        running.serves().await
    })
    .await;
    until("health beside the silent", async || {
        running.health("/livez").await.contains("200 OK")
    })
    .await;
    let ready = running.health("/readyz").await;
    assert!(
        ready.contains("\"doors\"") && ready.contains("\"waiting\""),
        "{ready}"
    );
    let log = running.log.borrow().clone();
    assert!(
        log.matches("no client can be accepted").count() <= 1,
        "{log}"
    );
    assert!(log.contains("the limit on open files"), "{log}");
    drop(held);
    until("the end of the silent", async || {
        running
            .health("/metrics")
            .await
            .contains("sal_relay_waiting 0")
    })
    .await;
    assert!(running.serves().await);
}

#[tokio::test]
async fn a_wrong_password_is_logged_with_its_address_and_never_itself() {
    let stage = Stage::set().await;
    let mut running = Running::start(1024, &stage).await;
    let wrong = running.psql("a-wr0ng-guess").await;
    assert!(!wrong.status.success(), "{wrong:?}");
    until("its line", async || {
        running
            .log
            .borrow()
            .contains("a wrong local password came from 127.0.0.1")
    })
    .await;
    assert!(running.serves().await);
    let metrics = running.health("/metrics").await;
    assert!(
        !metrics.contains("sal_relay_wrong_passwords_total 0"),
        "{metrics}"
    );
    let log = running.log.borrow().clone();
    for secret in ["a-wr0ng-guess", LOCAL_PASSWORD, "X-Amz-Signature"] {
        assert!(!log.contains(secret), "{log}");
    }
    crate::server::signal(running.child.id().unwrap(), "TERM").await;
    assert!(running.child.wait().await.unwrap().success());
}

#[tokio::test]
async fn a_socket_where_others_may_write_is_refused_with_what_to_do() {
    use std::os::unix::fs::PermissionsExt;
    let stage = Stage::set().await;
    let root = tempfile::tempdir().unwrap();
    let mode = |name: &str, mode: u32| {
        let path = root.path().join(name);
        std::fs::create_dir_all(&path).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        path
    };
    let open = mode("open", 0o777);
    let group = mode("group", 0o775);
    mode("movable", 0o777);
    let below = mode("movable/below", 0o700);
    let link = root.path().join("link");
    std::os::unix::fs::symlink(&open, &link).unwrap();
    for (folder, named) in [
        (&open, &open),
        (&group, &group),
        (&below, &root.path().join("movable")),
        (&link, &open),
    ] {
        let door = format!("unix:{}={}:5432", folder.display(), stage.lab.endpoint());
        let refused = stage.settings().run(&["relay", &door]).await;
        assert_eq!(refused.code, Some(1), "{refused:?}");
        let words = format!("others may write in `{}`", named.display());
        assert!(
            refused.stderr.contains(&words) && refused.stderr.contains("chmod go-w"),
            "{refused:?}"
        );
        assert!(!folder.join(".s.PGSQL.5432").exists());
    }
    // What the relay makes itself is its own.
    let made = root.path().join("made/by/relay");
    let door = format!(
        "unix:{}={}:{}",
        made.display(),
        stage.lab.endpoint(),
        stage.lab.address().port()
    );
    let (mut child, first) = relay(&stage.settings(), &[&door]).await;
    assert!(first.contains("listens on"), "{first}");
    assert_eq!(
        std::fs::metadata(&made).unwrap().permissions().mode() & 0o777,
        0o700
    );
    crate::server::signal(child.id().unwrap(), "TERM").await;
    assert!(child.wait().await.unwrap().success());
}
