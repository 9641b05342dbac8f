//! A server whose starter is killed does not outlive it.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::life::{is_running, postmaster_pid};

struct Holder {
    process: Child,
    folder: PathBuf,
}

fn hold(arguments: &[&Path]) -> Holder {
    let mut process = Command::new(env!("CARGO_BIN_EXE_private-postgres"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
    lines.next().unwrap().unwrap();
    let folder = PathBuf::from(lines.next().unwrap().unwrap());
    Holder { process, folder }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a deadline of a test, in real time"
)]
fn becomes_true(condition: impl Fn() -> bool) -> bool {
    let deadline = Instant::now() + Duration::from_secs(20);
    while Instant::now() < deadline {
        if condition() {
            return true;
        }
        std::thread::yield_now();
    }
    false
}

#[test]
fn killing_the_starter_ends_the_server_and_removes_its_private_folder() {
    let mut holder = hold(&[]);
    let pid = postmaster_pid(&holder.folder);
    assert!(is_running(&pid));
    holder.process.kill().unwrap();
    holder.process.wait().unwrap();
    assert!(becomes_true(|| !is_running(&pid)));
    assert!(becomes_true(|| !holder.folder.exists()));
}

#[test]
fn killing_the_starter_keeps_a_given_folder() {
    let given = tempfile::Builder::new()
        .prefix("lpo-")
        .tempdir_in("/tmp")
        .unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o711);
    std::fs::set_permissions(given.path(), mode).unwrap();
    let mut holder = hold(&[&given.path().join("data")]);
    let pid = postmaster_pid(&holder.folder);
    holder.process.kill().unwrap();
    holder.process.wait().unwrap();
    assert!(becomes_true(|| !is_running(&pid)));
    assert!(holder.folder.join("pgdata/PG_VERSION").exists());
}

#[test]
fn closing_its_input_stops_the_program_in_an_orderly_way() {
    let mut holder = hold(&[]);
    let pid = postmaster_pid(&holder.folder);
    drop(holder.process.stdin.take());
    assert!(holder.process.wait().unwrap().success());
    assert!(!is_running(&pid));
    assert!(!holder.folder.exists());
}
