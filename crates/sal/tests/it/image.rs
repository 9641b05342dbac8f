//! The container image as it is run: read-only, without rights, in little memory, against a Postgres dressed as RDS.
//!
//! `./dev test` builds it before the tests where containers can be run (`SAL_TESTS_IMAGE` is its tag, and
//! `SAL_TESTS_CONTAINERS_CONF` what Podman needs there); elsewhere it says so.

use std::path::PathBuf;
use std::process::{Output, Stdio};
use std::sync::Arc;

use fake_fleet::Client;
use fake_fleet::hostile::unpacking_inventory;
use serde_json::Value;
use tokio::process::Command;
use tokio::task::JoinSet;

use crate::checkins::{Content, Macs};
use crate::stage::{KEY, PATIENCE, Settings, Stage, until};

/// The image under test.
#[expect(
    clippy::disallowed_methods,
    reason = "./dev test says what it has built"
)]
fn image() -> Option<String> {
    std::env::var("SAL_TESTS_IMAGE")
        .ok()
        .filter(|tag| !tag.is_empty())
}

#[expect(
    clippy::disallowed_methods,
    reason = "./dev test says what this machine needs"
)]
fn podman() -> Command {
    let mut command = Command::new("podman");
    if let Some(file) = std::env::var_os("SAL_TESTS_CONTAINERS_CONF") {
        command.env("CONTAINERS_CONF", file);
    }
    command.kill_on_drop(true).stdin(Stdio::null());
    command
}

async fn asked(arguments: &[&str]) -> Output {
    let output = podman().args(arguments).output();
    let output = tokio::time::timeout(PATIENCE, output).await;
    output
        .unwrap_or_else(|_| panic!("podman {arguments:?} did not end"))
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim().to_owned()
}

/// Runs the image to its end with these arguments.
async fn run(tag: &str, arguments: &[&str]) -> Output {
    asked(&[&["run", "--rm", "--network=none", tag], arguments].concat()).await
}

/// A container; gone when dropped.
struct Container {
    name: String,
}

impl Container {
    /// As a careful administrator starts it, on this machine's own network: the lab listens on loopback.
    async fn start(tag: &str, name: &str, settings: &Settings, more: &[&str]) -> Self {
        let name = format!("sal-test-{name}-{}", std::process::id());
        let environment: Vec<_> = settings
            .all()
            .map(|(name, value)| format!("--env={name}={value}"))
            .collect();
        let mut command = podman();
        command
            .args(["run", "--detach", "--name", &name, "--network=host"])
            .args(["--read-only", "--read-only-tmpfs=false", "--cap-drop=all"])
            .args(["--security-opt=no-new-privileges", "--memory=128m"])
            .args(environment)
            .args(more)
            .arg(tag);
        let started = command.output().await.unwrap();
        assert!(started.status.success(), "{}", text(&started.stderr));
        Self { name }
    }

    async fn log(&self) -> String {
        let log = asked(&["logs", &self.name]).await;
        text(&log.stdout) + &text(&log.stderr)
    }

    /// Where it says that it is ready.
    async fn ready(&self) -> String {
        const READY: &str = "sal is ready on ";
        until("the container's readiness", async || {
            self.log().await.contains(READY)
        })
        .await;
        let log = self.log().await;
        let line = log.lines().find_map(|line| line.strip_prefix(READY));
        line.unwrap().to_owned()
    }

    async fn inside(&self, arguments: &[&str]) -> Output {
        asked(&[&["exec", &self.name], arguments].concat()).await
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        let mut command = std::process::Command::new("podman");
        let _gone = command
            .args(["rm", "--force", "--time=0", &self.name])
            .output();
    }
}

/// The image's certificate file and nothing else of the machine's.
fn mounted(settings: Settings) -> (Settings, String) {
    let file = settings.value("DB_SSLROOTCERT").to_owned();
    (
        settings.with("DB_SSLROOTCERT", "/ca.pem"),
        format!("--volume={file}:/ca.pem:ro"),
    )
}

#[tokio::test]
async fn the_image_logs_in_with_iam_read_only_and_without_rights_and_drains() {
    let Some(tag) = image() else { return };
    let stage = Stage::set().await;
    let (settings, volume) = mounted(stage.settings());
    let settings = settings.with("SAL_LISTEN", "127.0.0.1:18000");
    // The lab's certificate file belongs to whoever runs this.
    let container = Container::start(&tag, "iam", &settings, &[&volume]).await;
    let url = container.ready().await;
    stage.make_group().await;
    let macs = Macs::new(1);
    assert_eq!(macs.check_in_at(&url, 0, 0).await, 200);
    let checkin = macs.checkin(0, 0);
    let stored = Content::stored(&checkin.serial, &stage).await;
    assert_eq!(stored, Some(Content::submitted(&checkin)));
    assert_eq!(stage.lab.metrics().failure, 0);

    bulky_ones_are_refused_and_nobody_dies(&url, &checkin.serial).await;
    let well = container.inside(&["sal", "healthcheck"]).await;
    assert!(well.status.success(), "{}", text(&well.stderr));
    let user = container.inside(&["/sal", "db", "check"]).await;
    assert!(
        matches!(user.status.code(), Some(0 | 3)),
        "{}",
        text(&user.stderr)
    );
    let stopped = asked(&["stop", "--time=10", &container.name]).await;
    assert!(stopped.status.success());
    let code = asked(&["inspect", "--format={{.State.ExitCode}}", &container.name]).await;
    assert_eq!(text(&code.stdout), "0", "{}", container.log().await);
    assert!(container.log().await.contains("SIGTERM"));
}

