//! Health: alive, ready, and numbers. `/healthcheck/` is the original's, which says yes as long as it runs.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use sal_http::database_status::DatabaseStatus;
use sal_http::metric_names::{DB_CONNECTIONS, DB_CREDENTIAL_SECONDS};
use sal_http::{App, django};
use sal_store::pool::Executor;
use serde_json::{Value, json};

use crate::router::Options;

/// `/healthcheck/`, `/livez`, `/readyz`, `/metrics`.
pub(crate) fn routes(options: &Options) -> Router<App> {
    let render = Arc::clone(&options.render_metrics);
    Router::new()
        .route("/healthcheck/", get(healthcheck))
        .route("/livez", get(async || "ok\n"))
        .route("/readyz", get(ready))
        .route(
            "/metrics",
            get(async move |State(app): State<App>| metrics(&app, &render)),
        )
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

/// 200 when a connection can be had and answers; 503 with what the last login said when not.
async fn ready(State(app): State<App>) -> Response {
    let asked = tokio::time::timeout(PATIENCE, ask(&app))
        .await
        .unwrap_or_else(|_elapsed| Err("no answer in time".to_owned()));
    let status = app.database_status();
    let (code, database) = match asked {
        Ok(()) => (StatusCode::OK, "ok".to_owned()),
        Err(why) => (StatusCode::SERVICE_UNAVAILABLE, why),
    };
    (code, Json(report(&database, &status, app.now()))).into_response()
}

async fn ask(app: &App) -> Result<(), String> {
    let db = app.store.get().await.map_err(|error| error.to_string())?;
    db.client()
        .simple_query("")
        .await
        .map_err(|_error| "the connection is broken".to_owned())?;
    Ok(())
}

fn report(database: &str, status: &DatabaseStatus, now: jiff::Timestamp) -> Value {
    let age = |at: jiff::Timestamp| now.duration_since(at).as_secs();
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

/// How long readiness waits for the database; orchestrators ask every few seconds.
const PATIENCE: Duration = Duration::from_secs(3);
