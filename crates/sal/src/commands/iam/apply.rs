//! `sal iam apply`, `finalize` and `rollback`: the same plan that is shown is carried out, under a lock.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::Result;
use iam_cutover::aws::AwsSide;
use iam_cutover::journal::JournalSettings;
use iam_cutover::plan::{Extent, Plan, Purpose};
use iam_cutover::run::{Event, OldPassword, Prepared, Stage, TokenLogin};
use iam_cutover::{CutoverError, report};
use serde::Serialize;

use super::target;
use crate::cli::{self, Change};
use crate::commands::by_hand;
use crate::exit::Exit;
use crate::output;
use crate::wiring::cutover::Cutover;

mod proof;

/// From password to IAM.
pub(crate) async fn to_iam(arguments: cli::Apply) -> Result<Exit> {
    let json = arguments.change.json;
    failed_as_json("apply", json, to_iam_in_words(arguments).await)
}

async fn to_iam_in_words(arguments: cli::Apply) -> Result<Exit> {
    let cutover = match super::cutover(&arguments.change.who).await? {
        Ok(cutover) => cutover,
        Err(exit) => return Ok(exit),
    };
    let side = match arguments.with_aws {
        true => Some(super::aws_side(&arguments.aws, &cutover).await?),
        false => None,
    };
    let patience = match arguments.with_aws {
        true => Duration::from_secs(arguments.patience),
        false => Duration::ZERO,
    };
    let token_login = match arguments.unproved {
        true => TokenLogin::Unproved,
        false => TokenLogin::Proved,
    };
    let after = match proof::before_the_first_step(token_login, &cutover).await {
        Ok(after) => after,
        Err(exit) => return Ok(exit),
    };
    let order = Order {
        purpose: Purpose::ToIam,
        command: "apply",
        patience,
        old_password: OldPassword::Proved,
        token_login,
        after: &after,
    };
    change(&arguments.change, side.as_ref(), &cutover, order).await
}

/// The old user's login off.
pub(crate) async fn finalize(arguments: Change) -> Result<Exit> {
    let json = arguments.json;
    failed_as_json("finalize", json, finalize_in_words(arguments).await)
}

async fn finalize_in_words(arguments: Change) -> Result<Exit> {
    let cutover = match super::cutover(&arguments.who).await? {
        Ok(cutover) => cutover,
        Err(exit) => return Ok(exit),
    };
    let order = Order {
        purpose: Purpose::Finalize,
        command: "finalize",
        patience: Duration::ZERO,
        old_password: OldPassword::Proved,
        token_login: TokenLogin::Proved,
        after: "The old user cannot log in any more and still owns everything. `sal iam rollback` brings it back.",
    };
    change(&arguments, None, &cutover, order).await
}

/// Back to the password.
pub(crate) async fn back(arguments: cli::Rollback) -> Result<Exit> {
    let json = arguments.change.json;
    failed_as_json("rollback", json, back_in_words(arguments).await)
}

async fn back_in_words(arguments: cli::Rollback) -> Result<Exit> {
    let cutover = match super::cutover(&arguments.change.who).await? {
        Ok(cutover) => cutover,
        Err(exit) => return Ok(exit),
    };
    let side = match arguments.with_aws {
        true => Some(super::aws_side(&arguments.aws, &cutover).await?),
        false => None,
    };
    let extent = match arguments.everything {
        true => Extent::Everything,
        false => Extent::Logins,
    };
    let proved = cutover.logins.old.is_some();
    let order = Order {
        purpose: Purpose::RollBack(extent),
        command: "rollback",
        patience: Duration::ZERO,
        old_password: match arguments.unproved {
            true => OldPassword::Unproved,
            false => OldPassword::Proved,
        },
        token_login: TokenLogin::Proved,
        after: match proved {
            true => {
                "The old password works. Switch the deployment back: DB_USER and DB_PASS of the old user, without AWS_IAM."
            }
            false => {
                "The old user may log in again. Its password was not tried: set DB_PASS to have it proved."
            }
        },
    };
    change(&arguments.change, side.as_ref(), &cutover, order).await
}

/// What is to be done.
struct Order<'a> {
    purpose: Purpose,
    command: &'static str,
    patience: Duration,
    old_password: OldPassword,
    token_login: TokenLogin,
    /// What to say at the end.
    after: &'a str,
}

/// What became of it, for programs.
#[derive(Serialize)]
pub(super) struct Outcome<'a> {
    pub(super) command: &'a str,
    /// `done`, `refused`, `declined`, `needs-confirmation`, `undone` or `failed`.
    pub(super) outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) plan: Option<&'a Plan>,
    pub(super) done: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) journal: Option<&'a Path>,
}