/// Inventories at once, of which each takes more than there is.
async fn bulky_ones_are_refused_and_nobody_dies(url: &str, serial: &str) {
    let client = Arc::new(Client::new(url, KEY, PATIENCE).unwrap());
    // Packed once, and before any request waits for it: packing takes seconds here.
    let inventory = Arc::new(unpacking_inventory(serial, 5 * 1024 * 1024));
    let mut senders = JoinSet::new();
    for _ in 0..10 {
        let (client, inventory) = (Arc::clone(&client), Arc::clone(&inventory));
        senders.spawn(async move {
            let answer = client.submit(&inventory).await;
            answer.map(|outcome| outcome.status)
        });
    }
    while let Some(status) = senders.join_next().await {
        let status = status.unwrap().unwrap();
        assert!(matches!(status, 400 | 503), "{status}");
    }
}

#[tokio::test]
async fn the_command_of_the_originals_container_starts_the_server() {
    let Some(tag) = image() else { return };
    let mut stage = Stage::set().await;
    let (settings, volume) = mounted(stage.password_settings());
    let settings = settings.with("SAL_LISTEN", "127.0.0.1:18001");
    let container = Container::start(
        &tag,
        "run-sh",
        &settings,
        &[&volume, "--entrypoint=/run.sh"],
    )
    .await;
    container.ready().await;
    stage.lab.crash_postgres().await;
    until("the health check's no", async || {
        let asked = container.inside(&["/sal", "healthcheck"]).await;
        asked.status.code() == Some(1)
    })
    .await;
    let alive = container.inside(&["/sal", "healthcheck", "--live"]).await;
    assert!(alive.status.success(), "{}", text(&alive.stderr));
}

#[tokio::test]
async fn nothing_in_the_image_can_fill_or_fake_a_database() {
    let Some(tag) = image() else { return };
    for command in ["lab", "demo", "simulate", "bench"] {
        let ended = run(&tag, &[command]).await;
        assert_eq!(ended.status.code(), Some(2), "{command}");
        assert!(
            text(&ended.stderr).contains("left out of this build"),
            "{}",
            text(&ended.stderr)
        );
    }
    let help = run(&tag, &["--help"]).await;
    assert!(!text(&help.stdout).contains("simulate"));
    let shell = asked(&["run", "--rm", "--entrypoint=/bin/sh", &tag, "-c", "true"]).await;
    assert_ne!(shell.status.code(), Some(0));
}

#[tokio::test]
async fn the_image_says_what_it_is_and_what_is_in_it() {
    let Some(tag) = image() else { return };
    let inspected = asked(&["image", "inspect", &tag]).await;
    let inspected: Value = serde_json::from_slice(&inspected.stdout).unwrap();
    let config = &inspected[0]["Config"];
    assert_eq!(config["User"], "65532:65532");
    assert_eq!(config["Entrypoint"], serde_json::json!(["/sal"]));
    assert!(config["ExposedPorts"]["8000/tcp"].is_object());
    let labels = &config["Labels"];
    assert_eq!(
        labels["org.opencontainers.image.version"],
        env!("CARGO_PKG_VERSION")
    );
    assert_eq!(labels["org.opencontainers.image.licenses"], "Apache-2.0");

    let folder = tempfile::tempdir().unwrap();
    let bill = inside(
        &tag,
        "/usr/share/doc/sal/sbom.cdx.json",
        folder.path().join("sbom.json"),
    )
    .await;
    let bill: Value = serde_json::from_str(&bill).unwrap();
    assert_eq!(bill["bomFormat"], "CycloneDX");
    let components = bill["components"].as_array().unwrap();
    let has = |name: &str| components.iter().any(|one| one["name"] == name);
    assert!(has("tokio-postgres") && has("rustls") && has("rds-iam"));
    assert!(!has("rds-lab") && !has("local-postgres") && !has("fantoccini"));
}

/// A file of the image.
async fn inside(tag: &str, path: &str, to: PathBuf) -> String {
    let made = asked(&["create", tag]).await;
    let id = text(&made.stdout);
    let copied = asked(&["cp", &format!("{id}:{path}"), to.to_str().unwrap()]).await;
    assert!(copied.status.success(), "{}", text(&copied.stderr));
    asked(&["rm", &id]).await;
    std::fs::read_to_string(to).unwrap()
}
