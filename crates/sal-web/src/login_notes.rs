//! Who logged in and who was refused, in the audit log. A log that cannot be written keeps nobody out.

use sal_http::{App, AppError, db::page_client};
use sal_store::{audit::insert_audit, ids::UserId, users::user_by_name};
use tracing::warn;

/// Notes that somebody is logged in. `how` names the way and the address.
pub(crate) async fn logged_in(user: UserId, username: &str, how: &str, app: &App) {
    note(Some(user), username, "logged in", how, app).await;
}

/// Notes that a login was refused. `exists` is the user's name where there is one: what else was typed may be a
/// password in the wrong field.
pub(crate) async fn refused(exists: Option<&str>, address: &str, app: &App) {
    let username = exists.unwrap_or(UNKNOWN);
    if app.attempts().is_worth_noting(username, address, app.now()) {
        note(None, username, "refused", &from(address), app).await;
    }
}

/// Notes that somebody has to wait after too many tries.
pub(crate) async fn locked_out(typed: &str, address: &str, app: &App) {
    let key = format!("{typed} locked out");
    if !app.attempts().is_worth_noting(&key, address, app.now()) {
        return;
    }
    match is_a_user(typed, app).await {
        Ok(exists) => {
            let username = if exists { typed } else { UNKNOWN };
            let detail = format!("too many tries {}", from(address));
            note(None, username, "locked out", &detail, app).await;
        }
        Err(error) => warn!("a lock-out could not be noted: {error}"),
    }
}

/// The words for an address.
pub(crate) fn from(address: &str) -> String {
    format!("from {address}")
}

async fn is_a_user(name: &str, app: &App) -> Result<bool, AppError> {
    let db = page_client(app).await?;
    Ok(is_possible(name) && !user_by_name(&db, &name).await?.is_empty())
}

/// Whether a user can have this name: no longer than its column, and no NUL, which Postgres does not take.
pub(crate) fn is_possible(name: &str) -> bool {
    name.chars().count() <= 150 && !name.contains('\0')
}

async fn note(user: Option<UserId>, username: &str, action: &str, detail: &str, app: &App) {
    let written = async {
        let db = page_client(app).await?;
        let id = user.map(|id| id.to_string()).unwrap_or_default();
        let now = app.now();
        insert_audit(
            &db, &now, &user, username, action, "login", &id, username, detail,
        )
        .await
    };
    if let Err(error) = written.await {
        warn!("a login could not be noted: {error}");
    }
}

const UNKNOWN: &str = "(unknown)";
