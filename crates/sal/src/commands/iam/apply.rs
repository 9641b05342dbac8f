//! `sal iam apply`, `finalize` and `rollback`: the same plan that is shown is carried out, under a lock.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;
use iam_cutover::aws::AwsSide;
use iam_cutover::journal::JournalSettings;
use iam_cutover::plan::{Extent, Plan, Purpose};
use iam_cutover::run::{Event, OldPassword, Prepared, Stage};
use iam_cutover::{CutoverError, report};

use super::target;
use crate::cli::{self, Change};
use crate::exit::Exit;
use crate::output;
use crate::wiring::cutover::Cutover;

/// From password to IAM.
pub(crate) async fn to_iam(arguments: cli::Apply) -> Result<Exit> {
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
    let order = Order {
        purpose: Purpose::ToIam,
        command: "apply",
        patience,
        old_password: OldPassword::Proved,
        after: "Both users log in now. Next: `sal iam verify` in the container, then switch the deployment over (`sal iam env` prints its variables), and `sal iam finalize` when `sal iam status` shows the old user idle.",
    };
    change(&arguments.change, side.as_ref(), &cutover, order).await
}

/// The old user's login off.
pub(crate) async fn finalize(arguments: Change) -> Result<Exit> {
    let cutover = match super::cutover(&arguments.who).await? {
        Ok(cutover) => cutover,
        Err(exit) => return Ok(exit),
    };
    let order = Order {
        purpose: Purpose::Finalize,
        command: "finalize",
        patience: Duration::ZERO,
        old_password: OldPassword::Proved,
        after: "The old user cannot log in any more and still owns everything. `sal iam rollback` brings it back.",
    };
    change(&arguments, None, &cutover, order).await
}

/// Back to the password.
pub(crate) async fn back(arguments: cli::Rollback) -> Result<Exit> {
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
struct Order {
    purpose: Purpose,
    command: &'static str,
    patience: Duration,
    old_password: OldPassword,
    /// What to say at the end.
    after: &'static str,
}

async fn change(
    arguments: &Change,
    side: Option<&AwsSide>,
    cutover: &Cutover,
    order: Order,
) -> Result<Exit> {
    if let Some(plan) = target::refused(cutover, side, order.purpose).await {
        return Ok(shown(&plan).unwrap_or(Exit::FoundProblems));
    }
    let stage = Stage {
        logins: &cutover.logins,
        wish: &cutover.wish,
        aws: cutover.aws.as_ref().zip(side),
        patience: order.patience,
        old_password: order.old_password,
        clock: cutover.clock.clone(),
    };
    let path: PathBuf = arguments
        .journal
        .clone()
        .unwrap_or_else(|| cutover.config.journal.clone());
    let settings = JournalSettings {
        path: path.clone(),
        actor: Cutover::actor(),
        command: order.command,
    };
    let prepared = Prepared::new(stage, settings, order.purpose, &tell).await?;
    if let Some(exit) = shown(prepared.plan()) {
        return Ok(exit);
    }
    if !prepared.plan().steps.is_empty() && !arguments.yes {
        match output::ask("Carry this out?") {
            Some(true) => {}
            Some(false) => {
                output::note("Nothing was done.");
                return Ok(Exit::Done);
            }
            None => {
                output::problem("nothing was done: it takes a yes, on a terminal or as --yes");
                return Ok(Exit::NeedsConfirmation);
            }
        }
    }
    match prepared.carry_out(&tell).await {
        Ok(()) => {
            output::note(&format!(
                "\nDone. {}\nThe journal is in `{}`.",
                order.after,
                path.display()
            ));
            Ok(Exit::Done)
        }
        Err(error @ (CutoverError::Undone { .. } | CutoverError::LockOut(_))) => {
            output::problem(&error.to_string());
            output::note(
                "Everybody's logins are as they were before that step. The same command continues once the reason is gone.",
            );
            Ok(Exit::Failed)
        }
        Err(error) => Err(error.into()),
    }
}

/// Shows a plan; how it ends when it refuses.
fn shown(plan: &Plan) -> Option<Exit> {
    output::note(&report::plan_text(plan));
    (!plan.refusals.is_empty()).then(|| {
        output::problem("nothing was done; change what is refused above, and start again");
        Exit::FoundProblems
    })
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
