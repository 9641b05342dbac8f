//! `sal iam plan`: what would be done, in order, with why, how it is verified and how it is undone.

use anyhow::Result;
use iam_cutover::logins::Who;
use iam_cutover::plan::{Extent, Plan, Purpose};
use iam_cutover::{inventory, report};

use super::target;
use crate::cli::{self, PlanFormat};
use crate::exit::Exit;
use crate::output;
use crate::wiring::cutover::Cutover;

/// Prints the plan; exit code 3 when it refuses.
pub(crate) async fn run(arguments: cli::Plan) -> Result<Exit> {
    let cutover = match super::cutover(&arguments.who).await? {
        Ok(cutover) => cutover,
        Err(exit) => return Ok(exit),
    };
    let side = match arguments.with_aws {
        true => Some(super::aws_side(&arguments.aws, &cutover).await?),
        false => None,
    };
    let purpose = match arguments.back {
        true => Purpose::RollBack(Extent::Everything),
        false => Purpose::ToIam,
    };
    let plan = match target::refused(&cutover, side.as_ref(), purpose).await {
        Some(refused) => refused,
        None => {
            let inventory = read(&cutover).await?;
            let mut plan = Plan::new(purpose, &cutover.wish, &inventory, side.as_ref());
            plan.warnings
                .extend(target::warnings(&cutover, side.as_ref()));
            plan
        }
    };
    match arguments.format {
        PlanFormat::Text => {
            output::data(&report::plan_text(&plan));
            if plan.refusals.is_empty() && !plan.steps.is_empty() {
                output::note(match arguments.back {
                    true => {
                        "Nothing was changed. `sal iam rollback --everything` does it; without --everything the roles stay."
                    }
                    false => NEXT,
                });
            }
        }
        PlanFormat::Json => super::print_json(&plan)?,
        PlanFormat::Sql => output::data(&report::plan_sql(&plan)),
    }
    Ok(if plan.refusals.is_empty() {
        Exit::Done
    } else {
        Exit::FoundProblems
    })
}

async fn read(cutover: &Cutover) -> Result<inventory::Inventory> {
    let mut sessions = Vec::new();
    for database in &cutover.wish.databases {
        sessions.push(cutover.logins.open(Who::Admin, database).await?);
    }
    let clients: Vec<_> = sessions.iter().map(|session| &session.client).collect();
    Ok(inventory::read(&cutover.wish, &clients).await?)
}

const NEXT: &str = "Nothing was changed. `sal iam apply` with the same options does it.";
