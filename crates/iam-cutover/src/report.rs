//! Plans and reports in words: for a terminal, as a psql script, and checks line by line.

mod checks;
mod psql;

pub use self::{
    checks::{Detail, checks_text},
    psql::plan_sql,
};
use crate::{
    plan::{Finding, Plan, Purpose, Way},
    steps::{Action, Step},
    visible::visible,
};

/// The plan for a person.
#[must_use]
pub fn plan_text(plan: &Plan) -> String {
    let mut text = format!("{}\n", visible(&headline(plan)));
    for finding in &plan.refusals {
        text.push_str(&format!(
            "\nREFUSED ({})\n  {}\n  Next: {}\n",
            finding.code,
            visible(&finding.what),
            visible(&finding.next)
        ));
    }
    for finding in &plan.warnings {
        text.push_str(&format!(
            "\nNote ({})\n  {}\n  {}\n",
            finding.code,
            visible(&finding.what),
            visible(&finding.next)
        ));
    }
    for (step, number) in plan.steps.iter().zip(1..) {
        let (what, id) = (visible(&step.what), visible(&step.id));
        text.push_str(&format!("\n{number}. {what} [{id}]\n"));
        text.push_str(&format!("   why       {}\n", visible(&step.why)));
        for (line, label) in how(step)
            .iter()
            .zip(std::iter::once("does").chain(std::iter::repeat("")))
        {
            text.push_str(&format!("   {label:<9} {line}\n"));
        }
        text.push_str(&format!("   verified  {}\n", visible(&step.verified_by)));
        let undo = if step.undo.is_empty() {
            vec!["nothing to undo".to_owned()]
        } else {
            step.undo.clone()
        };
        for (line, label) in shortened(&undo)
            .iter()
            .zip(std::iter::once("undo").chain(std::iter::repeat("")))
        {
            text.push_str(&format!("   {label:<9} {line}\n"));
        }
    }
    if plan.steps.is_empty() && plan.refusals.is_empty() {
        text.push_str("\nThere is nothing left to do.\n");
    }
    text
}

fn headline(plan: &Plan) -> String {
    let wish = &plan.wish;
    let databases = wish.databases.join(", ");
    match plan.purpose {
        // Refused before the server was looked at.
        Purpose::ToIam if plan.major == 0 => format!(
            "Plan: `{}` (password) -> `{}` (IAM) in {databases}.",
            wish.old_user, wish.new_user
        ),
        Purpose::ToIam => format!(
            "Plan: `{}` (password) -> `{}` (IAM) in {databases}, Postgres {}; {}.",
            wish.old_user,
            wish.new_user,
            plan.major,
            match plan.way {
                Way::Member => format!("the new user works as `{}`", plan.works_as),
                Way::OwnerRole => format!(
                    "the objects move from the master user to `{}`, and the new user works as that",
                    plan.works_as
                ),
            }
        ),
        Purpose::Finalize => format!(
            "Plan: switch the login of `{}` off; `{}` logs in with IAM.",
            wish.old_user, wish.new_user
        ),
        Purpose::RollBack(_) => format!("Plan: back to the password of `{}`.", wish.old_user),
    }
}

fn how(step: &Step) -> Vec<String> {
    match &step.action {
        Action::Sql { statements, .. } => shortened(statements),
        Action::Aws(call) => vec![visible(&call.cli()).into_owned()],
    }
}

/// Hundreds of tables are not all shown to a person; the SQL and JSON forms have them.
fn shortened(lines: &[String]) -> Vec<String> {
    let mut shown: Vec<String> = lines
        .iter()
        .take(MOST_LINES)
        .map(|line| format!("{};", visible(line)))
        .collect();
    if let Some(more) = lines.len().checked_sub(MOST_LINES).filter(|more| *more > 0) {
        shown.push(format!("… and {more} more (--format sql shows all)"));
    }
    shown
}

/// Findings, one a line.
#[must_use]
pub fn findings_text(findings: &[Finding]) -> String {
    let lines: Vec<String> = findings
        .iter()
        .map(|finding| format!("{} {}", visible(&finding.what), visible(&finding.next)))
        .collect();
    lines.join("\n")
}

const MOST_LINES: usize = 8;
