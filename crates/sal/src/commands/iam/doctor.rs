//! `sal iam doctor`: one report over everything the move needs and everything that breaks it.

use anyhow::Result;
use iam_cutover::check::has_problems;
use iam_cutover::doctor::{Question, diagnose, gather};
use iam_cutover::report;
use serde_json::json;

use crate::cli::Doctor;
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
        role: arguments.role.as_ref().map(|role| role.name.as_str()),
        surroundings: cutover.surroundings(),
        now: (cutover.clock)(),
    };
    let checks = diagnose(&Box::pin(gather(question)).await);
    if arguments.json {
        let problems = has_problems(&checks);
        super::print_json(&json!({"problems": problems, "checks": checks}))?;
    } else {
        output::data(&report::checks_text(&checks));
    }
    Ok(if has_problems(&checks) {
        Exit::FoundProblems
    } else {
        Exit::Done
    })
}
