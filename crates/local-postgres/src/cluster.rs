//! Creates the cluster with `initdb` and writes its configuration.
//!
//! A cluster appears under its final name only when `initdb` has finished, so an interrupted
//! first start leaves nothing that a second start could trip over.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Stdio;

use tokio::process::Command;

use crate::folder::Folder;
use crate::{Listen, Options, RunAs, ServerBinaries, StartError};

/// Creates the cluster in `folder`, or checks that the one there fits the programs.
pub(crate) async fn ensure(
    folder: &Folder,
    options: &Options,
    binaries: &ServerBinaries,
    account: Option<RunAs>,
) -> Result<(), StartError> {
    let cluster = folder.cluster();
    let version_file = cluster.join("PG_VERSION");
    if let Ok(found) = fs::read_to_string(&version_file) {
        if found.trim() == binaries.major().to_string() {
            return Ok(());
        }
        return Err(StartError::OtherVersion {
            path: cluster,
            found: found.trim().to_owned(),
            programs: binaries.major(),
        });
    }
    let unfinished = folder.path().join("pgdata.unfinished");
    if unfinished.exists() {
        fs::remove_dir_all(&unfinished).map_err(StartError::file("remove", &unfinished))?;
    }
    run_initdb(&unfinished, &options.superuser, binaries, account).await?;
    fs::rename(&unfinished, &cluster).map_err(StartError::file("rename", &unfinished))
}

async fn run_initdb(
    cluster: &Path,
    superuser: &str,
    binaries: &ServerBinaries,
    account: Option<RunAs>,
) -> Result<(), StartError> {
    let program = binaries.program("initdb");
    let mut command = Command::new(&program);
    command
        .arg("--pgdata")
        .arg(cluster)
        .args(["--username", superuser])
        .args(["--encoding", "UTF8", "--locale", "C", "--lc-ctype", CTYPE])
        .args(["--auth", "trust", "--no-sync"])
        .env_clear()
        .envs(ENVIRONMENT)
        .current_dir("/")
        .stdin(Stdio::null())
        .kill_on_drop(true);
    if let Some(account) = account {
        command.gid(account.gid).uid(account.uid);
    }
    let output = command
        .output()
        .await
        .map_err(|source| StartError::Run { program, source })?;
    if output.status.success() {
        return Ok(());
    }
    Err(StartError::InitDb {
        output: String::from_utf8_lossy(&output.stderr).trim().to_owned(),
    })
}

/// Writes `postgresql.conf` and `pg_hba.conf`.
pub(crate) fn configure(
    folder: &Folder,
    options: &Options,
    port: u16,
    account: Option<RunAs>,
) -> Result<(), StartError> {
    let conf = configuration(folder, options, port)?;
    folder.write("postgresql.conf", &conf, account)?;
    let hba = options.hba.as_deref().unwrap_or(DEFAULT_HBA);
    folder.write("pg_hba.conf", hba, account)
}

fn configuration(folder: &Folder, options: &Options, port: u16) -> Result<String, StartError> {
    let socket = folder.socket().display().to_string();
    let hba = folder.path().join("pg_hba.conf").display().to_string();
    let addresses = match options.listen {
        Listen::SocketOnly => "",
        Listen::Loopback => "127.0.0.1",
    };
    let port = port.to_string();
    let ours = [
        ("listen_addresses", addresses),
        ("port", &port),
        ("unix_socket_directories", &socket),
        ("hba_file", &hba),
        ("timezone", "UTC"),
        ("log_timezone", "UTC"),
        ("password_encryption", "scram-sha-256"),
        ("log_line_prefix", "%m [%p] %u@%d "),
        ("shared_buffers", "64MB"),
    ];
    let mut text = String::from("# Written anew at every start.\n");
    let quick = options.fast.then_some(FAST).into_iter().flatten();
    for (name, value) in ours.into_iter().chain(quick) {
        push_setting(&mut text, name, value)?;
    }
    for (name, value) in &options.settings {
        push_setting(&mut text, name, value)?;
    }
    Ok(text)
}

fn push_setting(text: &mut String, name: &str, value: &str) -> Result<(), StartError> {
    let nameable = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
    if name.is_empty() || !name.chars().all(nameable) || value.contains(['\n', '\r', '\0']) {
        return Err(StartError::Setting(name.to_owned()));
    }
    let escaped = value.replace('\\', "\\\\").replace('\'', "''");
    writeln!(text, "{name} = '{escaped}'")
        .map_err(|_infallible| StartError::Setting(name.to_owned()))
}

/// Nothing of the caller's environment reaches the server.
pub(crate) const ENVIRONMENT: [(&str, &str); 2] = [("PATH", "/usr/bin:/bin"), ("TZ", "UTC")];

/// Unicode case rules with byte-wise sorting, the same on every machine.
const CTYPE: &str = if cfg!(target_os = "macos") {
    "UTF-8"
} else {
    "C.UTF-8"
};

/// Only the server's account and root may enter the socket folder, so that is the lock.
const DEFAULT_HBA: &str =
    "local all all trust\nlocal replication all trust\nhost all all 127.0.0.1/32 scram-sha-256\n";

/// Nothing here loses a commit when only the server dies; `synchronous_commit=off` would.
const FAST: [(&str, &str); 3] = [
    ("fsync", "off"),
    ("full_page_writes", "off"),
    ("wal_level", "replica"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_is_quoted_so_that_its_value_stays_its_value() {
        let mut text = String::new();
        push_setting(&mut text, "log_line_prefix", r"it's \n").unwrap();
        assert_eq!(text, "log_line_prefix = 'it''s \\\\n'\n");
    }

    #[test]
    fn a_setting_cannot_smuggle_in_a_second_line() {
        for (name, value) in [
            ("a b", "1"),
            ("", "1"),
            ("fsync", "off\nport = 1"),
            ("x'", "1"),
        ] {
            assert!(push_setting(&mut String::new(), name, value).is_err());
        }
    }
}
