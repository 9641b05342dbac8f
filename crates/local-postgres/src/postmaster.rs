//! The server process and its leash.
//!
//! The server is the child of a small `sh` guard that reads orders from a pipe. Only we hold the
//! other end: when we die, however we die, the pipe closes, and the guard stops the server and
//! removes what was to be removed. The guard is the server's parent, so the process id it signals
//! cannot have been given to somebody else. Both live in a process group of their own: Ctrl-C at
//! a terminal reaches us, not them.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::Duration;

use crate::cluster::ENVIRONMENT;
use crate::folder::Folder;
use crate::{RunAs, ServerBinaries, StartError};

/// How to ask the server to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// Ends all sessions, writes a checkpoint.
    Fast,
    /// As if the power failed; the next start recovers from the log.
    Immediate,
}

/// A running server, on its leash.
#[derive(Debug)]
pub(crate) struct Postmaster {
    guard: Child,
    orders: Option<ChildStdin>,
}

impl Postmaster {
    /// Starts the server on `folder`; it is not ready yet.
    pub(crate) fn launch(
        folder: &Folder,
        binaries: &ServerBinaries,
        account: Option<RunAs>,
    ) -> Result<Self, StartError> {
        let log_path = folder.log();
        let log = OpenOptions::new()
            .create(true)
            .append(true)
            .mode(0o600)
            .open(&log_path)
            .map_err(StartError::file("open", &log_path))?;
        let errors = log
            .try_clone()
            .map_err(StartError::file("open", &log_path))?;
        let doomed = folder.doomed();
        let mut command = Command::new(SHELL);
        command
            .args(["-c", GUARD, "postgres-guard"])
            .arg(doomed.len().to_string())
            .args(&doomed)
            .arg(binaries.program("postgres"))
            .arg("-D")
            .arg(folder.cluster())
            .arg("-c")
            .arg(setting_arg(
                "config_file",
                &folder.path().join("postgresql.conf"),
            ))
            .env_clear()
            .envs(ENVIRONMENT)
            .current_dir("/")
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(log)
            .stderr(errors);
        if let Some(account) = account {
            command.gid(account.gid).uid(account.uid);
        }
        let mut guard = command.spawn().map_err(|source| StartError::Run {
            program: SHELL.into(),
            source,
        })?;
        let orders = guard.stdin.take();
        Ok(Self { guard, orders })
    }

    /// Whether the server has ended, without waiting.
    pub(crate) fn has_ended(&mut self) -> io::Result<bool> {
        Ok(self.guard.try_wait()?.is_some())
    }

    /// Gives the order to stop; [`Self::wait`] waits for the end.
    pub(crate) fn order(&mut self, stop: Stop) {
        let word = match stop {
            Stop::Fast => b"fast\n".as_slice(),
            Stop::Immediate => b"immediate\n".as_slice(),
        };
        // A guard that is gone has nothing left to stop.
        if let Some(pipe) = &mut self.orders
            && pipe.write_all(word).is_err()
        {
            self.orders = None;
        }
    }

    /// Waits (blocking, at most `limit`) until the server has ended.
    pub(crate) fn wait(&mut self, limit: Duration) -> io::Result<bool> {
        let pause = Duration::from_millis(2);
        let mut left = limit;
        while !self.has_ended()? {
            let Some(rest) = left.checked_sub(pause) else {
                return Ok(false);
            };
            left = rest;
            std::thread::sleep(pause);
        }
        Ok(true)
    }
}

impl Drop for Postmaster {
    fn drop(&mut self) {
        self.order(Stop::Immediate);
        // An immediate stop kills what does not end by itself after five seconds.
        if !matches!(self.wait(Duration::from_secs(10)), Ok(true)) {
            tracing::warn!("a private Postgres did not end in time, its guard goes on trying");
        }
    }
}

fn setting_arg(name: &str, path: &Path) -> std::ffi::OsString {
    let mut arg = std::ffi::OsString::from(name);
    arg.push("=");
    arg.push(path);
    arg
}

const SHELL: &str = "/bin/sh";

/// Arguments: how many folders to remove when orphaned, the folders, the server's command line.
const GUARD: &str = r#"
count=$1; shift
folders=
while [ "$count" -gt 0 ]; do folders="$folders '$1'"; shift; count=$((count - 1)); done
exec 3<&0 </dev/null
"$@" 3<&- &
server=$!
(
  while read -r order <&3; do
    case $order in
      fast) kill -INT "$server" ;;
      immediate) kill -QUIT "$server" ;;
    esac
  done
  kill -QUIT "$server"
  exit 7
) &
reader=$!
wait "$server"
status=$?
kill "$reader" 2>/dev/null
wait "$reader" 2>/dev/null
[ $? -eq 7 ] && eval "rm -rf -- $folders"
exit "$status"
"#;
