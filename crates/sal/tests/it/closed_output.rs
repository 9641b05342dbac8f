//! A reader that has gone (`sal … | head`), a log that nobody takes, a disk that is full.

use std::io::{PipeWriter, pipe};
use std::process::Stdio;

use crate::stage::{PATIENCE, SAL, Settings, Stage, until};

/// The writing end of a pipe that nobody reads.
fn gone() -> PipeWriter {
    pipe().unwrap().1
}

/// Runs a command with its output to nobody; its exit code, and what is left of stdout and stderr.
async fn run(settings: &Settings, words: &[&str], closed: Closed) -> (Option<i32>, String) {
    let mut command = settings.command(words);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    if closed != Closed::Stderr {
        command.stdout(gone());
    }
    if closed != Closed::Stdout {
        command.stderr(gone());
    }
    let output = tokio::time::timeout(PATIENCE, command.output());
    let output = output.await.unwrap().unwrap();
    let left = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(left).unwrap())
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Closed {
    Stdout,
    Stderr,
    Both,
}

const ALL: [Closed; 3] = [Closed::Stdout, Closed::Stderr, Closed::Both];

/// Every command that the reference has, from the binary itself.
async fn commands() -> Vec<String> {
    let page = Settings::default().run(&["reference", "cli"]).await.stdout;
    let commands: Vec<_> = page
        .lines()
        .filter_map(|line| line.strip_prefix("## sal"))
        .map(|words| words.trim().to_owned())
        .collect();
    assert!(commands.len() > 40, "{commands:?}");
    commands
}

#[tokio::test]
async fn help_and_mistakes_of_every_command_end_as_ever_when_nobody_reads() {
    let settings = Settings::default();
    for command in commands().await {
        for (last, code) in [("--help", 0), ("--no-such-option", 2)] {
            let words: Vec<_> = command.split_whitespace().chain([last]).collect();
            for closed in ALL {
                let (ended, left) = run(&settings, &words, closed).await;
                assert_eq!(ended, Some(code), "{words:?} {closed:?}: {left}");
                assert!(!left.contains("panicked"), "{words:?}: {left}");
            }
        }
    }
}

#[tokio::test]
async fn commands_do_their_work_and_keep_their_exit_code_when_nobody_reads() {
    let stage = Stage::set().await;
    let lab = &stage.lab;
    stage.grant_printed("doctor", &["--for", "doctor"]).await;
    let settings = stage.with_aws(stage.settings());
    let door = format!("127.0.0.1:0={}", lab.endpoint());
    for words in [
        "db check",
        "db check --json",
        "db init",
        "db check",
        "db maintain",
        "db maintain --json",
        "db take-back 0007-summaries",
        "user links admin",
        "checkin journal",
        "checkin journal --json",
        "checkin rejected",
        "search check",
        "search list --json",
        "search run kiosks",
        "iam doctor",
        "iam doctor --json",
        "iam status",
        "iam verify",
        "iam policy",
        "iam policy --format terraform",
        "iam env",
        "iam env --format libpq",
        "iam token",
        "simulate --url http://127.0.0.1:1 --key k --machines 1",
        "plugin check /nonexistent",
        "reference env",
        "reference cli",
        "reference metrics",
        "lab status",
        "lab break --list",
    ] {
        let words: Vec<_> = words.split(' ').collect();
        let expected = settings.run(&words).await;
        assert!(
            matches!(expected.code, Some(0 | 1 | 3)),
            "{words:?}: {expected:?}"
        );
        for closed in ALL {
            let (ended, left) = run(&settings, &words, closed).await;
            assert!(!left.contains("panicked"), "{words:?}: {left}");
            assert_eq!(ended, expected.code, "{words:?} {closed:?}: {left}");
        }
    }
    let checked = run(&settings, &["relay", &door, "--check"], Closed::Both).await;
    assert_ne!(checked.0, Some(101));
}

#[tokio::test]
async fn a_server_whose_log_nobody_takes_serves_and_ends_as_ever() {
    let stage = Stage::set().await;
    let mut child = stage
        .settings()
        .command(&["serve", "--listen", "127.0.0.1:0"])
        .stdin(Stdio::null())
        .stdout(gone())
        .stderr(gone())
        .spawn()
        .unwrap();
    until("the tables", async || {
        let tables = "SELECT (to_regclass('salrs_job') IS NOT NULL)::text";
        stage.value(tables).await == "true"
    })
    .await;
    assert_eq!(child.try_wait().unwrap(), None, "it goes on");
    crate::server::signal(child.id().unwrap(), "TERM").await;
    let ended = tokio::time::timeout(PATIENCE, child.wait()).await;
    assert_eq!(ended.unwrap().unwrap().code(), Some(0));
}

#[tokio::test]
async fn data_that_a_full_disk_loses_is_said_and_ends_with_1() {
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full");
    let Ok(full) = full else {
        // Only Linux has it.
        return;
    };
    let mut command = std::process::Command::new(SAL);
    command.env_clear().args(["reference", "env"]).stdout(full);
    let output = command.output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(
        said.starts_with("error: the output could not be written whole: "),
        "{said}"
    );
}
