//! `docs/guides/move-to-iam.md`, executed as it stands: every command of its blocks, in order, in one shell.

use std::path::PathBuf;
use std::process::Stdio;

use tokio::process::Command;

use crate::stage::SAL;

const GUIDE: &str = include_str!("../../../../docs/guides/move-to-iam.md");

/// The commands of all `sh` blocks, each with the exit code that its comment announces.
fn commands() -> Vec<(String, u32)> {
    let mut inside = false;
    let mut found = Vec::new();
    for line in GUIDE.lines() {
        match line {
            "```sh" => inside = true,
            "```" => inside = false,
            command if inside => {
                let (command, comment) =
                    command.split_once("    # exit ").unwrap_or((command, "0"));
                found.push((command.to_owned(), comment.parse().unwrap()));
            }
            _ => {}
        }
    }
    found
}

/// Who lets the guide's clients in.
#[derive(Clone, Copy, PartialEq)]
enum Door {
    Gate,
    Pam,
}

/// One shell, so that `eval` counts for what follows; it stops at the first command that ends otherwise than it should.
fn script(socket: &str, door: Door) -> String {
    let mut script = "set -u\n".to_owned();
    for (command, code) in commands() {
        let command = command.replace("sal lab env ", &format!("sal lab env --socket {socket} "));
        let command = ["break ", "mend", "down", "up "]
            .iter()
            .fold(command, |command, verb| {
                let found = format!("sal lab {verb}");
                match command.starts_with(&found) {
                    true => command.replacen(
                        &found,
                        &format!("sal lab {} --socket {socket} ", verb.trim()),
                        1,
                    ),
                    false => command,
                }
            });
        script.push_str(&format!("echo '$ {}'\n", command.replace('\'', "'\\''")));
        if command.starts_with("sal lab up") {
            let pam = if door == Door::Pam { " --pam" } else { "" };
            // "In a terminal of its own."
            script.push_str(&format!(
                "{command}{pam} > lab.out 2> lab.err &\nfor turn in $(seq 1 300); do grep -q Ctrl-C lab.out && break; sleep 0.1; done\ngrep -q Ctrl-C lab.out || {{ cat lab.err; exit 9; }}\n"
            ));
            continue;
        }
        script.push_str(&format!("{command}; code=$?; [ $code = {code} ] || {{ echo \"ENDED WITH $code INSTEAD OF {code}\"; cat lab.err; exit 9; }}\n"));
    }
    script.push_str("wait\necho THE END\n");
    script
}

#[tokio::test]
async fn the_guide_runs_as_it_stands() {
    walk(Door::Gate).await;
}

/// The same against Postgres's own TLS and `pam` method; on machines that tests may change only.
#[tokio::test]
async fn the_guide_runs_on_a_postgres_with_pam() {
    if variable("SAL_TESTS_OWN_MACHINE").is_some() {
        walk(Door::Pam).await;
    }
}

fn variable(name: &str) -> Option<String> {
    #[expect(
        clippy::disallowed_methods,
        reason = "a test asks what `./dev test` says of the machine"
    )]
    std::env::var(name).ok()
}

async fn walk(door: Door) {
    assert!(commands().len() > 25, "{:?}", commands());
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("lab.sock");
    let programs = PathBuf::from(SAL).parent().unwrap().to_owned();
    let mut shell = Command::new("bash");
    shell
        .args(["-c", &script(&socket.display().to_string(), door)])
        .current_dir(folder.path())
        .env_clear()
        .env("PATH", format!("{}:/usr/bin:/bin", programs.display()))
        .env("HOME", folder.path())
        .stdin(Stdio::null())
        .kill_on_drop(true);
    if door == Door::Pam {
        // The module is built by rustc, which rustup finds by these.
        let path = variable("PATH").unwrap();
        shell.env("PATH", format!("{}:{path}", programs.display()));
        for name in ["HOME", "RUSTUP_HOME", "CARGO_HOME"] {
            if let Some(value) = variable(name) {
                shell.env(name, value);
            }
        }
    }
    let output = tokio::time::timeout(std::time::Duration::from_secs(180), shell.output())
        .await
        .unwrap()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let all = format!("{said}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(
        output.status.success() && said.ends_with("THE END\n"),
        "{all}"
    );
    for expected in [
        "Both may log in by their roles: `sal` with its password, `salawsiam` with IAM.",
        "A check-in, rolled back",
        "an identifier, not a resource id",
        "resource \"aws_iam_policy\"",
        "`sal` is idle",
    ] {
        assert!(said.contains(expected), "{expected} is not in {all}");
    }
    let journal = std::fs::read_to_string(folder.path().join("sal-iam-journal.jsonl")).unwrap();
    assert!(journal.lines().count() > 30);
    assert!(!socket.exists(), "the lab is down");
}
