//! `sal iam status`: where the move stands, and whose sessions there are.

use anyhow::{Context, Result};
use iam_cutover::CutoverError;
use iam_cutover::logins::{Session, Who};
use iam_cutover::status::{State, StatusReport, status};
use iam_cutover::visible::visible;

use crate::cli::Report;
use crate::exit::Exit;
use crate::output;
use crate::wiring::cutover::Cutover;

/// Prints it; exit code 3 when the move is broken.
pub(crate) async fn run(arguments: Report) -> Result<Exit> {
    let cutover = match super::cutover(&arguments.who).await? {
        Ok(cutover) => cutover,
        Err(exit) => return Ok(exit),
    };
    let session = anybody(&cutover).await?;
    let report = status(&cutover.wish, &session.client)
        .await
        .context("reading sessions")?;
    session.end().await;
    if arguments.json {
        super::print_json(&report)?;
    } else {
        output::data(&text(&cutover, &report));
    }
    Ok(
        if report.state == State::Broken
            || report.journal_intact == Some(false)
            || report.journal_not_read.is_some()
        {
            Exit::FoundProblems
        } else {
            Exit::Done
        },
    )
}

/// The administrator sees most; any user will do.
async fn anybody(cutover: &Cutover) -> Result<Session> {
    let home = cutover
        .wish
        .databases
        .first()
        .map(String::as_str)
        .unwrap_or_default();
    let mut refused = Vec::new();
    for who in [Who::Admin, Who::New, Who::Old] {
        match cutover.logins.open(who, home).await {
            Ok(session) => return Ok(session),
            // Whoever has no account here is not what stands in the way, unless nobody has.
            Err(error) => {
                let is_missing = matches!(error, CutoverError::NoAccount { .. });
                refused.push((is_missing, error.to_string()));
            }
        }
    }
    refused.sort_by_key(|(is_missing, _)| *is_missing);
    let reasons: Vec<_> = refused.into_iter().map(|(_, why)| why).collect();
    anyhow::bail!("nobody can log in: {}", reasons.join("\nand: "))
}

fn text(cutover: &Cutover, report: &StatusReport) -> String {
    let wish = &cutover.wish;
    let mut text = match report.state {
        State::Password => format!(
            "`{}` logs in with its password; `{}` does not log in with IAM.\n",
            wish.old_user, wish.new_user
        ),
        State::Both => format!(
            "Both may log in by their roles: `{}` with its password, `{}` with IAM. `sal iam doctor` tries it.\n",
            wish.old_user, wish.new_user
        ),
        State::Iam => format!(
            "`{}` logs in with IAM; `{}` was switched off.\n",
            wish.new_user, wish.old_user
        ),
        State::Broken => format!(
            "BROKEN: neither `{}` nor `{}` logs in as it should; `sal iam doctor` says why, `sal iam rollback` fixes it.\n",
            wish.old_user, wish.new_user
        ),
    };
    text.push_str(match report.sessions.is_empty() {
        true => "\nNo open sessions.\n",
        false => "\nsessions  user                 program              from             newest\n",
    });
    for session in &report.sessions {
        text.push_str(&format!(
            "{:>8}  {:<20} {:<20} {:<16} {}\n",
            session.count,
            visible(&session.user),
            visible(&session.application),
            session.address,
            session.newest
        ));
    }
    let of_old: i64 = report
        .sessions
        .iter()
        .filter(|session| session.user == wish.old_user)
        .map(|session| session.count)
        .sum();
    text.push_str(&match (report.state, of_old) {
        (State::Both, 0) => format!(
            "\n`{}` is idle. Next: `sal iam verify` in the container, then `sal iam finalize` switches it off.\n",
            wish.old_user
        ),
        (State::Both, count) => format!(
            "\n`{}` still has {}: switch everything over that uses it.\n",
            wish.old_user,
            sessions(count)
        ),
        (State::Password, _) => "\nNext: `sal iam plan` shows how to move to IAM.\n".to_owned(),
        _ => String::new(),
    });
    text.push_str(&journal(report));
    text
}

fn sessions(count: i64) -> String {
    match count {
        1 => "1 session".to_owned(),
        _ => format!("{count} sessions"),
    }
}

fn journal(report: &StatusReport) -> String {
    match (report.journal_lines, report.journal_intact) {
        _ if report.journal_not_read.is_some() => format!(
            "THE JOURNAL WAS NOT READ: {}.",
            visible(report.journal_not_read.as_deref().unwrap_or_default())
        ),
        (Some(lines), Some(true)) => format!("The journal has {lines} lines; nobody changed them."),
        (Some(lines), _) => {
            format!("The journal has {lines} lines and WAS CHANGED: their hashes do not fit.")
        }
        _ => "There is no journal in this database.".to_owned(),
    }
}
