//! One way to the same database, and what is measured on it.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result, bail};
use tokio::process::Command;
use tokio::time::Instant;

use crate::cli::BenchRelay;

/// How many clients of pgbench there are at once. The first is one, which has the latency.
pub(super) const CLIENTS: [u16; 3] = [1, 16, 64];

/// Who is in between.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// Nobody: the first, which all others are compared with.
    Direct,
    RelayTcp,
    RelaySocket,
    Bouncer,
}

/// One way to the database.
pub(super) struct Route {
    pub(super) way: Way,
    /// A libpq connection string.
    pub(super) target: String,
    pub(super) password: String,
    pub(super) rounds: Vec<Round>,
}

/// What one round measured.
pub(super) struct Round {
    /// Megabytes a second.
    pub(super) copy_out: f64,
    pub(super) copy_in: f64,
    /// Of one client.
    pub(super) p50_ms: f64,
    /// Transactions a second, by [`CLIENTS`].
    pub(super) tps: [f64; CLIENTS.len()],
}

/// Where the client programs are, and a folder for what they write.
pub(super) struct Tools {
    pub(super) programs: PathBuf,
    pub(super) folder: PathBuf,
}

impl Way {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Direct => "direct TLS",
            Self::RelayTcp => "relay",
            Self::RelaySocket => "relay, socket",
            Self::Bouncer => "pgbouncer",
        }
    }
}

impl Route {
    pub(super) fn new(way: Way, target: String, password: String) -> Self {
        Self {
            way,
            target,
            password,
            rounds: Vec::new(),
        }
    }

    /// Makes the tables, and the file that COPY reads.
    pub(super) async fn fill(&self, tools: &Tools, megabytes: u32) -> Result<()> {
        self.run(tools, "pgbench", &["-i", "-q", "-s", "10"])
            .await?;
        let rows = megabytes.saturating_mul(1024);
        let wide = format!(
            "CREATE UNLOGGED TABLE wide AS SELECT g AS id, repeat(md5(g::text), 32) AS text FROM generate_series(1, {rows}) g"
        );
        let taken = "CREATE UNLOGGED TABLE taken (LIKE wide)";
        let file = format!("\\copy wide TO '{}'", tools.copied().display());
        self.run(tools, "psql", &["-Xqc", &wide, "-c", taken, "-c", &file])
            .await?;
        Ok(())
    }

    /// One round: COPY out and in, the latency of one client, and the throughput of one and of many.
    pub(super) async fn once(&mut self, tools: &Tools, arguments: &BenchRelay) -> Result<()> {
        let copy_out = self
            .copied(tools, "\\copy wide TO '/dev/null'", arguments)
            .await?;
        self.run(tools, "psql", &["-Xqc", "TRUNCATE taken"]).await?;
        let file = format!("\\copy taken FROM '{}'", tools.copied().display());
        let copy_in = self.copied(tools, &file, arguments).await?;
        let mut tps = [f64::NAN; CLIENTS.len()];
        let mut p50_ms = f64::NAN;
        for (clients, tps) in CLIENTS.into_iter().zip(&mut tps) {
            *tps = self.selects(clients, tools, arguments).await?;
            if clients == 1 {
                p50_ms = median_of_logs(&tools.folder)?;
            }
        }
        self.rounds.push(Round {
            copy_out,
            copy_in,
            p50_ms,
            tps,
        });
        Ok(())
    }

    /// Megabytes a second of this command of psql.
    async fn copied(&self, tools: &Tools, command: &str, arguments: &BenchRelay) -> Result<f64> {
        let started = Instant::now();
        self.run(tools, "psql", &["-Xqc", command]).await?;
        Ok(f64::from(arguments.megabytes) / started.elapsed().as_secs_f64())
    }

    /// Select-only transactions a second. One client logs how long each took.
    async fn selects(&self, clients: u16, tools: &Tools, arguments: &BenchRelay) -> Result<f64> {
        let (count, seconds) = (clients.to_string(), arguments.seconds.to_string());
        let prefix = format!("--log-prefix={}", tools.folder.join("latency").display());
        let usual = ["-S", "-n", "-M", "prepared", "-T", &seconds, "-c", &count];
        let more: &[&str] = if clients == 1 {
            &["-l", &prefix]
        } else {
            &["-j", "2"]
        };
        let said = self
            .run(tools, "pgbench", &[usual.as_slice(), more].concat())
            .await?;
        number_behind(&said, "tps = ").context("pgbench's tps")
    }

    pub(super) async fn run(
        &self,
        tools: &Tools,
        program: &str,
        arguments: &[&str],
    ) -> Result<String> {
        // Client programs may be elsewhere than the server's.
        let beside = tools.programs.join(program);
        let path = if beside.exists() {
            beside
        } else {
            PathBuf::from(program)
        };
        let mut command = Command::new(path);
        match program {
            // pgbench takes the connection string as the database's name.
            "pgbench" => command.args(arguments).arg(&self.target),
            _ => command.arg("-d").arg(&self.target).args(arguments),
        };
        command
            .env("PGPASSWORD", &self.password)
            .env("PGGSSENCMODE", "disable")
            .stdin(Stdio::null())
            .kill_on_drop(true);
        let output = command
            .output()
            .await
            .with_context(|| format!("starting {program}"))?;
        if !output.status.success() {
            bail!(
                "{program} by {}: {}",
                self.way.name(),
                String::from_utf8_lossy(&output.stderr)
            );
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }
}

impl Tools {
    /// What COPY reads.
    fn copied(&self) -> PathBuf {
        self.folder.join("wide.copy")
    }
}

fn number_behind(text: &str, label: &str) -> Option<f64> {
    let (_, rest) = text.split_once(label)?;
    rest.split_whitespace().next()?.parse().ok()
}

/// The third column of pgbench's log is a transaction's time in microseconds.
fn median_of_logs(folder: &Path) -> Result<f64> {
    let mut times = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path
            .file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with("latency"))
        {
            let text = std::fs::read_to_string(&path)?;
            times.extend(
                text.lines()
                    .filter_map(|line| line.split(' ').nth(2)?.parse::<f64>().ok()),
            );
            std::fs::remove_file(&path)?;
        }
    }
    times.sort_by(f64::total_cmp);
    let middle = times
        .get(times.len() / 2)
        .context("pgbench's log is empty")?;
    Ok(middle / 1000.0)
}
