//! Plans and reports in words: for a terminal, as a psql script, and checks line by line.

use crate::{
    check::{Check, Status},
    inventory::RDS_IAM,
    plan::{Finding, Plan, Purpose, Way},
    sql::literal,
    steps::{Action, Step},
};

/// The plan for a person.
#[must_use]
pub fn plan_text(plan: &Plan) -> String {
    let mut text = format!("{}\n", headline(plan));
    for finding in &plan.refusals {
        text.push_str(&format!(
            "\nREFUSED ({})\n  {}\n  Next: {}\n",
            finding.code, finding.what, finding.next
        ));
    }
    for finding in &plan.warnings {
        text.push_str(&format!(
            "\nNote ({})\n  {}\n  {}\n",
            finding.code, finding.what, finding.next
        ));
    }
    for (step, number) in plan.steps.iter().zip(1..) {
        text.push_str(&format!("\n{number}. {} [{}]\n", step.what, step.id));
        text.push_str(&format!("   why       {}\n", step.why));
        for (line, label) in how(step)
            .iter()
            .zip(std::iter::once("does").chain(std::iter::repeat("")))
        {
            text.push_str(&format!("   {label:<9} {line}\n"));
        }
        text.push_str(&format!("   verified  {}\n", step.verified_by));
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
        Action::Aws(call) => vec![call.cli()],
    }
}

/// Hundreds of tables are not all shown to a person; the SQL and JSON forms have them.
fn shortened(lines: &[String]) -> Vec<String> {
    let mut shown: Vec<String> = lines
        .iter()
        .take(MOST_LINES)
        .map(|line| format!("{line};"))
        .collect();
    if let Some(more) = lines.len().checked_sub(MOST_LINES).filter(|more| *more > 0) {
        shown.push(format!("… and {more} more (--sql shows all)"));
    }
    shown
}

/// The database's part as a psql script, guard included.
#[must_use]
pub fn plan_sql(plan: &Plan) -> String {
    let mut text = format!(
        "-- {}\n-- For psql, as the administrator. Every step is a transaction; the first error stops it.\n\\set ON_ERROR_STOP on\nSET ROLE NONE;\n",
        headline(plan)
    );
    for finding in &plan.refusals {
        text.push_str(&format!(
            "-- REFUSED ({}): {} {}\n\\quit\n",
            finding.code, finding.what, finding.next
        ));
    }
    let mut connected = plan.wish.databases.first().cloned().unwrap_or_default();
    for step in &plan.steps {
        text.push_str(&format!(
            "\n-- {} [{}]\n-- why: {}\n-- undo: {}\n",
            step.what,
            step.id,
            step.why,
            step.undo.join("; ")
        ));
        match &step.action {
            Action::Sql {
                database,
                statements,
            } => {
                if *database != connected {
                    text.push_str(&format!("\\connect {database:?}\nSET ROLE NONE;\n"));
                    connected.clone_from(database);
                }
                text.push_str("BEGIN;\nSET LOCAL lock_timeout = '5s';\n");
                for statement in statements {
                    text.push_str(&format!("{statement};\n"));
                }
                text.push_str(&guard(plan));
                text.push_str("COMMIT;\n");
            }
            Action::Aws(call) => text.push_str(&format!("-- in AWS: {}\n", call.cli())),
        }
    }
    text
}

/// What `run::guard` does, for a script: it knows no "before", so it looks at the two that matter.
fn guard(plan: &Plan) -> String {
    let (old, new) = (literal(&plan.wish.old_user), literal(&plan.wish.new_user));
    format!(
        "DO $guard$ BEGIN
  IF EXISTS (
    WITH RECURSIVE above (member, role) AS (
      SELECT r.oid, m.roleid FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.member WHERE r.rolname IN (session_user, {old})
      UNION SELECT a.member, m.roleid FROM pg_auth_members m JOIN above a ON m.member = a.role)
    SELECT FROM above a JOIN pg_roles r ON r.oid = a.role WHERE r.rolname = {new})
  THEN RAISE EXCEPTION 'lock-out guard: the administrator or the old user became a member of the new user and with it of {RDS_IAM}';
  END IF;
END $guard$;
"
    )
}

/// A report for a person: one line for each check, with what to do under it.
#[must_use]
pub fn checks_text(checks: &[Check]) -> String {
    let mut text = String::new();
    for check in checks {
        text.push_str(&format!("{:<9}  {}\n", word(check.status), check.title));
        if !check.evidence.is_empty() {
            text.push_str(&format!("           {}\n", check.evidence));
        }
        if !check.next.is_empty() {
            text.push_str(&format!("           Next: {}\n", check.next));
        }
    }
    let count = |status| checks.iter().filter(|check| check.status == status).count();
    text.push_str(&format!(
        "\n{} ok, {} attention, {} problems, {} unknown",
        count(Status::Ok),
        count(Status::Attention),
        count(Status::Problem),
        count(Status::Unknown)
    ));
    text
}

/// Findings, one a line.
#[must_use]
pub fn findings_text(findings: &[Finding]) -> String {
    let lines: Vec<String> = findings
        .iter()
        .map(|finding| format!("{} {}", finding.what, finding.next))
        .collect();
    lines.join("\n")
}

fn word(status: Status) -> &'static str {
    match status {
        Status::Ok => "ok",
        Status::Unknown => "unknown",
        Status::Attention => "attention",
        Status::Problem => "PROBLEM",
    }
}

const MOST_LINES: usize = 8;
