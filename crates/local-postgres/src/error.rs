//! Everything that can go wrong between "start" and "ready".
//!
//! The texts are for the person at the keyboard: what failed, on what, and what to do next.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

/// No usable Postgres server programs were found.
#[derive(Debug, Error)]
#[error(
    "no PostgreSQL server programs (postgres, initdb) of version {oldest} or later found; looked in {looked}; \
     install them with `apt-get install postgresql` (Debian, Ubuntu) or `brew install postgresql@17` (macOS)",
    looked = looked.iter().map(|folder| folder.display().to_string()).collect::<Vec<_>>().join(", ")
)]
pub struct NotFound {
    /// The oldest major version that would do.
    pub oldest: u32,
    /// The folders that were looked at.
    pub looked: Vec<PathBuf>,
}

/// Why a private Postgres did not start.
#[derive(Debug, Error)]
pub enum StartError {
    /// The server programs are missing.
    #[error(transparent)]
    NotFound(#[from] NotFound),
    /// A file or folder of the server could not be prepared.
    #[error("cannot {action} {path}", path = path.display())]
    File {
        /// What was tried, as a verb.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// The system's reason.
        #[source]
        source: io::Error,
    },
    /// We are root and there is nobody else to run the server as.
    #[error(
        "Postgres refuses to run as root, and /etc/passwd has neither `postgres` nor `nobody`; name an account"
    )]
    NoAccount,
    /// The chosen account cannot reach the data folder.
    #[error(
        "the account with uid {uid} that runs Postgres may not enter {path}; choose a data folder below /tmp or /var, or open that folder with `chmod o+x`",
        path = path.display()
    )]
    Unreachable {
        /// The account.
        uid: u32,
        /// The folder it may not enter.
        path: PathBuf,
    },
    /// The given folder has files in it that no private Postgres wrote.
    #[error(
        "{path} is not empty and no private Postgres lives in it; name an empty or new folder",
        path = .0.display()
    )]
    NotOurs(PathBuf),
    /// A program of the server could not be run at all.
    #[error("cannot run {program}", program = program.display())]
    Run {
        /// The program.
        program: PathBuf,
        /// The system's reason.
        #[source]
        source: io::Error,
    },
    /// `initdb` ended with an error.
    #[error("initdb failed: {output}")]
    InitDb {
        /// What it said.
        output: String,
    },
    /// A standby's copy of the server could not be made.
    #[error("pg_basebackup failed: {output}")]
    Copy {
        /// What it said.
        output: String,
    },
    /// The server does not take its standby.
    #[error("Postgres does not answer about its standby")]
    Replication(#[source] tokio_postgres::Error),
    /// The folder holds a cluster of another major version.
    #[error(
        "the data in {path} belongs to PostgreSQL {found}, the programs found are {programs}; use the matching programs or another folder",
        path = path.display()
    )]
    OtherVersion {
        /// The data folder.
        path: PathBuf,
        /// Its version.
        found: String,
        /// The programs' major version.
        programs: u32,
    },
    /// A setting's name or value cannot stand in `postgresql.conf`.
    #[error("`{0}` is not a setting that can be written to postgresql.conf")]
    Setting(String),
    /// The server ended before it was ready.
    #[error("Postgres ended while starting; its log ends with: {log}")]
    Ended {
        /// The last lines of the server log.
        log: String,
    },
    /// The server did not become ready in time.
    #[error("Postgres was not ready after {seconds} s; its log ends with: {log}")]
    TooSlow {
        /// How long we waited.
        seconds: u64,
        /// The last lines of the server log.
        log: String,
    },
    /// The server is up but refuses its superuser.
    #[error("Postgres started but refuses its superuser")]
    Refused(#[source] tokio_postgres::Error),
}

impl StartError {
    pub(crate) fn file(
        action: &'static str,
        path: &std::path::Path,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File {
            action,
            path,
            source,
        }
    }
}
