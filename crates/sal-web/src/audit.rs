//! Notes in the audit log what a person changed. Called with the transaction of the change.

use std::fmt::Display;

use sal_http::{App, AppError, access::Viewer};
use sal_store::{
    audit::{InsertAudit, insert_audit},
    pool::Executor,
};
use tracing::info;

/// What was changed: its kind (`machine`, `machine group`, `user`, …), its key, and its name.
pub(crate) struct Object<'a> {
    pub(crate) kind: &'static str,
    pub(crate) id: String,
    pub(crate) name: &'a str,
}

impl<'a> Object<'a> {
    pub(crate) fn new(kind: &'static str, id: impl Display, name: &'a str) -> Self {
        Self {
            kind,
            id: id.to_string(),
            name,
        }
    }
}

/// Notes that the viewer did `action` (a past participle: `made`, `changed`, `deleted`) to the object.
///
/// `detail` says old and new values in words, without secrets; it may be empty.
pub(crate) async fn note(
    viewer: &Viewer,
    action: &str,
    object: &Object<'_>,
    detail: &str,
    app: &App,
    db: &impl Executor,
) -> Result<(), AppError> {
    let Object { kind, id, name } = object;
    insert_audit(
        db,
        InsertAudit {
            at: &app.now(),
            user: &Some(viewer.id),
            username: viewer.name.as_str(),
            action,
            kind,
            object_id: id.as_str(),
            object_name: name,
            detail,
        },
    )
    .await?;
    info!(viewer = %viewer.id, object.kind = kind, object.id = %id, "{kind} {id} was {action}");
    Ok(())
}
