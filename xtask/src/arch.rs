//! `cargo xtask arch`: the directions between crates, from `docs/ARCHITECTURE.md`.
//!
//! Doors -> sal-http -> sal-plugins, sal-store -> sal-query. Tools know nothing of Sal, Sal
//! knows nothing of AWS except in the program, and the lab shares no code with the login.
//! If a rule stands in your way, write an ADR; do not add an exception in passing.

use std::path::Path;

use anyhow::Result;

use crate::one_connection;
use crate::output;
use crate::sql_calls;
use crate::workspace::{Edge, Kind, Workspace};

/// Which of our crates each crate may build on. A new crate gets its line here first.
#[rustfmt::skip]
const MAY_USE: &[(&str, &[&str])] = &[
    // know nothing of Sal
    ("pg-frames", &[]),
    ("local-postgres", &[]),
    ("rds-iam", &[]),
    ("fake-fleet", &[]),
    ("oidc-login", &[]),
    ("pg-relay", &["pg-frames", "rds-iam"]),
    ("iam-cutover", &["rds-iam"]),
    ("rds-lab", &["pg-frames", "local-postgres"]),
    // know Sal
    ("sal-query", &[]),
    ("sal-plugins", &["sal-query"]),
    ("sal-store", &["sal-query"]),
    ("sal-http", &["oidc-login", "sal-plugins", "sal-store", "sal-query"]),
    ("sal-checkin", BELOW_DOORS),
    ("sal-web", BELOW_DOORS),
    ("sal-api", BELOW_DOORS),
    ("sal-jobs", BELOW_DOORS),
    ("sal-server", &["sal-checkin", "sal-web", "sal-api", "sal-jobs", "sal-http", "sal-plugins", "sal-store", "sal-query"]),
    ("sal", &[
        "sal-server", "sal-checkin", "sal-web", "sal-api", "sal-jobs", "sal-http", "sal-plugins", "sal-store", "sal-query",
        "pg-frames", "local-postgres", "rds-iam", "fake-fleet", "pg-relay", "iam-cutover", "rds-lab",
    ]),
    // for building and testing
    ("sal-testkit", &["sal-server", "sal-checkin", "sal-web", "sal-api", "sal-jobs", "sal-http", "sal-plugins", "sal-store", "sal-query", "local-postgres", "fake-fleet"]),
    ("xtask", &["local-postgres"]),
];

const BELOW_DOORS: &[&str] = &["sal-http", "sal-plugins", "sal-store", "sal-query"];

/// Crates that could be in any program.
const TOOLS: &[&str] = &[
    "pg-frames",
    "local-postgres",
    "rds-lab",
    "rds-iam",
    "fake-fleet",
    "pg-relay",
    "iam-cutover",
    "oidc-login",
];

/// Never built, not even by a dependency: a second TLS or crypto library, database layer or
/// calendar, and SDK crates that cost minutes to compile.
const NEVER_BUILT: &[&str] = &[
    "ring",
    "openssl",
    "openssl-sys",
    "native-tls",
    "sqlx",
    "sea-orm",
    "diesel",
    "rusqlite",
    "libsqlite3-sys",
    "chrono",
    "aws-sdk-rds",
    "aws-sdk-iam",
    "zstd-sys",
    "serde_yaml",
    "postgresql_embedded",
];

/// Not used by our own crates; a dependency may.
const NEVER_DIRECT: &[&str] = &[
    "once_cell",
    "lazy_static",
    "rustls-pemfile",
    "dotenv",
    "serde_yaml_ng",
    "figment",
    "color-eyre",
    "miette",
    "include_dir",
    "bb8-postgres",
    "pgwire",
    "testcontainers",
    "axum-test",
    "argon2",
    "djangohashers",
];

/// Tables and filters outlive web frameworks, and only the program talks to the shell.
const KEPT_OUT: &[(&str, &[&str])] = &[
    (
        "sal-store",
        &["axum", "http", "askama", "serde_json", "reqwest", "clap"],
    ),
    (
        "sal-query",
        &[
            "axum",
            "http",
            "askama",
            "reqwest",
            "clap",
            "tokio-postgres",
            "tokio",
        ],
    ),
    (
        "sal-plugins",
        &[
            "axum",
            "http",
            "askama",
            "reqwest",
            "clap",
            "tokio-postgres",
            "tokio",
        ],
    ),
];

