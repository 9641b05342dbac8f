//! All rows of a list in one answer: JSON Lines, CSV, and the plain array of `execute`.
//!
//! The rows are of one moment, and written while the database is read. The last line says how many there were: an answer
//! without it is not whole, whatever its status.

mod lines;
mod sender;

use axum::{
    body::Body,
    http::{HeaderName, HeaderValue, Method, header},
    response::{IntoResponse, Response},
};
use sal_http::{
    App,
    db::{program_client, stream_client},
};
use sal_store::resources::{self, Conditions, Resource};

use self::{
    lines::{Lines, Shape},
    sender::{Sending, body},
};
use crate::{
    Asked,
    access::ApiRead,
    answer::Format,
    changed::{self, Changes},
    error::ApiError,
    list,
};

/// Rows that are sent.
pub(crate) struct Rows<'a> {
    pub(crate) resource: &'static Resource,
    /// All fields, or these.
    pub(crate) fields: Option<&'a [&'a str]>,
    pub(crate) conditions: &'a Conditions,
    /// What is said around them.
    pub(crate) changes: Option<&'a Changes>,
}

/// A whole list.
pub(crate) async fn list(
    resource: &'static Resource,
    format: Format,
    asked: &Asked<'_>,
    read: &ApiRead,
    app: &App,
) -> Result<Response, ApiError> {
    let query = asked.query;
    let warning = query.unknown(resource)?;
    query.is_whole()?;
    let fields = query.fields(resource)?;
    let db = program_client(app).await?;
    let mut conditions = list::conditions(resource, query, read, app, &db).await?;
    let changes = changed::find(resource, query, read, app, &db).await?;
    drop(db);
    if changes.is_some() && format == Format::Csv {
        let message = "CSV has no place for what is gone; ask for JSON Lines or pages.";
        return Err(ApiError::field(changed::NAME, message));
    }
    conditions.only = changes
        .as_ref()
        .and_then(|changes| changes.machines.clone());
    let rows = Rows {
        resource,
        fields: fields.as_deref(),
        conditions: &conditions,
        changes: changes.as_ref(),
    };
    let mut response = send(&rows, format, &asked.parts.method, read, app).await?;
    if let Some(warning) = warning {
        let name = HeaderName::from_static("warning");
        response.headers_mut().insert(name, warning);
    }
    Ok(response)
}

/// Begins to send the rows; what the database has against it is said before.
pub(crate) async fn send(
    rows: &Rows<'_>,
    format: Format,
    method: &Method,
    read: &ApiRead,
    app: &App,
) -> Result<Response, ApiError> {
    let resource = rows.resource;
    let (shape, media_type, extension) = match format {
        Format::Json => (Shape::Array, "application/json", None),
        Format::JsonLines(media_type) => (Shape::JsonLines, media_type, Some("jsonl")),
        Format::Csv => (Shape::Csv, "text/csv; charset=utf-8", Some("csv")),
    };
    let body = if *method == Method::HEAD {
        Body::empty()
    } else {
        let columns = resource.columns_of(rows.fields);
        let lines = Lines::new(shape, &columns, app.config.time_zone.clone(), rows.changes);
        let db = stream_client(app).await?;
        let mut rows =
            resources::stream(resource, columns, rows.conditions, &read.scope, db).await?;
        let first = rows.next().await?;
        body(Sending::new(rows, first, lines), app.config.stream_patience)
    };
    let mut response = body.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(extension) = extension {
        let name = format!("attachment; filename=\"{}.{extension}\"", resource.name);
        if let Ok(name) = HeaderValue::from_str(&name) {
            headers.insert(header::CONTENT_DISPOSITION, name);
        }
    }
    Ok(response)
}
