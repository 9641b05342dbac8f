//! `sal iam doctor`: one report over everything the move needs and everything that breaks it.

use anyhow::Result;
use iam_cutover::check::{Check, has_problems};
use iam_cutover::doctor::{Facts, Question, diagnose, gather};
use iam_cutover::report::{self, Detail};
use serde_json::json;

use crate::cli::Doctor;
use crate::config::role::RoleName;
use crate::exit::Exit;
use crate::output;

/// Prints the report; exit code 3 when a line is a problem.
pub(crate) async fn run(arguments: Doctor) -> Result<Exit> {
    let cutover = match super::cutover(&arguments.who).await? {
        Ok(cutover) => cutover,
        Err(exit) => return Ok(exit),
    };
    let question = Question {
        wish: &cutover.wish,
        logins: &cutover.logins,
        sign_host: cutover.config.database.sign_host.as_deref(),
        resolver: &cutover.resolver,
        credentials: &cutover.credentials,
        aws: cutover.aws_as_deployment.as_ref(),
        tables: &sal_store::schema::tables(),
        role: arguments.role.as_ref().map(|role| role.name.as_str()),
        surroundings: cutover.surroundings(),
        now: (cutover.clock)(),
    };
    let facts = Box::pin(gather(question)).await;
    let mut checks = diagnose(&facts);
    checks.extend(of_another_account(arguments.role.as_ref(), &facts));
    let detail = match arguments.all {
        true => Detail::All,
        false => Detail::Faults,
    };
    if arguments.json {
        let problems = has_problems(&checks);
        super::print_json(&json!({"problems": problems, "checks": checks}))?;
    } else {
        output::data(&report::checks_text(&checks, detail));
    }
    Ok(if has_problems(&checks) {
        Exit::FoundProblems
    } else {
        Exit::Done
    })
}

/// A role of the same name in the account of the credentials is not the one that was meant.
fn of_another_account(role: Option<&RoleName>, facts: &Facts) -> Option<Check> {
    let (role, caller) = (role?, facts.aws.caller.known()?);
    let account = role.account.as_ref()?;
    (*account != caller.account).then(|| {
        Check::problem(
            "role-account",
            format!("The account of the role `{}`", role.name),
            format!(
                "the role is in account {account}, these credentials are of account {}: what is said above of the role is about another one",
                caller.account
            ),
            "use credentials of the role's account",
        )
    })
}
