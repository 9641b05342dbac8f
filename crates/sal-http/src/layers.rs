//! What every request goes through: a request id, one line of log, counters, and the headers every answer carries.

use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http_body::Body as _;
use rand::RngExt;
use tokio::time::Instant;
use tracing::{Instrument, info, info_span};

use crate::app::App;
use crate::error::AppError;
use crate::metric_names::{REQUEST_SECONDS, REQUESTS};

/// Gives the request an id (its own, if it brought a sane one), logs its outcome, counts it.
pub async fn observe(request: Request, next: Next) -> Response {
    let id = request_id(&request);
    let door = door_of(request.uri().path());
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    let span = info_span!("request", request_id = %id, door);
    let started = Instant::now();
    let mut response = next.run(request).instrument(span.clone()).await;
    let elapsed = started.elapsed();
    let status = response.status().as_u16();
    span.in_scope(|| {
        info!(
            status,
            elapsed_ms = elapsed.as_secs_f64() * 1000.0,
            "{method} {} answered {status}",
            without_secrets(&path)
        )
    });
    metrics::counter!(REQUESTS, "door" => door, "status" => class_of(status)).increment(1);
    metrics::histogram!(REQUEST_SECONDS, "door" => door).record(elapsed.as_secs_f64());
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response
}

/// Adds the headers that Django's security middleware sends; a handler's own value wins.
pub async fn standard_headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
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
pub async fn read_form(State(app): State<App>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    if body.is_end_stream() {
        return next.run(Request::from_parts(parts, body)).await;
    }
    let limit_bytes = if parts.uri.path().starts_with("/login") {
        LOGIN_BYTES
    } else {
        FORM_BYTES
    };
    match app.memory().read(body, limit_bytes).await {
        Ok(read) => {
            next.run(Request::from_parts(parts, read.bytes.into()))
                .await
        }
        Err(AppError::BodyTooLarge { limit_bytes }) => {
            AppError::FormTooLarge { limit_bytes }.into_response()
        }
        Err(error) => error.into_response(),
    }
}

const LOGIN_BYTES: usize = 16 * 1024;
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

/// Which of the four doors a path belongs to, for logs and metrics.
fn door_of(path: &str) -> &'static str {
    const MACHINES: &[&str] = &[
        "/checkin",
        "/preflight",
        "/report_broken_client",
        "/inventory/hash",
        "/inventory/submit",
        "/catalog/",
        "/profiles/submit",
    ];
    const OWN: &[&str] = &["/healthcheck", "/livez", "/readyz", "/metrics"];
    if MACHINES.iter().any(|prefix| path.starts_with(prefix)) {
        "machines"
    } else if path.starts_with("/api") {
        "programs"
    } else if OWN.iter().any(|prefix| path.starts_with(prefix)) {
        "health"
    } else {
        "people"
    }
}

/// Paths that carry a secret are logged without it: set-up links, and licence URLs with a group's key.
fn without_secrets(path: &str) -> &str {
    match path {
        path if path.starts_with("/setup/") => "/setup/***",
        path if path.starts_with("/licenses/available/") => "/licenses/available/***",
        path if path.starts_with("/licenses/usage/") => "/licenses/usage/***",
        path => path,
    }
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
