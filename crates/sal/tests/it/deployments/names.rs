//! What the files of `deploy/` name exists: variables, commands, the image's tag.

use std::collections::BTreeSet;

use super::checkers::{files, folder, text};
use crate::stage::Settings;

/// Variables that others read: compose's own, the SDKs', EKS's.
const OF_OTHERS: &[&str] = &[
    "SAL_ADDRESS",
    "SAL_IMAGE",
    "SAL_PORT",
    "SAL_REHEARSAL_IMAGE",
    "AWS_SHARED_CREDENTIALS_FILE",
];
const PREFIXES: &[&str] = &["SAL_", "DOCKER_SAL_", "DB_", "AWS_", "ADMIN_", "MAINT_"];

/// Every variable that the program knows; secrets also as `NAME_FILE`.
async fn known() -> BTreeSet<String> {
    let ended = Settings::default().run(&["reference", "env"]).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let mut known: BTreeSet<String> = OF_OTHERS.iter().map(|name| (*name).to_owned()).collect();
    for line in ended.stdout.lines() {
        let Some((name, rest)) = line
            .strip_prefix("| `")
            .and_then(|line| line.split_once("` | "))
        else {
            continue;
        };
        known.insert(name.to_owned());
        if rest.starts_with("secret") {
            known.insert(format!("{name}_FILE"));
        }
    }
    assert!(
        known.contains("DB_PASS_FILE") && known.len() > 60,
        "{known:?}"
    );
    known
}

/// Words that look like variables.
fn variables(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
        .filter(|word| PREFIXES.iter().any(|prefix| word.starts_with(prefix)))
        .filter(|word| {
            let is_upper = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
            word.chars().all(is_upper)
        })
}

#[tokio::test]
async fn every_variable_of_the_deployments_is_one_that_sal_knows() {
    let known = known().await;
    let mut seen = BTreeSet::new();
    for path in files() {
        let text = std::fs::read_to_string(&path).unwrap();
        for name in variables(&text) {
            assert!(known.contains(name), "{name} in {}", path.display());
            seen.insert(name.to_owned());
        }
    }
    for needed in ["AWS_IAM", "SAL_DB_EXPECT_ROLE", "SAL_TRUSTED_PROXIES"] {
        assert!(seen.contains(needed), "{needed}");
    }
}

/// What stands before the program's arguments on the pages: it is called in a shell, in a container, by systemd.
const CALLS: &[&str] = &[
    "-- /sal ",
    "exec sal /sal ",
    "exec lab sal ",
    "run --rm sal ",
    "sal.env /usr/local/bin/sal ",
];

/// The arguments of every call of `sal` on a page, in consoles and between backquotes.
fn commands(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for line in text.replace("\\\n", " ").lines() {
        let line = line.trim_start();
        let in_shell = line
            .strip_prefix("$ sal ")
            .or_else(|| line.strip_prefix("# sal "));
        let elsewhere = CALLS.iter().filter_map(|call| line.split_once(call));
        found.extend(in_shell.map(str::to_owned));
        found.extend(elsewhere.map(|(_, arguments)| arguments.to_owned()));
    }
    for quoted in text.split('`').skip(1).step_by(2) {
        found.extend(quoted.strip_prefix("sal ").map(str::to_owned));
    }
    found
}

/// The words as a shell makes them, as far as these pages need it.
fn words(command: &str) -> Vec<String> {
    let ends = |word: &str| matches!(word, "|" | ">" | "&&" | ";");
    command
        .split_whitespace()
        .take_while(|word| !ends(word))
        .map(|word| word.trim_matches(['"', '\'', ';']).to_owned())
        .collect()
}

#[tokio::test]
async fn every_command_of_the_deployments_parses() {
    let mut tried = 0;
    for path in files() {
        let is_read = path.extension().is_some_and(|it| it == "md" || it == "txt");
        if !is_read {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        for command in commands(&text) {
            let mut words = words(&command);
            // It is parsed from the left, so whatever is wrong comes before this.
            words.push("--help".to_owned());
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            let ended = Settings::default().run(&words).await;
            assert_eq!(
                ended.code,
                Some(0),
                "`sal {command}` in {}: {ended:?}",
                path.display()
            );
            tried += 1;
        }
    }
    assert!(tried > 20, "{tried}");
}

#[test]
fn a_command_that_is_none_would_be_found() {
    let page = "`sal frobnicate`\n```console\n$ sal iam policy --for server\n$ kubectl exec deploy/sal -- /sal db check\n$ docker compose run --rm sal checkin journal\n```";
    let found: Vec<String> = commands(page).into_iter().collect();
    assert_eq!(
        found,
        [
            "checkin journal",
            "db check",
            "frobnicate",
            "iam policy --for server"
        ]
    );
}

#[test]
fn images_have_the_version_of_the_workspace() {
    let version = env!("CARGO_PKG_VERSION");
    let chart = text("helm/sal/Chart.yaml");
    assert!(chart.contains(&format!("\nappVersion: \"{version}\"\n")));
    assert!(chart.contains(&format!("\nversion: {version}\n")));
    let mut found = 0;
    for path in files() {
        let text = std::fs::read_to_string(&path).unwrap();
        for tag in text.split("sal:").skip(1) {
            if !tag.starts_with(|c: char| c.is_ascii_digit()) {
                continue;
            }
            let rest = tag.strip_prefix(version);
            let ends = |rest: &str| !rest.starts_with(|c: char| c.is_ascii_digit());
            assert!(
                rest.is_some_and(ends),
                "{} has sal:{}",
                path.strip_prefix(folder()).unwrap().display(),
                tag.lines().next().unwrap()
            );
            found += 1;
        }
    }
    assert!(found > 8, "{found}");
}
