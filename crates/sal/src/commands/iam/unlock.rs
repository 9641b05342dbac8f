//! `sal iam unlock`: an administrator whose password RDS refuses, because it became a member of `rds_iam`, gets it back.

use std::path::Path;

use anyhow::Result;
use iam_cutover::aws::look_at_place;
use iam_cutover::inventory::RDS_IAM;
use iam_cutover::journal::{self, JournalSettings};
use iam_cutover::logins::Who;
use iam_cutover::unlock::{AdminPassword, Found, Removal, Unlock};
use iam_cutover::visible::visible;

use super::apply::{self, Outcome};
use crate::cli;
use crate::commands::by_hand;
use crate::exit::Exit;
use crate::output;
use crate::wiring::cutover::Cutover;

/// Finds the way in, asks, and takes it.
pub(crate) async fn run(arguments: cli::Unlock) -> Result<Exit> {
    let json = arguments.change.json;
    apply::failed_as_json("unlock", json, in_words(arguments).await)
}

async fn in_words(arguments: cli::Unlock) -> Result<Exit> {
    let cutover = match super::cutover(&arguments.change.who).await? {
        Ok(cutover) => cutover,
        Err(exit) => return Ok(exit),
    };
    let path = apply::journal_path(&arguments.change, &cutover);
    let (exit, outcome, done) = unlock(&arguments, &cutover, &path).await?;
    if arguments.change.json {
        super::print_json(&Outcome {
            command: "unlock",
            outcome,
            plan: None,
            done,
            error: None,
            journal: Some(&path),
        })?;
    }
    Ok(exit)
}

async fn unlock(
    arguments: &cli::Unlock,
    cutover: &Cutover,
    journal: &Path,
) -> Result<(Exit, &'static str, Vec<String>)> {
    let password = match arguments.unproved {
        true => AdminPassword::Unproved,
        false => AdminPassword::Proved,
    };
    let clock = cutover.clock.clone();
    let found = Unlock::find(&cutover.logins, &cutover.wish, password, clock).await;
    if found.is_err() {
        say_unfinished(journal);
    }
    let found = found?;
    let Found::Way(way) = found else {
        say_not_locked(cutover);
        return Ok((Exit::Done, "not-locked", Vec::new()));
    };
    if is_on_purpose(&way, cutover).await {
        output::problem(&format!(
            "AWS says that `{}` logs in with IAM on purpose (MasterUserAuthenticationType is iam-db-auth): nothing was done. Leave SAL_ADMIN_PASS unset, and every command logs in with its token",
            visible(&way.admin)
        ));
        return Ok((Exit::FoundProblems, "on-purpose", Vec::new()));
    }
    output::note(&text(&way));
    if let Some((exit, outcome)) =
        by_hand::refused_by_person(arguments.change.yes, "Take this out?")
    {
        return Ok((exit, outcome, Vec::new()));
    }
    let settings = JournalSettings {
        path: journal.to_owned(),
        actor: Cutover::actor(),
        command: "unlock",
    };
    let (admin, switched_off) = (way.admin.clone(), way.switches_off.clone());
    let statements = way.cut.statements();
    way.carry_out(settings).await?;
    say_done(&admin, &switched_off, cutover);
    Ok((Exit::Done, "done", statements))
}

/// A run that was killed before the password was proved has left the administrator with that password alone.
fn say_unfinished(journal: &Path) {
    let Some(entry) = journal::unfinished(journal).filter(|entry| entry.command == "unlock") else {
        return;
    };
    output::note(&format!(
        "note: by `{}`, an earlier `sal iam unlock` ended before the password was proved. It ran: {}. From then on only the right password logs in: set SAL_ADMIN_PASS to it, or set a new one with `aws rds modify-db-instance --db-instance-identifier NAME --master-user-password PASSWORD --apply-immediately`.",
        journal.display(),
        visible(&entry.statements.join("; "))
    ));
}

/// Without SAL_ADMIN_USER the deployment's user counts as the administrator, which it is only where it is the master user.
fn say_not_locked(cutover: &Cutover) {
    let admin = cutover.logins.admin.as_ref();
    let user = visible(admin.map_or("", |admin| admin.user.as_str())).into_owned();
    output::note(&match cutover.config.admin_is_named {
        true => format!("`{user}` is not locked out: nothing was done."),
        false => format!(
            "`{user}` (DB_USER) is not locked out: nothing was done. For another administrator, set SAL_ADMIN_USER and SAL_ADMIN_PASS."
        ),
    });
}

fn say_done(admin: &str, switched_off: &[String], cutover: &Cutover) {
    let proof = match cutover.logins.admin_has_password() {
        true => "logs in with its password again",
        false => "is not in rds_iam any more; its password was not tried",
    };
    output::note(&format!("\nDone: `{}` {proof}.", visible(admin)));
    let new = &cutover.wish.new_user;
    if switched_off.contains(new) {
        output::note(&format!(
            "Next: end the sessions of `{new}` (`sal iam status` shows them), then `sal iam apply`, which lets it log in with IAM again and keeps the administrator out of it.",
            new = visible(new)
        ));
    }
}

/// A master user that was set so is no mistake: it has no password.
async fn is_on_purpose(way: &Unlock<'_>, cutover: &Cutover) -> bool {
    let direct = |removal: &Removal| {
        let mut grants = removal.grants.iter();
        grants.any(|grant| grant.member == way.admin && grant.role == RDS_IAM)
    };
    let (Some(api), Ok(endpoint), true) = (
        &cutover.aws,
        cutover.endpoint(),
        way.cut.removals.iter().any(direct),
    ) else {
        return false;
    };
    let facts = look_at_place(api, endpoint).await;
    facts.flag_owner().is_some_and(|target| {
        target.master_username.as_ref() == Some(&way.admin)
            && target.master_authentication.as_deref() == Some("iam-db-auth")
    })
}

fn text(way: &Unlock<'_>) -> String {
    let how = match way.who {
        Who::Admin | Who::New => "a token",
        Who::Old => "its password",
    };
    let mut text = format!(
        "`{}` is locked out: RDS takes only tokens from members of rds_iam. `{}` got in with {how}.\n",
        visible(&way.admin),
        visible(&way.user)
    );
    for removal in &way.cut.removals {
        text.push_str(&format!(
            "\nThe chain     {}\n",
            visible(&removal.chain.join(" -> "))
        ));
    }
    for statement in way.cut.statements() {
        text.push_str(&format!("To be run     {};\n", visible(&statement)));
    }
    for statement in way.cut.undo() {
        text.push_str(&format!("To undo it    {};\n", visible(&statement)));
    }
    if !way.switches_off.is_empty() {
        text.push_str(&format!(
            "\nThese leave rds_iam with it, so that their tokens are refused from then on: {}. Open sessions go on.\n",
            visible(&way.switches_off.join(", "))
        ));
    }
    text
}
