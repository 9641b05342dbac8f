//! haproxy in front of the replicas, as `docs/guides/replicas.md` sets it up: health by `/readyz`, another replica when
//! one takes no connection, nothing sent twice.

use std::fmt::Write as _;
use std::net::{Ipv4Addr, TcpListener};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::Stdio;

use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::process::{Child, Command};

use crate::server::Server;
use crate::stage::until;

/// A running haproxy; killed when dropped.
pub(crate) struct Balancer {
    /// `http://127.0.0.1:port`.
    pub(crate) url: String,
    folder: TempDir,
    _child: Child,
}

impl Balancer {
    /// Starts it in front of some replicas, and waits until it holds all of them for healthy.
    pub(crate) async fn start(servers: &[Server]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        // It inherits its listener, so that nobody has to guess a free port.
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let configuration = folder.path().join("haproxy.cfg");
        let socket = folder.path().join("admin.sock");
        let mut text = CONFIGURATION.replace("SOCKET", socket.to_str().unwrap());
        for (number, server) in servers.iter().enumerate() {
            let address = server.url.trim_start_matches("http://");
            writeln!(text, "    server r{number} {address} check").unwrap();
        }
        std::fs::write(&configuration, text).unwrap();
        let program = PLACES.iter().find(|place| Path::new(place).is_file());
        let program = program.unwrap_or_else(|| {
            panic!("no haproxy at {PLACES:?}; `./dev test` installs it (need_haproxy)")
        });
        let mut command = Command::new(program);
        command
            .args(["-db", "-f"])
            .arg(&configuration)
            .env_clear()
            .stdin(Stdio::from(OwnedFd::from(listener)))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true);
        let child = command.spawn().unwrap();
        let balancer = Self {
            url,
            folder,
            _child: child,
        };
        until("healthy replicas", async || {
            balancer.healthy().await == servers.len()
        })
        .await;
        balancer
    }

    /// A replica came back at another port.
    pub(crate) async fn lead_to(&self, number: usize, server: &Server) {
        let port = server.url.rsplit(':').next().unwrap();
        self.order(&format!(
            "set server replicas/r{number} addr 127.0.0.1 port {port}"
        ))
        .await;
    }

    /// How many replicas get requests.
    async fn healthy(&self) -> usize {
        let lines = self.order("show stat").await;
        let is_up = |line: &&str| line.starts_with("replicas,r") && line.contains(",UP,");
        lines.lines().filter(is_up).count()
    }

    async fn order(&self, order: &str) -> String {
        let socket = self.folder.path().join("admin.sock");
        let Ok(mut stream) = UnixStream::connect(socket).await else {
            return String::new();
        };
        let mut answer = String::new();
        stream
            .write_all(format!("{order}\n").as_bytes())
            .await
            .unwrap();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }
}

/// Where Debian and Homebrew put it.
const PLACES: &[&str] = &[
    "/usr/sbin/haproxy",
    "/opt/homebrew/bin/haproxy",
    "/usr/local/bin/haproxy",
];

const CONFIGURATION: &str = "\
global
    stats socket SOCKET level admin
defaults
    mode http
    timeout connect 1s
    timeout client 30s
    timeout server 30s
    retries 3
    option redispatch 1
    option forwardfor
frontend sal
    bind fd@0
    default_backend replicas
backend replicas
    balance roundrobin
    option httpchk GET /readyz
    default-server inter 500ms fall 3 rise 1
";
