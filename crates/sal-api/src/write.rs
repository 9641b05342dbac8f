//! Changes: each is one transaction with its line in the audit log.

mod body;
pub(crate) mod bulk;
pub(crate) mod fields;
mod groups;
mod machines;
pub(crate) mod once;
mod python_json;
mod units;

use axum::body::Bytes;
use axum::http::{StatusCode, request::Parts};
use axum::response::Response;
use sal_http::{App, db::program_client};
use sal_store::{
    Tx,
    audit::{InsertAudit, insert_audit},
    resources::{BUSINESS_UNITS, MACHINE_GROUPS, MACHINES, Resource},
};
use serde_json::{Map, Value as Json, json};

use crate::{access::ApiWrite, answer, error::ApiError, list, query::Query};
use body::Body;
use fields::Field;

/// A request that changes something.
pub(crate) struct Sent<'a> {
    pub(crate) parts: &'a Parts,
    pub(crate) body: Bytes,
}

/// Makes one.
pub(crate) async fn create(
    resource: &'static Resource,
    sent: Sent<'_>,
    access: &ApiWrite,
    app: &App,
) -> Result<Response, ApiError> {
    let making = Making::of(resource, sent.parts)?;
    let values = values(resource, sent, false, app).await?;
    let tx = begin(app).await?;
    let (status, row) = if *resource == BUSINESS_UNITS {
        units::create(&values, making, access, app, tx).await?
    } else if *resource == MACHINE_GROUPS {
        groups::create(&values, making, access, app, tx).await?
    } else {
        let made = machines::create(values, access, app, tx).await?;
        (StatusCode::CREATED, made)
    };
    Ok(answer::json(status, &row))
}

/// Whether one of the same name is as good as a new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Making {
    /// Always another, as in Sal.
    Another,
    /// Only where there is none of the name.
    OrFind,
}

impl Making {
    fn of(resource: &Resource, parts: &Parts) -> Result<Self, ApiError> {
        match Query::of(parts).first("find") {
            None => Ok(Self::Another),
            Some("name") if is_found_by_name(resource) => Ok(Self::OrFind),
            Some(_) => Err(ApiError::field(
                "find",
                "Business units and machine groups can be found by `name`, nothing else.",
            )),
        }
    }
}

/// Whether a new one may be left out where there is one of its name.
pub(crate) fn is_found_by_name(resource: &Resource) -> bool {
    resource.is_writable && *resource != MACHINES
}

/// Changes one; with `partial` what is not sent stays.
pub(crate) async fn update(
    resource: &'static Resource,
    id: &str,
    partial: bool,
    sent: Sent<'_>,
    access: &ApiWrite,
    app: &App,
) -> Result<Response, ApiError> {
    // As in the original: what is not there is said before what is wrong.
    list::find(resource, id, &access.read(), app).await?;
    let values = values(resource, sent, partial, app).await?;
    let tx = begin(app).await?;
    let changed = if *resource == BUSINESS_UNITS {
        units::update(id, &values, access, app, tx).await?
    } else if *resource == MACHINE_GROUPS {
        groups::update(id, &values, access, app, tx).await?
    } else {
        machines::update(id, values, access, app, tx).await?
    };
    Ok(answer::json(StatusCode::OK, &changed))
}

/// Removes one, with all that belongs to it.
pub(crate) async fn delete(
    resource: &'static Resource,
    id: &str,
    access: &ApiWrite,
    app: &App,
) -> Result<Response, ApiError> {
    // Nothing is locked that the program does not see.
    list::find(resource, id, &access.read(), app).await?;
    let tx = begin(app).await?;
    if *resource == BUSINESS_UNITS {
        units::delete(id, access, app, tx).await?;
    } else if *resource == MACHINE_GROUPS {
        groups::delete(id, access, app, tx).await?;
    } else {
        machines::delete(id, access, app, tx).await?;
    }
    let mut response = Response::default();
    *response.status_mut() = StatusCode::NO_CONTENT;
    Ok(response)
}

