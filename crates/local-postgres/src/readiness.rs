//! Waits until a server that was just launched answers its superuser.
//!
//! The server writes `ready` into `postmaster.pid`; a file left by an earlier server that was
//! killed says the same, so its content before the launch is compared, and a login decides.

use std::fs;
use std::path::Path;
use std::time::Duration;

use tokio::time::{Instant, sleep};
use tokio_postgres::{Config, NoTls, error::SqlState};

use crate::StartError;
use crate::folder::Folder;
use crate::postmaster::Postmaster;

/// The pid file's content, to be taken before the launch.
pub(crate) fn pid_file(folder: &Folder) -> Option<String> {
    fs::read_to_string(folder.cluster().join("postmaster.pid")).ok()
}

/// Waits until the server launched after `before` was read accepts `admin`.
pub(crate) async fn wait(
    postmaster: &mut Postmaster,
    folder: &Folder,
    before: Option<&str>,
    admin: &Config,
    limit: Duration,
) -> Result<(), StartError> {
    let deadline = Instant::now() + limit;
    loop {
        let ended = postmaster
            .has_ended()
            .map_err(StartError::file("watch the server in", folder.path()))?;
        if ended {
            return Err(StartError::Ended {
                log: tail(&folder.log()),
            });
        }
        if says_ready(folder, before) && answers(admin).await? {
            return Ok(());
        }
        if Instant::now() >= deadline {
            return Err(StartError::TooSlow {
                seconds: limit.as_secs(),
                log: tail(&folder.log()),
            });
        }
        sleep(Duration::from_millis(5)).await;
    }
}

/// The eighth line of the pid file is `ready` once the server accepts sessions.
fn says_ready(folder: &Folder, before: Option<&str>) -> bool {
    let now = pid_file(folder);
    let first_line = |text: Option<&str>| text.and_then(|t| t.lines().next()).map(str::to_owned);
    let fresh = first_line(now.as_deref()) != first_line(before);
    let state = now.as_deref().and_then(|text| text.lines().nth(7));
    fresh && state.is_some_and(|state| state.trim() == "ready")
}

async fn answers(admin: &Config) -> Result<bool, StartError> {
    match admin.connect(NoTls).await {
        Ok(_session) => Ok(true),
        Err(error) => match error.code() {
            Some(code) if *code != SqlState::CANNOT_CONNECT_NOW => Err(StartError::Refused(error)),
            _ => Ok(false),
        },
    }
}

fn tail(log: &Path) -> String {
    let text = fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<_> = text.lines().rev().take(12).collect();
    lines.into_iter().rev().collect::<Vec<_>>().join("\n")
}
