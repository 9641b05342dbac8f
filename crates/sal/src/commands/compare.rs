//! `sal compare`: two servers side by side, before one takes the place of the other.
//!
//! It asks and never sends: nothing that either server would store, but for the login of `--user`. What differs on purpose is shown
//! with its number in `docs/compat/quirks.md`; anything else is a finding, and the exit code 3.

mod clients;
mod finding;
mod known;
mod side;
mod tables;
mod widgets;

use anyhow::{Context, Result};
use rds_iam::Secret;
use serde_json::json;

use self::finding::Part;
use self::side::Side;
use crate::cli::Compare;
use crate::commands;
use crate::config::Environment;
use crate::config::database::DatabaseConfig;
use crate::exit::Exit;
use crate::output;

/// Compares what can be compared with what was given.
pub(crate) async fn run(arguments: Compare) -> Result<Exit> {
    let mut environment = Environment::read();
    let password = environment.secret("SAL_COMPARE_PASS").map(Secret::new);
    let key = environment.secret("SAL_COMPARE_KEY").map(Secret::new);
    let database = arguments
        .old_database
        .is_some()
        .then(|| DatabaseConfig::read(&mut environment));
    if let Err(exit) = commands::checked(environment) {
        return Ok(exit);
    }
    let old = Side::new("old", &arguments.old)?;
    let new = Side::new("new", &arguments.new)?;
    let mut parts = Vec::new();
    let user = match (&arguments.user, password) {
        (Some(user), Some(password)) => Some((user, password)),
        (Some(_), None) => {
            output::problem(
                "--user needs the password of that user at both servers, in SAL_COMPARE_PASS",
            );
            return Ok(Exit::Usage);
        }
        (None, _) => None,
    };
    if let (Some(database), Some(name)) = (database, &arguments.old_database) {
        match tables::compare(&database, name).await? {
            Ok(part) => parts.push(part),
            Err(exit) => return Ok(exit),
        }
    }
    parts.push(clients::refusals(&old, &new).await?);
    if let Some((user, password)) = user {
        old.log_in(user, &password).await?;
        new.log_in(user, &password).await?;
        parts.push(widgets::compare(&old, &new, &arguments.place).await?);
    }
    if let Some(key) = key {
        let serials = side::serials(&old, arguments.machines).await?;
        parts.push(clients::answers(&old, &new, &key, &serials).await?);
    }
    show(&arguments, &parts)?;
    Ok(verdict(&arguments, &parts))
}

/// A list that differs where a quirk lets it may differ for another reason too: only equal tables tell.
fn verdict(arguments: &Compare, parts: &[Part]) -> Exit {
    let all = || parts.iter().flat_map(|part| &part.findings);
    if all().any(|finding| finding.quirk.is_none()) {
        return Exit::FoundProblems;
    }
    let lists = parts.iter().find(|part| part.name == widgets::NAME);
    let are_told_by_tables = arguments.old_database.is_some();
    if lists.is_some_and(|lists| !lists.findings.is_empty()) && !are_told_by_tables {
        output::note(
            "Lists differ where they may, by the numbers above. Whether that is the reason, equal tables tell: add --old-database.",
        );
        return Exit::FoundProblems;
    }
    Exit::Done
}

fn show(arguments: &Compare, parts: &[Part]) -> Result<()> {
    if arguments.json {
        let report = json!({
            "old": arguments.old,
            "new": arguments.new,
            "parts": parts.iter().map(Part::to_json).collect::<Vec<_>>(),
        });
        output::data(&serde_json::to_string_pretty(&report).context("writing the report")?);
        return Ok(());
    }
    for part in parts {
        output::data(&part.to_text());
    }
    for (option, what) in left_out(arguments, parts) {
        output::note(&format!("Not compared: {what}. {option} compares them."));
    }
    Ok(())
}

/// What was not given, so that nobody takes silence for equality.
fn left_out(arguments: &Compare, parts: &[Part]) -> Vec<(&'static str, &'static str)> {
    let mut left = Vec::new();
    if arguments.user.is_none() {
        left.push((
            "--user NAME with SAL_COMPARE_PASS",
            "the numbers behind the widgets",
        ));
    }
    if !parts.iter().any(|part| part.name == clients::NAME) {
        left.push((
            "SAL_COMPARE_KEY, a machine group's key,",
            "the answers to clients",
        ));
    }
    if arguments.old_database.is_none() {
        left.push(("--old-database NAME", "the tables"));
    }
    left
}
