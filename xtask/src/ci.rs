//! `cargo xtask ci`: what every change must pass, in one go.
//!
//! A failing part does not stop the others, so that one run tells everything.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use tokio::time::Instant;

use crate::image::Trial;
use crate::postgres::{TestPostgres, VARIABLE};
use crate::{arch, docs, finish, image, lines, output};

const CLIPPY: &[&str] = &[
    "clippy",
    "--workspace",
    "--all-targets",
    "--",
    "-D",
    "warnings",
];
/// The program without the rehearsal.
const CLIPPY_OF_THE_IMAGE: &[&str] = &[
    "clippy",
    "-p",
    "sal",
    "--bins",
    "--no-default-features",
    "--",
    "-D",
    "warnings",
];
const TESTS: &[&str] = &["nextest", "run", "--workspace"];

/// One part of the whole.
type Part = (&'static str, fn(&Path) -> Result<bool>);

const PARTS: &[Part] = &[
    ("fmt", |root| cargo(root, &["fmt", "--all", "--check"], [])),
    ("lines", lines::run),
    ("arch", arch::run),
    ("clippy", |root| cargo(root, CLIPPY, [])),
    ("clippy of the image", |root| {
        cargo(root, CLIPPY_OF_THE_IMAGE, [])
    }),
    ("tests", tests),
    ("fuzz", fuzz),
    ("docs", |root| docs::run(root, docs::Mode::Check)),
    ("deny", deny),
];

/// Runs all parts and lists which failed; true when none did.
pub(crate) fn run(root: &Path) -> Result<bool> {
    let mut failed = Vec::new();
    for (name, part) in PARTS {
        output::line(&format!("== {name}"));
        let began = Instant::now();
        let good = finish(part(root));
        output::line(&format!(
            "== {name}: {} after {} s",
            if good { "good" } else { "FAILED" },
            began.elapsed().as_secs()
        ));
        if !good {
            failed.push(format!("{name} failed"));
        }
    }
    Ok(output::verdict("ci", &failed))
}

/// All tests, with one Postgres that is there before the first and gone after the last.
fn tests(root: &Path) -> Result<bool> {
    let postgres = TestPostgres::start()?;
    let connection = postgres.connection_string();
    let mut variables = vec![(VARIABLE, connection)];
    match image::trial(root)? {
        Trial::Runs(more) => variables.extend(more),
        Trial::NotHere(why) if is_cis_own() => {
            postgres.stop();
            bail!("the tests of the image cannot be run: {why}");
        }
        Trial::NotHere(why) => output::line(&format!("the tests of the image are LEFT OUT: {why}")),
    }
    let result = cargo(root, TESTS, variables);
    postgres.stop();
    result
}

/// Every fuzz target for some seconds, from its seeds; for minutes in the long run.
fn fuzz(root: &Path) -> Result<bool> {
    let seconds = if is_long() { 120 } else { 5 };
    let status = Command::new("fuzz/run.sh")
        .args(["all", &format!("-max_total_time={seconds}"), "-verbosity=0"])
        .current_dir(root)
        .status()
        .context("starting fuzz/run.sh")?;
    Ok(status.success())
}

/// Whether `./dev test --long` asked for the nightly run.
#[expect(
    clippy::disallowed_methods,
    reason = "the tests that this starts read the same variable"
)]
fn is_long() -> bool {
    std::env::var_os("SAL_TESTS_LONG").is_some()
}

/// Whether this machine is CI's, which must not leave anything out.
#[expect(clippy::disallowed_methods, reason = "set by whatever runs CI")]
fn is_cis_own() -> bool {
    std::env::var_os("CI").is_some_and(|value| value == "true")
}

/// Licences, bans and sources of all dependencies must be good. Advisories need a list from the network: where it cannot
/// be had, that is said, and a list that was had decides.
fn deny(root: &Path) -> Result<bool> {
    if !cargo(root, &["deny", "check", "bans", "licenses", "sources"], [])? {
        output::line("`./dev test` installs cargo-deny; without it, nothing is checked");
        return Ok(false);
    }
    let asked = Command::new("cargo")
        .args(["deny", "check", "advisories"])
        .current_dir(root)
        .output()
        .context("starting `cargo deny`")?;
    let said = String::from_utf8_lossy(&asked.stderr);
    output::line(said.trim_end());
    let is_unknown = said.contains("failed to fetch advisory database");
    if is_unknown {
        output::line("advisories were NOT checked: their database cannot be reached from here");
    }
    Ok(asked.status.success() || is_unknown)
}

/// Runs a cargo command on our terminal; whether it succeeded.
fn cargo(
    root: &Path,
    arguments: &[&str],
    variables: impl IntoIterator<Item = (&'static str, String)>,
) -> Result<bool> {
    let status = Command::new("cargo")
        .args(arguments)
        .envs(variables)
        .current_dir(root)
        .status()
        .with_context(|| format!("starting `cargo {}`", arguments.join(" ")))?;
    Ok(status.success())
}
