//! `sal db maintain`: the jobs that servers do by themselves, started by hand.

use anyhow::{Context, Result};
use sal_jobs::JobError;
use sal_jobs::by_hand::{self, Mode, Ran};
use sal_jobs::jobs::{JOBS, Job, named};
use serde_json::{Value, json};

use crate::config::jobs;
use crate::exit::Exit;
use crate::{commands, output, wiring};

/// Runs it.
pub(super) async fn run(names: &[String], mode: Mode, as_json: bool) -> Result<Exit> {
    let Some(wanted) = wanted(names) else {
        return Ok(Exit::Usage);
    };
    let (db, config) = match commands::database_and(jobs::read).await? {
        Ok(found) => found,
        Err(exit) => return Ok(exit),
    };
    let dry_run = mode == Mode::Count;
    let ran = by_hand::run(&wanted, mode, &config, &wiring::clock(), &db)
        .await
        .context("running the maintenance; `sal db init` makes its table")?;
    if as_json {
        let list: Vec<_> = ran.iter().map(|ran| as_value(ran, dry_run)).collect();
        output::data(&serde_json::to_string_pretty(&list).context("writing the report")?);
    } else {
        for ran in &ran {
            tell(ran, dry_run);
        }
    }
    let errors: Vec<_> = ran
        .iter()
        .filter_map(|ran| ran.result.as_ref().err())
        .collect();
    let waits = |error: &&JobError| matches!(error, JobError::TooMuch { .. });
    Ok(match errors.as_slice() {
        [] => Exit::Done,
        all if all.iter().all(waits) => Exit::NeedsConfirmation,
        _ => Exit::Failed,
    })
}

/// The jobs of these names, or all; `None` when there is a name of none, and it was said.
fn wanted(names: &[String]) -> Option<Vec<&'static Job>> {
    if names.is_empty() {
        return Some(JOBS.iter().collect());
    }
    let mut jobs = Vec::new();
    for name in names {
        let Some(job) = named(name) else {
            output::problem(&format!("`{name}` is none of the jobs; they are"));
            for job in JOBS {
                output::note(&format!("  {:<18} {}", job.name, job.what));
            }
            return None;
        };
        jobs.push(job);
    }
    Some(jobs)
}

fn tell(ran: &Ran, dry_run: bool) {
    let name = ran.job.name;
    match &ran.result {
        Ok(outcome) => {
            let how = if dry_run {
                "would remove or change"
            } else {
                "removed or changed"
            };
            output::data(&format!("{name:<18} {how} {}", outcome.in_words()));
        }
        Err(error) => output::problem(&format!("{name} failed: {}", error.in_words())),
    }
}

fn as_value(ran: &Ran, dry_run: bool) -> Value {
    let empty = sal_jobs::by_hand::Outcome::default();
    let outcome = ran.result.as_ref().unwrap_or(&empty);
    let counts: serde_json::Map<_, _> = outcome
        .counts
        .iter()
        .map(|(count, things)| ((*things).to_owned(), json!(count)))
        .collect();
    json!({
        "job": ran.job.name, "dry_run": dry_run, "rows": outcome.rows(), "counts": counts, "warnings": outcome.warnings,
        "error": ran.result.as_ref().err().map(JobError::in_words),
    })
}
