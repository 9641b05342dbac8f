//! All rows of a list in one answer: JSON Lines, CSV, and the plain array of `execute`.
//!
//! The rows are of one moment, and written while the database is read. The last line says how many there were: an answer
//! without it is not whole, whatever its status.

mod lines;

use std::time::Duration;

use axum::{
    body::{Body, Bytes},
    http::{HeaderName, HeaderValue, Method, header},
    response::{IntoResponse, Response},
};
use futures_util::{Stream, future::join, stream::try_unfold};
use sal_http::{
    App, AppError,
    db::{program_client, stream_client},
};
use sal_store::resources::{self, Batch, Conditions, Resource};
use tokio::time::Instant;

use self::lines::{Lines, Shape};
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
        Body::from_stream(chunks(Sending {
            rows,
            batch: first,
            ready: lines.head(),
            lines,
            began: Instant::now(),
        }))
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

/// An answer that is on its way.
struct Sending {
    rows: resources::Stream,
    /// Read and not written yet; empty at the end.
    batch: Batch,
    /// Written and not sent yet.
    ready: Vec<u8>,
    lines: Lines,
    began: Instant,
}

impl Sending {
    /// Writes what was read, while the database looks for what comes next.
    async fn step(&mut self) -> Result<(), AppError> {
        let Self {
            rows,
            batch,
            ready,
            lines,
            began,
        } = self;
        if began.elapsed() > LONGEST {
            let why = "its reader took more than an hour";
            return Err(AppError::internal("a stream", why));
        }
        let written = async {
            let mut rows = batch.rows();
            rows.try_for_each(|row| lines.add(row, ready))
        };
        let (next, written) = join(rows.next(), written).await;
        written?;
        *batch = next?;
        Ok(())
    }
}

fn chunks(sending: Sending) -> impl Stream<Item = Result<Bytes, AppError>> + Send + 'static {
    try_unfold(Some(sending), |sending| async move {
        let Some(mut sending) = sending else {
            return Ok(None);
        };
        if sending.batch.is_empty() {
            sending.lines.end(&mut sending.ready);
            if let Err(error) = sending.rows.end().await {
                tracing::debug!("a stream was whole, and its connection is lost: {error}");
            }
            return Ok(Some((Bytes::from(sending.ready), None)));
        }
        let step = sending.step().await;
        step.inspect_err(|error| tracing::error!("a stream broke off: {error}"))?;
        let chunk = Bytes::from(std::mem::take(&mut sending.ready));
        Ok(Some((chunk, Some(sending))))
    })
}

/// Rows that changed meanwhile are kept for its snapshot, so that it may not go on for ever.
const LONGEST: Duration = Duration::from_secs(3600);