async fn values(
    resource: &Resource,
    sent: Sent<'_>,
    partial: bool,
    app: &App,
) -> Result<Map<String, Json>, ApiError> {
    let fields: &[Field] = if *resource == BUSINESS_UNITS {
        fields::UNIT
    } else if *resource == MACHINE_GROUPS {
        fields::GROUP
    } else {
        fields::MACHINE
    };
    let body = Body::read(sent.parts, sent.body).await?;
    fields::read(fields, &body, partial, &app.config.time_zone).map_err(ApiError::Invalid)
}

async fn begin(app: &App) -> Result<Tx, ApiError> {
    Ok(program_client(app).await?.begin().await?)
}

/// A line of the audit log.
struct Note<'a> {
    action: &'static str,
    object: Object<'a>,
    detail: &'a str,
}

/// What a change is about, for the audit log.
struct Object<'a> {
    kind: &'static str,
    id: String,
    name: &'a str,
}

impl ApiWrite {
    /// Reads what became of it, notes the change and commits: once it is there, others may take it away at once.
    async fn finish(
        &self,
        resource: &'static Resource,
        id: &str,
        note: Note<'_>,
        app: &App,
        tx: Tx,
    ) -> Result<Json, ApiError> {
        let row = list::find_in(self.shown(resource), id, &self.scope, app, &tx).await?;
        let status = match note.action {
            "made" => StatusCode::CREATED,
            _ => StatusCode::OK,
        };
        self.commit(note, (status, Some(&row)), app, tx).await?;
        Ok(row)
    }

    /// What was there already, and stays as it is.
    async fn found(
        &self,
        resource: &'static Resource,
        id: &str,
        app: &App,
        tx: Tx,
    ) -> Result<(StatusCode, Json), ApiError> {
        let row = list::find_in(self.shown(resource), id, &self.scope, app, &tx).await?;
        tx.rollback().await?;
        Ok((StatusCode::OK, row))
    }

    /// Notes the change, and the answer where the request named itself, and commits.
    async fn commit(
        &self,
        note: Note<'_>,
        (status, body): (StatusCode, Option<&Json>),
        app: &App,
        tx: Tx,
    ) -> Result<(), ApiError> {
        if let Some(once) = &self.once {
            once.note(status, body, &tx).await?;
        }
        let Note {
            action,
            object,
            detail,
        } = note;
        insert_audit(
            &tx,
            InsertAudit {
                at: &app.now(),
                user: &self.user,
                username: &self.name,
                action,
                kind: object.kind,
                object_id: &object.id,
                object_name: object.name,
                detail,
            },
        )
        .await?;
        tx.commit().await?;
        tracing::info!(
            by = self.name,
            object.kind,
            object.id,
            "{} {} was {action}",
            object.kind,
            object.id
        );
        Ok(())
    }
}

/// The names of what was sent, for the audit log.
fn names(values: &Map<String, Json>) -> String {
    let names: Vec<&str> = values.keys().map(String::as_str).collect();
    names.join(", ")
}

fn text<'a>(values: &'a Map<String, Json>, name: &str) -> Option<&'a str> {
    values.get(name).and_then(Json::as_str)
}

/// An id that a column of 32 bits can hold; others exist nowhere.
fn id_of(values: &Map<String, Json>, name: &str) -> Option<i32> {
    let id = values.get(name)?.as_i64();
    Some(id.and_then(|id| i32::try_from(id).ok()).unwrap_or(0))
}

fn no_such(name: &str, values: &Map<String, Json>) -> ApiError {
    let id = values.get(name).cloned().unwrap_or_default();
    invalid_pk(name, &id)
}

fn invalid_pk(name: &str, id: &Json) -> ApiError {
    let mut fields = Map::new();
    let id = id.as_str().map_or_else(|| id.to_string(), str::to_owned);
    let message = format!("Invalid pk \"{id}\" - object does not exist.");
    fields.insert(name.to_owned(), json!([message]));
    ApiError::Invalid(fields)
}
