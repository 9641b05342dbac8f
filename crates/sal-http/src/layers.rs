//! What every request goes through: a request id, one line of log, counters, and the headers every answer carries.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http_body::Body as _;
use rand::RngExt;
use tokio::time::Instant;
use tracing::{Instrument, debug, info, info_span, trace};

use crate::app::App;
use crate::error::AppError;
use crate::metric_names::{REQUEST_SECONDS, REQUESTS};
use crate::multipart;
use crate::origin::is_https;
use crate::routes::Doors;

/// Gives the request an id (its own, if it brought a sane one), logs its outcome, counts it.
pub async fn observe(State(doors): State<Arc<Doors>>, request: Request, next: Next) -> Response {
    let id = request_id(&request);
    let asked = request.uri().path();
    let place = doors
        .place(request.extensions())
        .or_else(|| doors.lacking_slash(asked));
    let door = place.map(|place| place.door).unwrap_or_default().name();
    let method = request.method().clone();
    let path = doors.without_secrets(asked);
    let span = info_span!("request", request_id = %id, door);
    // Tells of requests that never end.
    span.in_scope(|| trace!("{method} {path} arrived"));
    let started = Instant::now();
    let mut response = next.run(request).instrument(span.clone()).await;
    let elapsed = started.elapsed();
    let status = response.status().as_u16();
    span.in_scope(|| {
        let elapsed_ms = (elapsed.as_secs_f64() * 1_000_000.0).round() / 1000.0;
        match door {
            // Load balancers ask twice a second.
            "health" => debug!(status, elapsed_ms, "{method} {path} answered {status}"),
            _ => info!(status, elapsed_ms, "{method} {path} answered {status}"),
        }
    });
    metrics::counter!(REQUESTS, "door" => door, "status" => class_of(status)).increment(1);
    metrics::histogram!(REQUEST_SECONDS, "door" => door).record(elapsed.as_secs_f64());
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response
}

/// Adds the headers that Django's security middleware sends; a handler's own value wins. Whoever came by https is told
/// to come by nothing else for a year.
pub async fn standard_headers(State(app): State<App>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let is_https = is_https(&parts, &app);
    let mut response = next.run(Request::from_parts(parts, body)).await;
    if is_https {
        let only_https = HeaderValue::from_static("max-age=31536000");
        response
            .headers_mut()
            .insert(header::STRICT_TRANSPORT_SECURITY, only_https);
    }
    let headers = response.headers_mut();
    for (name, value) in [
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
        (
            HeaderName::from_static("cross-origin-opener-policy"),
            "same-origin",
        ),
        (header::VARY, "Cookie"),
    ] {
        headers
            .entry(name)
            .or_insert(HeaderValue::from_static(value));
    }
    response
}

/// Reads the form of a page before anything is taken for the request, so that a slow sender holds no connection to the
/// database and no person's turn. No form of ours is larger than the limits.
pub async fn read_form(
    State((app, doors)): State<(App, Arc<Doors>)>,
    request: Request,
    next: Next,
) -> Response {
    let (parts, body) = request.into_parts();
    if body.is_end_stream() {
        return next.run(Request::from_parts(parts, body)).await;
    }
    let place = doors.place(&parts.extensions);
    let limit_bytes = place
        .and_then(|place| place.form_bytes)
        .unwrap_or(FORM_BYTES);
    match app.memory().read(body, limit_bytes).await {
        Ok(read) => match as_urlencoded(parts, read.bytes).await {
            Ok(request) => next.run(request).await,
            Err(error) => error.into_response(),
        },
        Err(AppError::BodyTooLarge { limit_bytes }) => {
            AppError::FormTooLarge { limit_bytes }.into_response()
        }
        Err(error) => error.into_response(),
    }
}

/// The request with its form in the one encoding that pages read.
async fn as_urlencoded(mut parts: Parts, body: Bytes) -> Result<Request, AppError> {
    let content_type = parts.headers.get(header::CONTENT_TYPE);
    let content_type = content_type.and_then(|value| value.to_str().ok());
    let Some(content_type) = content_type.filter(|value| multipart::is_multipart(value)) else {
        return Ok(Request::from_parts(parts, body.into()));
    };
    let fields = multipart::parts(content_type, body).await?;
    let encoded = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(fields)
        .finish();
    let urlencoded = HeaderValue::from_static("application/x-www-form-urlencoded");
    parts.headers.insert(header::CONTENT_TYPE, urlencoded);
    let length = HeaderValue::from(encoded.len());
    parts.headers.insert(header::CONTENT_LENGTH, length);
    Ok(Request::from_parts(parts, encoded.into()))
}

const FORM_BYTES: usize = 64 * 1024;

fn request_id(request: &Request) -> String {
    let sane = |text: &&str| {
        (8..=64).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    let given = request
        .headers()
        .get(REQUEST_ID)
        .and_then(|value| value.to_str().ok())
        .filter(sane);
    given.map_or_else(
        || format!("{:016x}", rand::rng().random::<u64>()),
        str::to_owned,
    )
}

fn class_of(status: u16) -> &'static str {
    match status {
        200..300 => "2xx",
        300..400 => "3xx",
        400..500 => "4xx",
        _ => "5xx",
    }
}

/// The header a request id travels in.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
