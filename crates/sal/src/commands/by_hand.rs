//! Changes that a person makes on the command line: asked before, noted in the audit log, one transaction each.

use anyhow::{Context, Result};
use jiff::Timestamp;
use sal_store::audit::{InsertAudit, insert_audit};
use serde_json::Value;
use tokio_postgres::Client;

use crate::exit::Exit;
use crate::output;

/// Who the audit log says it was.
pub(super) const BY_HAND: &str = "(command line)";

/// Asks whether to go on, unless `--yes` said so.
///
/// # Errors
/// How the command ends when it must not.
pub(super) fn confirmed(yes: bool) -> Result<(), Exit> {
    match refused_by_person(yes, "Go on?") {
        None => Ok(()),
        Some((exit, _)) => Err(exit),
    }
}

/// Asks, unless the answer was given with the command; `None` is a yes.
pub(super) fn refused_by_person(yes: bool, question: &str) -> Option<(Exit, &'static str)> {
    if yes {
        return None;
    }
    match output::ask(question) {
        Some(true) => None,
        Some(false) => {
            output::note("Nothing was done.");
            Some((Exit::Done, "declined"))
        }
        None => {
            output::problem(
                "confirmation required; nothing was changed. Run it again with --yes, or on a terminal",
            );
            Some((Exit::NeedsConfirmation, "needs-confirmation"))
        }
    }
}

/// What the audit log says of a change.
pub(super) struct Note<'a> {
    pub(super) action: &'a str,
    /// `user` or `API key`.
    pub(super) kind: &'a str,
    pub(super) id: String,
    pub(super) name: &'a str,
    pub(super) detail: &'a str,
}

/// Notes the change in the audit log, and makes it so.
pub(super) async fn commit(note: Note<'_>, now: Timestamp, db: &Client) -> Result<()> {
    insert_audit(
        db,
        InsertAudit {
            at: &now,
            user: &None,
            username: BY_HAND,
            action: note.action,
            kind: note.kind,
            object_id: note.id.as_str(),
            object_name: note.name,
            detail: note.detail,
        },
    )
    .await
    .context("noting the change in the audit log; `sal db init` makes its table")?;
    db.batch_execute("COMMIT").await.context("committing")
}

/// JSON for people and programs.
pub(super) fn pretty(value: &Value) -> Result<String> {
    serde_json::to_string_pretty(value).context("writing the report")
}
