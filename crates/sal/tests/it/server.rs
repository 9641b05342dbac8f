//! `sal serve` as a child process: its log as it grows, its address, signals.

use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use reqwest::StatusCode;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, ChildStderr, Command};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::stage::{PATIENCE, Settings, until};

/// A running server; killed when dropped.
pub(crate) struct Server {
    /// `http://127.0.0.1:port`; empty before [`Server::ready`].
    pub(crate) url: String,
    /// Follows no redirects.
    pub(crate) http: reqwest::Client,
    child: Child,
    pid: u32,
    log: watch::Receiver<String>,
    readers: JoinSet<()>,
}

impl Server {
    /// Starts a server and waits until it says that it is ready.
    pub(crate) async fn start(settings: &Settings) -> Self {
        let mut server = Self::launch(settings);
        server.ready().await;
        server
    }

    /// Starts a server.
    pub(crate) fn launch(settings: &Settings) -> Self {
        let mut child = settings
            .command(&["serve", "--listen", "127.0.0.1:0"])
            .env("SAL_STATUS_TOKEN", STATUS_TOKEN)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (written, log) = watch::channel(String::new());
        let mut readers = JoinSet::new();
        readers.spawn(read(child.stderr.take().unwrap(), written));
        let http = reqwest::Client::builder()
            .timeout(PATIENCE)
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        Self {
            url: String::new(),
            http,
            pid: child.id().unwrap(),
            child,
            log,
            readers,
        }
    }

    /// Waits for the line that says where the server listens.
    pub(crate) async fn ready(&mut self) {
        const READY: &str = "sal is ready on ";
        self.logged(READY).await;
        let log = self.log();
        // A log of JSON has it as the message of an object.
        let (_, after) = log.split_once(READY).unwrap();
        let url = after.split(['"', '\n']).next().unwrap();
        self.url = url.to_owned();
    }

    /// Waits until the log holds a text.
    pub(crate) async fn logged(&self, text: &str) {
        self.logged_times(text, 1).await;
    }

    /// Waits until the log holds a text so many times.
    pub(crate) async fn logged_times(&self, text: &str, times: usize) {
        let mut log = self.log.clone();
        let found = log.wait_for(|log| log.matches(text).count() >= times);
        let waited = tokio::time::timeout(PATIENCE, found).await;
        let is_there = waited.is_ok_and(|ended| ended.is_ok());
        assert!(is_there, "`{text}` is not in the log:\n{}", self.log());
    }

    /// Everything on stderr so far.
    pub(crate) fn log(&self) -> String {
        self.log.borrow().clone()
    }

    /// How many connections the server has noticed to be gone.
    pub(crate) fn lost(&self) -> usize {
        self.log().matches(LOST).count()
    }

    /// Waits until the server has noticed that so many connections are gone.
    pub(crate) async fn noticed(&self, lost: usize) {
        self.logged_times(LOST, lost).await;
    }

    pub(crate) async fn get(&self, path: &str) -> reqwest::Response {
        let url = format!("{}{path}", self.url);
        self.http.get(url).send().await.unwrap()
    }

    /// Asks as a scraper does, with the token.
    pub(crate) async fn status(&self, path: &str) -> reqwest::Response {
        let url = format!("{}{path}", self.url);
        let asked = self.http.get(url).bearer_auth(STATUS_TOKEN);
        asked.send().await.unwrap()
    }

    /// What `/readyz` says, whatever its status.
    pub(crate) async fn readiness(&self) -> (StatusCode, serde_json::Value) {
        let answer = self.status("/readyz").await;
        let status = answer.status();
        let text = answer.text().await.unwrap();
        (status, serde_json::from_str(&text).unwrap())
    }

    /// Waits until the server can have a database connection.
    pub(crate) async fn recovered(&self) {
        until("readiness", async || {
            self.get("/readyz").await.status() == StatusCode::OK
        })
        .await;
    }

    /// The server's memory, as Linux tells it (proc(5), `statm`, pages of 4 KiB).
    pub(crate) fn resident_mib(&self) -> u64 {
        let text = std::fs::read_to_string(format!("/proc/{}/statm", self.pid)).unwrap();
        let pages = text.split_ascii_whitespace().nth(1).unwrap();
        pages.parse::<u64>().unwrap() / 256
    }

    /// Sends a signal, by its name in kill(1).
    pub(crate) async fn signal(&self, name: &str) {
        signal(self.pid, name).await;
    }

    /// Waits for the end; the log is complete afterwards.
    pub(crate) async fn ended(&mut self) -> ExitStatus {
        let Ok(status) = tokio::time::timeout(PATIENCE, self.child.wait()).await else {
            panic!("the server did not end:\n{}", self.log());
        };
        let read = tokio::time::timeout(PATIENCE, self.readers.join_next());
        assert!(read.await.is_ok(), "somebody still holds the server's log");
        status.unwrap()
    }

    /// Asks the server to stop, and waits until it did.
    pub(crate) async fn stop(&mut self) -> ExitStatus {
        self.signal("TERM").await;
        self.ended().await
    }

    /// Kills the server.
    pub(crate) async fn kill(&mut self) {
        self.signal("KILL").await;
        self.ended().await;
    }
}

async fn read(stderr: ChildStderr, log: watch::Sender<String>) {
    let mut lines = BufReader::new(stderr).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        log.send_modify(|log| {
            log.push_str(&line);
            log.push('\n');
        });
    }
}

/// Sends a signal through kill(1): doing it directly needs unsafe code.
pub(crate) async fn signal(pid: u32, name: &str) {
    let kill = Command::new("kill")
        .args(["-s", name, &pid.to_string()])
        .status();
    assert!(kill.await.unwrap().success());
}

/// What the server says of a connection that ended without its doing.
const LOST: &str = "a database connection was lost";
/// How long a check-in may take before the client counts it as lost.
pub(crate) const CHECKIN_PATIENCE: Duration = PATIENCE;

const STATUS_TOKEN: &str = "the-token-of-the-tests";
