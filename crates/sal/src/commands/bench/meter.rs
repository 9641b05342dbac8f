//! What a piece of work cost: CPU of our server and of Postgres, WAL, statements.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use tokio_postgres::Client;

use super::stage::Stage;

/// Reads the counters of a stage.
pub(super) struct Meter {
    db: Client,
    server: Option<u32>,
    postmaster: PathBuf,
}

/// The counters at one moment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reading {
    /// CPU time of our server; none where the system does not tell.
    pub(super) server: Option<Duration>,
    /// CPU time of Postgres with all its processes.
    pub(super) postgres: Option<Duration>,
    /// Bytes of WAL.
    pub(super) wal_bytes: i64,
    /// Statements that were sent, BEGIN and COMMIT included. Postgres counts its own checks of foreign keys too; they
    /// are left out here, their cost is in the CPU time.
    pub(super) statements: i64,
}

impl Meter {
    pub(super) async fn new(stage: &Stage) -> Result<Self> {
        Ok(Self {
            db: stage.connect_admin().await?,
            server: stage.server_pid(),
            postmaster: stage.postmaster_file(),
        })
    }

    /// Reads all counters.
    pub(super) async fn read(&self) -> Result<Reading> {
        let row = self
            .db
            .query_one(
                "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint,
                        coalesce((SELECT sum(calls)::bigint FROM pg_stat_statements WHERE userid = 'sal'::regrole AND query NOT LIKE 'SELECT _% FROM ONLY %'), 0)",
                &[],
            )
            .await
            .context("reading Postgres's counters")?;
        Ok(Reading {
            server: self.server.and_then(cpu_of),
            postgres: cpu_of_postgres(&self.postmaster),
            wal_bytes: row.get(0),
            statements: row.get(1),
        })
    }

    /// Removes dead rows and writes everything out, so that each cell begins alike.
    pub(super) async fn settle(&self) -> Result<()> {
        for sql in ["VACUUM (ANALYZE)", "CHECKPOINT"] {
            self.db.batch_execute(sql).await.context(sql)?;
        }
        Ok(())
    }
}

/// The most memory that the server had at once, where the system tells.
pub(super) struct Peak {
    /// The server's folder in `/proc`.
    process: Option<PathBuf>,
}

impl Peak {
    pub(super) fn of(stage: &Stage) -> Self {
        let process = stage.server_pid();
        Self {
            process: process.map(|pid| format!("/proc/{pid}").into()),
        }
    }

    /// Sets it to what the server has now, and says how much that is (proc(5), `clear_refs`).
    pub(super) fn forget(&self) -> Option<u64> {
        let process = self.process.as_ref()?;
        // Where it may not be written, the peak is that of the whole run.
        let _ = std::fs::write(process.join("clear_refs"), "5");
        self.kib()
    }

    pub(super) fn kib(&self) -> Option<u64> {
        let status = std::fs::read_to_string(self.process.as_ref()?.join("status")).ok()?;
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:"))?;
        line.trim().trim_end_matches(" kB").parse().ok()
    }
}

/// CPU time of Postgres with all its processes; `postmaster` is the file that names the first one.
pub(super) fn cpu_of_postgres(postmaster: &Path) -> Option<Duration> {
    let postmaster = std::fs::read_to_string(postmaster).ok()?;
    cpu_of_family(postmaster.lines().next()?.trim().parse().ok()?)
}

/// CPU time of a process, as Linux tells it in `/proc/PID/stat` (proc(5)), in steps of 10 ms.
pub(super) fn cpu_of(pid: u32) -> Option<Duration> {
    Some(stat(pid)?.own)
}

/// CPU time of a process, of the children it waited for, and of those that live.
fn cpu_of_family(parent: u32) -> Option<Duration> {
    let head = stat(parent)?;
    let mut sum = head.own + head.ended_children;
    for entry in std::fs::read_dir("/proc").ok()?.flatten() {
        let child = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok())
            .and_then(stat);
        sum += child
            .filter(|child| child.parent == parent)
            .map_or(Duration::ZERO, |child| child.own);
    }
    Some(sum)
}

struct Stat {
    parent: u32,
    own: Duration,
    ended_children: Duration,
}

fn stat(pid: u32) -> Option<Stat> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in brackets may hold blanks; what follows does not.
    let fields: Vec<&str> = text.rsplit_once(')')?.1.split_ascii_whitespace().collect();
    let ticks = |place: usize| -> Option<u64> { fields.get(place)?.parse().ok() };
    let time = |first: usize| {
        Some(Duration::from_millis(
            (ticks(first)? + ticks(first + 1)?) * 10,
        ))
    };
    Some(Stat {
        parent: fields.get(1)?.parse().ok()?,
        own: time(11)?,
        ended_children: time(13)?,
    })
}
