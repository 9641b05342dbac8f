//! What the caller may choose about a private Postgres.
//!
//! The defaults suit the demo: a private folder that is removed, full durability, socket only.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use crate::RunAs;

/// How to start a private Postgres; `Options::default()` is a throw-away server.
#[derive(Clone, Debug)]
pub struct Options {
    /// Folder for everything the server writes; `None` is a new private folder under `/tmp`.
    pub data_dir: Option<PathBuf>,
    /// Keeps the folder after the server stops. A given `data_dir` that existed is always kept.
    pub keep: bool,
    /// Additional `postgresql.conf` settings; later ones win over earlier ones and over ours.
    pub settings: Vec<(String, String)>,
    /// Gives up durability for speed (`fsync=off` and its kin); for tests.
    pub fast: bool,
    /// Name of the bootstrap superuser; only used when the cluster is created.
    pub superuser: String,
    /// The whole of `pg_hba.conf`; `None` trusts everyone who may enter the socket folder.
    pub hba: Option<String>,
    /// Folder with `postgres` and `initdb`; `None` searches.
    pub server_binaries: Option<PathBuf>,
    /// The value of `PATH` to search before the well-known folders.
    pub search_path: Option<OsString>,
    /// Who runs the server; `None` is us, or an unprivileged account when we are root.
    pub run_as: Option<RunAs>,
    /// Where the server listens.
    pub listen: Listen,
    /// How long a start may take, recovery after a crash included.
    pub start_timeout: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            data_dir: None,
            keep: false,
            settings: Vec::new(),
            fast: false,
            superuser: "postgres".to_owned(),
            hba: None,
            server_binaries: None,
            search_path: None,
            run_as: None,
            listen: Listen::SocketOnly,
            start_timeout: Duration::from_secs(60),
        }
    }
}

/// Where a private Postgres listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listen {
    /// Only on the unix socket in its own folder.
    SocketOnly,
    /// Also on a free port of 127.0.0.1, where every role needs its scram password.
    Loopback,
}
