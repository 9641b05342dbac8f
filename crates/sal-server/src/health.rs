//! Health: alive, ready, and numbers. `/healthcheck/` is the original's, which says yes as long as it runs.
//!
//! In public, `/readyz` says only whether. Why not, and the numbers, are for those with the token (`SAL_STATUS_TOKEN`)
//! and for whoever reaches the second listener (`SAL_STATUS_LISTEN`).

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use jiff::Timestamp;
use sal_http::database_status::DatabaseStatus;
use sal_http::metric_names::{DB_CONNECTIONS, DB_CREDENTIAL_SECONDS};
use sal_http::skew::skew_in_words;
use sal_http::{Access, App, Door, Routes, django};
use serde_json::{Value, json};
use subtle::ConstantTimeEq;

use crate::router::Options;

/// `/healthcheck/`, `/livez`, `/readyz`, `/metrics`, as the public sees them.
pub(crate) fn routes(options: &Options) -> Routes {
    let shown = Shown {
        render: Arc::clone(&options.render_metrics),
        token: options.status_token.clone(),
        is_private: false,
    };
    Routes::new()
        .route("/healthcheck/", Access::Anyone, get(healthcheck))
        .merge(status_routes(shown))
        .behind(Door::Health)
}

/// The second listener: the same with everything told.
pub fn status_router(app: App, options: &Options) -> Router {
    let shown = Shown {
        render: Arc::clone(&options.render_metrics),
        token: None,
        is_private: true,
    };
    status_routes(shown).into_router().with_state(app)
}

/// What is told to whom.
#[derive(Clone)]
struct Shown {
    render: Arc<dyn Fn() -> String + Send + Sync>,
    token: Option<Arc<str>>,
    is_private: bool,
}

fn status_routes(shown: Shown) -> Routes {
    let ready_shown = shown.clone();
    Routes::new()
        .route("/livez", Access::Anyone, get(async || "ok\n"))
        .route(
            "/readyz",
            Access::Anyone,
            get(async move |State(app): State<App>, headers: HeaderMap| {
                ready(&app, ready_shown.tells_all(&headers)).await
            }),
        )
        .route(
            "/metrics",
            Access::StatusToken,
            get(async move |State(app): State<App>, headers: HeaderMap| {
                if shown.tells_all(&headers) {
                    return metrics(&app, &shown.render);
                }
                match shown.token {
                    None => django::not_found(),
                    Some(_) => unauthorized(),
                }
            }),
        )
}

impl Shown {
    fn tells_all(&self, headers: &HeaderMap) -> bool {
        let bearer = headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.strip_prefix("Bearer "));
        let is_right = |token: &Arc<str>| {
            bearer.is_some_and(|shown| shown.as_bytes().ct_eq(token.as_bytes()).into())
        };
        self.is_private || self.token.as_ref().is_some_and(is_right)
    }
}

fn unauthorized() -> Response {
    let headers = [(header::WWW_AUTHENTICATE, "Bearer")];
    let text = "The token of SAL_STATUS_TOKEN is needed: Authorization: Bearer …\n";
    (StatusCode::UNAUTHORIZED, headers, text).into_response()
}

async fn healthcheck(headers: HeaderMap) -> Response {
    let accept = headers
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok())
        .unwrap_or("");
    if accept.contains("application/json") {
        return Json(json!({})).into_response();
    }
    let page = "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>System status</title></head>\
                <body><h1>System status</h1><p>This server runs. Whether it is ready is at /readyz.</p></body></html>\n";
    django::answer(StatusCode::OK, page)
}

/// 200 when the database can be asked and machines are not refused one after the other; 503 otherwise.
async fn ready(app: &App, tells_all: bool) -> Response {
    let asked = app
        .store
        .probe()
        .await
        .and_then(|theirs| clock(theirs, app))
        .and_then(|()| machines(app));
    let code = match asked {
        Ok(()) => StatusCode::OK,
        Err(_) => StatusCode::SERVICE_UNAVAILABLE,
    };
    if tells_all {
        let database = asked.err().unwrap_or_else(|| "ok".to_owned());
        let report = report(&database, &app.database_status(), app.now());
        return (code, Json(report)).into_response();
    }
    let word = if asked.is_ok() { "ready" } else { "not ready" };
    (code, format!("{word}\n")).into_response()
}

/// Whether this server and the database agree on the time. Check-ins would be stored with the wrong one.
fn clock(theirs: Timestamp, app: &App) -> Result<(), String> {
    match skew_in_words(app.now(), theirs, MOST_SKEW) {
        None => Ok(()),
        Some(by) => Err(format!("the clock of this server is {by} the database's")),
    }
}

/// As much as tokens and single sign-on forgive.
const MOST_SKEW: Duration = Duration::from_secs(300);

/// What the requests of machines say of the last seconds.
fn machines(app: &App) -> Result<(), String> {
    match app.outcomes().mostly_failed() {
        None => Ok(()),
        Some((failed, of)) => Err(format!(
            "{failed} of the last {of} requests of machines failed; the log says why"
        )),
    }
}

fn report(database: &str, status: &DatabaseStatus, now: Timestamp) -> Value {
    let age = |at: Timestamp| now.duration_since(at).as_secs();
    json!({
        "database": database,
        "login": {
            "mode": format!("{:?}", status.mode).to_lowercase(),
            "last_success_age_seconds": status.last_success.map(age),
            "last_failure_age_seconds": status.last_failure.as_ref().map(|failure| age(failure.at)),
            "last_failure": status.last_failure.as_ref().map(|failure| failure.what.as_str()),
        },
    })
}

fn metrics(app: &App, render: &Arc<dyn Fn() -> String + Send + Sync>) -> Response {
    let status = app.database_status();
    for (state, count) in [
        ("open", status.pool.open),
        ("idle", status.pool.idle),
        ("waiting", status.pool.waiting),
    ] {
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        metrics::gauge!(DB_CONNECTIONS, "state" => state).set(f64::from(count));
    }
    if let Some(expiry) = status.credential_expiry {
        metrics::gauge!(DB_CREDENTIAL_SECONDS).set(expiry.duration_since(app.now()).as_secs_f64());
    }
    (
        [(
            header::CONTENT_TYPE,
            "text/plain; version=0.0.4; charset=utf-8",
        )],
        render(),
    )
        .into_response()
}