/// Checks all rules; true when nothing breaks one.
pub(crate) fn run(root: &Path) -> Result<bool> {
    let workspace = Workspace::read(root)?;
    let mut found = findings(&workspace);
    found.extend(one_connection::findings(root)?);
    found.extend(sql_calls::findings(root)?);
    Ok(output::verdict("arch", &found))
}

/// Everything that breaks a rule, as sentences.
fn findings(workspace: &Workspace) -> Vec<String> {
    let rules = [
        crates_are_in_the_table,
        edges_follow_the_table,
        only_the_program_knows_aws,
        tools_know_nothing_of_sal,
        judge_and_defendant_share_nothing,
        testkit_is_for_tests,
        frameworks_are_kept_out,
        banned_crates_are_not_used,
        denied_crates_are_not_built,
    ];
    rules.iter().flat_map(|rule| rule(workspace)).collect()
}

fn crates_are_in_the_table(workspace: &Workspace) -> Vec<String> {
    let unknown = workspace
        .crates
        .keys()
        .filter(|name| may_use(name).is_none());
    unknown
        .map(|name| format!("{name} is not in the table of xtask/src/arch.rs"))
        .collect()
}

fn edges_follow_the_table(workspace: &Workspace) -> Vec<String> {
    let wrong = |from: &str, edge: &Edge| {
        let ours = workspace.crates.contains_key(&edge.to);
        ours && edge.kind == Kind::Normal
            && may_use(from).is_some_and(|allowed| !allowed.contains(&edge.to.as_str()))
    };
    each_edge(workspace, wrong, "must not build on")
}

fn only_the_program_knows_aws(workspace: &Workspace) -> Vec<String> {
    let wrong = |from: &str, edge: &Edge| {
        // aws-lc is the cryptography, not the cloud.
        let aws =
            edge.to == "rds-iam" || (edge.to.starts_with("aws-") && !edge.to.starts_with("aws-lc"));
        from.starts_with("sal-") && aws
    };
    each_edge(
        workspace,
        wrong,
        "knows AWS, which only the program may: it uses",
    )
}

fn tools_know_nothing_of_sal(workspace: &Workspace) -> Vec<String> {
    let wrong = |from: &str, edge: &Edge| {
        TOOLS.contains(&from) && (edge.to == "sal" || edge.to.starts_with("sal-"))
    };
    each_edge(
        workspace,
        wrong,
        "is a tool and must not know Sal, tests included, but uses",
    )
}

fn judge_and_defendant_share_nothing(workspace: &Workspace) -> Vec<String> {
    let pair = ["rds-lab", "rds-iam"];
    let wrong = |from: &str, edge: &Edge| {
        edge.kind == Kind::Normal && pair.contains(&from) && pair.contains(&edge.to.as_str())
    };
    each_edge(
        workspace,
        wrong,
        "judges or is judged by, and must share no code with,",
    )
}

fn testkit_is_for_tests(workspace: &Workspace) -> Vec<String> {
    let wrong = |_: &str, edge: &Edge| edge.to == "sal-testkit" && edge.kind == Kind::Normal;
    each_edge(workspace, wrong, "may use only as a dev-dependency")
}

fn frameworks_are_kept_out(workspace: &Workspace) -> Vec<String> {
    let wrong = |from: &str, edge: &Edge| {
        let rule = KEPT_OUT.iter().find(|(name, _)| *name == from);
        edge.kind == Kind::Normal && rule.is_some_and(|(_, out)| out.contains(&edge.to.as_str()))
    };
    each_edge(workspace, wrong, "must outlive, and so must not use,")
}

fn banned_crates_are_not_used(workspace: &Workspace) -> Vec<String> {
    each_edge(
        workspace,
        |_, edge| NEVER_DIRECT.contains(&edge.to.as_str()),
        "uses a banned crate:",
    )
}

fn denied_crates_are_not_built(workspace: &Workspace) -> Vec<String> {
    let denied = NEVER_BUILT
        .iter()
        .filter(|name| workspace.built.contains(**name));
    denied
        .map(|name| format!("{name} is built; `cargo tree -i {name}` says by whom"))
        .collect()
}

fn each_edge(
    workspace: &Workspace,
    wrong: impl Fn(&str, &Edge) -> bool,
    sentence: &str,
) -> Vec<String> {
    let edges = workspace
        .crates
        .iter()
        .flat_map(|(from, edges)| edges.iter().map(move |edge| (from, edge)));
    edges
        .filter(|(from, edge)| wrong(from, edge))
        .map(|(from, edge)| format!("{from} {sentence} {}", edge.to))
        .collect()
}

