//! Who logged in and who was refused, in the audit log. A log that cannot be written keeps nobody out.

use sal_http::{
    App, AppError,
    access::{
        attempts::{Lock, Locked},
        refusals::{Refusal, Why},
    },
    db::page_client,
};
use sal_store::{
    audit::{InsertAudit, insert_audit},
    ids::UserId,
};
use tracing::warn;

/// Notes that somebody is logged in. `how` names the way and the address.
pub(crate) async fn logged_in(user: UserId, username: &str, how: &str, app: &App) {
    note(Some(user), username, "logged in", how, app).await;
}

/// Notes that a login was refused. `exists` is the user's name where there is one: what else was typed may be a
/// password in the wrong field.
pub(crate) async fn refused(exists: Option<&str>, address: &str, app: &App) {
    let refusal = match exists {
        Some(name) => Refusal::of_user(name, address, Why::Wrong),
        None => Refusal::of_nobody(address, Why::Wrong),
    };
    app.refusals().note(refusal, app.now(), &app.store).await;
}

/// Notes that single sign-on turned somebody away. Who it was is the provider's to tell.
pub(crate) async fn refused_by_provider(address: &str, app: &App) {
    let refusal = Refusal::of_nobody(address, Why::SingleSignOn);
    app.refusals().note(refusal, app.now(), &app.store).await;
}

/// Notes that somebody has to wait after too many tries, and says so.
pub(crate) async fn locked_out(typed: &str, locked: Locked, address: &str, app: &App) -> AppError {
    let refusal = match locked.by {
        Lock::Pair { exists: true } => Refusal::of_user(typed, address, Why::LockedOut),
        Lock::Pair { exists: false } => Refusal::of_nobody(address, Why::LockedOut),
        Lock::Address | Lock::AtOnce => Refusal::of_several(address, Why::LockedOut),
    };
    app.refusals().note(refusal, app.now(), &app.store).await;
    AppError::TooMany {
        seconds: locked.seconds,
    }
}

/// The words for an address.
pub(crate) fn from(address: &str) -> String {
    format!("from {address}")
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
            &db,
            InsertAudit {
                at: &now,
                user: &user,
                username,
                action,
                kind: "login",
                object_id: &id,
                object_name: username,
                detail,
            },
        )
        .await
    };
    if let Err(error) = written.await {
        warn!("a login could not be noted: {error}");
    }
}