/// What failed before anything was done is an outcome, too.
pub(super) fn failed_as_json(command: &str, json: bool, ended: Result<Exit>) -> Result<Exit> {
    if let (true, Err(error)) = (json, &ended) {
        super::print_json(&Outcome {
            command,
            outcome: "failed",
            plan: None,
            done: Vec::new(),
            error: Some(error.to_string()),
            journal: None,
        })?;
    }
    ended
}

async fn change(
    arguments: &Change,
    side: Option<&AwsSide>,
    cutover: &Cutover,
    order: Order<'_>,
) -> Result<Exit> {
    if let Some(plan) = target::refused(cutover, side, order.purpose).await {
        return refused(arguments, &order, &plan, cutover);
    }
    let stage = Stage {
        logins: &cutover.logins,
        wish: &cutover.wish,
        aws: cutover.aws.as_ref().zip(side),
        patience: order.patience,
        old_password: order.old_password,
        token_login: order.token_login,
        clock: cutover.clock.clone(),
    };
    let path = journal_path(arguments, cutover);
    let settings = JournalSettings {
        path: path.clone(),
        actor: Cutover::actor(),
        command: order.command,
    };
    let prepared = Prepared::new(stage, settings, order.purpose, &tell).await?;
    output::note(&report::plan_text(prepared.plan()));
    let plan = prepared.plan().clone();
    let done = Mutex::new(Vec::new());
    let listen = |event: Event| {
        if let Event::Done(step) = &event {
            done.lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(step.clone());
        }
        tell(event);
    };
    let (exit, outcome, error) = match consent(arguments, &plan) {
        Some((exit, outcome)) => (exit, outcome, None),
        None => {
            let carried_out = prepared.carry_out(&listen).await;
            ended(carried_out, &order, plan.steps.is_empty(), &path)
        }
    };
    if arguments.json {
        super::print_json(&Outcome {
            command: order.command,
            outcome,
            plan: Some(&plan),
            done: done.into_inner().unwrap_or_else(PoisonError::into_inner),
            error,
            journal: Some(&path),
        })?;
    }
    Ok(exit)
}

/// A plan that was refused before anybody logged in.
fn refused(arguments: &Change, order: &Order<'_>, plan: &Plan, cutover: &Cutover) -> Result<Exit> {
    output::note(&report::plan_text(plan));
    let (exit, outcome) = consent(arguments, plan).unwrap_or((Exit::FoundProblems, "refused"));
    if arguments.json {
        super::print_json(&Outcome {
            command: order.command,
            outcome,
            plan: Some(plan),
            done: Vec::new(),
            error: None,
            journal: Some(&journal_path(arguments, cutover)),
        })?;
    }
    Ok(exit)
}

/// Where the journal is.
pub(super) fn journal_path(arguments: &Change, cutover: &Cutover) -> PathBuf {
    let named = arguments.journal.clone();
    named.unwrap_or_else(|| cutover.config.journal.clone())
}

/// What keeps it from being done: what the plan refuses, or a person; `None` where nothing does.
fn consent(arguments: &Change, plan: &Plan) -> Option<(Exit, &'static str)> {
    if !plan.refusals.is_empty() {
        output::problem("nothing was done; change what is refused above, and start again");
        return Some((Exit::FoundProblems, "refused"));
    }
    if plan.steps.is_empty() {
        return None;
    }
    by_hand::refused_by_person(arguments.yes, "Carry this out?")
}

fn ended(
    outcome: std::result::Result<(), CutoverError>,
    order: &Order<'_>,
    nothing_to_do: bool,
    path: &Path,
) -> (Exit, &'static str, Option<String>) {
    let error = match outcome {
        Ok(()) => {
            // A master user is never switched off, and a second run finds nothing to switch.
            let after = match (order.purpose, nothing_to_do) {
                (Purpose::Finalize, true) => "There was nothing to switch off.",
                _ => order.after,
            };
            output::note(&format!(
                "\nDone. {after}\nThe journal is in `{}`.",
                path.display()
            ));
            return (Exit::Done, "done", None);
        }
        Err(error) => error,
    };
    let text = error.to_string();
    let outcome = match error {
        CutoverError::Undone { .. } | CutoverError::LockOut(_) => "undone",
        _ => "failed",
    };
    output::failure(&error.into());
    if outcome == "undone" {
        output::note(
            "Everybody's logins are as they were before that step. The same command continues once the reason is gone.",
        );
    }
    (Exit::Failed, outcome, Some(text))
}

fn tell(event: Event) {
    output::note(&match event {
        Event::Begins(step) => format!("-> {}", step.what),
        Event::Done(step) => format!("   done: {step}"),
        Event::Undone(step) => format!("   UNDONE: {step}"),
        Event::Note(text) => format!("note: {text}"),
        Event::LoggedIn(who, user) => format!("   {who} `{user}` logs in"),
    });
}