fn may_use(name: &str) -> Option<&'static [&'static str]> {
    MAY_USE
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, allowed)| *allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A workspace of `from -> to` edges; `from ~> to` is a dev-dependency.
    fn workspace(edges: &[&str]) -> Workspace {
        let mut workspace = Workspace::default();
        for text in edges {
            let (text, kind) = match text.split_once(" ~> ") {
                Some(pair) => (pair, Kind::Dev),
                None => (text.split_once(" -> ").unwrap(), Kind::Normal),
            };
            let edge = Edge {
                to: text.1.to_owned(),
                kind,
            };
            workspace
                .crates
                .entry(text.0.to_owned())
                .or_default()
                .push(edge);
            if may_use(text.1).is_some() {
                workspace.crates.entry(text.1.to_owned()).or_default();
            }
        }
        workspace
    }

    #[test]
    fn the_planned_directions_are_good() {
        let good = workspace(&[
            "sal -> sal-server",
            "sal -> rds-iam",
            "sal -> aws-config",
            "sal -> clap",
            "sal-server -> sal-web",
            "sal-web -> sal-http",
            "sal-http -> sal-store",
            "sal-http -> aws-lc-rs",
            "sal-store -> sal-query",
            "sal-store ~> local-postgres",
            "sal-web ~> sal-testkit",
            "rds-iam ~> rds-lab",
            "rds-lab -> pg-frames",
            "pg-relay -> rds-iam",
        ]);
        assert_eq!(findings(&good), Vec::<String>::new());
    }

    /// An edge, and the sentence about it.
    #[rustfmt::skip]
    const BROKEN: &[(&str, &str)] = &[
            ("sal-web -> sal-api", "sal-web must not build on sal-api"),
            (
                "sal-store -> sal-http",
                "sal-store must not build on sal-http",
            ),
            (
                "sal-query -> sal-plugins",
                "sal-query must not build on sal-plugins",
            ),
            (
                "sal-server -> fake-fleet",
                "sal-server must not build on fake-fleet",
            ),
            (
                "local-postgres -> pg-frames",
                "local-postgres must not build on pg-frames",
            ),
            (
                "sal-store ~> rds-iam",
                "sal-store knows AWS, which only the program may: it uses rds-iam",
            ),
            (
                "sal-server -> aws-config",
                "sal-server knows AWS, which only the program may: it uses aws-config",
            ),
            (
                "fake-fleet ~> sal-testkit",
                "fake-fleet is a tool and must not know Sal, tests included, but uses sal-testkit",
            ),
            (
                "rds-lab -> rds-iam",
                "rds-lab judges or is judged by, and must share no code with, rds-iam",
            ),
            (
                "rds-iam -> rds-lab",
                "rds-iam judges or is judged by, and must share no code with, rds-lab",
            ),
            (
                "sal-server -> sal-testkit",
                "sal-server may use only as a dev-dependency sal-testkit",
            ),
            (
                "sal-store -> axum",
                "sal-store must outlive, and so must not use, axum",
            ),
            (
                "sal-web -> once_cell",
                "sal-web uses a banned crate: once_cell",
            ),
            (
                "sal-mail -> sal-http",
                "sal-mail is not in the table of xtask/src/arch.rs",
            ),
        ];

    #[test]
    fn a_broken_rule_is_named() {
        for (edge, finding) in BROKEN {
            let found = findings(&workspace(&[edge]));
            assert!(
                found.iter().any(|found| found == finding),
                "{edge}: {found:?}"
            );
        }
    }

    #[test]
    fn a_denied_crate_that_is_built_is_named() {
        for name in [
            "ring",
            "openssl-sys",
            "native-tls",
            "sqlx",
            "chrono",
            "aws-sdk-rds",
            "aws-sdk-iam",
        ] {
            let mut workspace = workspace(&["sal -> sal-server"]);
            workspace.built.insert(name.to_owned());
            let expected = format!("{name} is built; `cargo tree -i {name}` says by whom");
            assert_eq!(findings(&workspace), [expected]);
        }
    }

    #[test]
    fn the_table_has_no_cycles_and_no_unknown_names() {
        // Each crate builds only on crates that are above it in the table, or are doors.
        for (number, (name, allowed)) in MAY_USE.iter().enumerate() {
            for used in *allowed {
                let place = MAY_USE.iter().position(|(known, _)| known == used);
                assert!(
                    place.is_some_and(|place| place < number),
                    "{name} -> {used}"
                );
            }
        }
    }
}
