//! `/livez`, `/readyz` and `/metrics`, for an orchestrator.

use std::sync::Arc;

use axum::{Json, Router, extract::State, response::IntoResponse, routing::get};
use http::{StatusCode, header};
use rds_iam::Connector;
use serde_json::json;

use crate::counters::Counters;

#[derive(Clone)]
struct Health {
    counters: Arc<Counters>,
    connectors: Arc<Vec<Arc<Connector>>>,
}

/// The routes; `connectors` are the doors' upstreams.
pub fn routes(counters: Arc<Counters>, connectors: Vec<Arc<Connector>>) -> Router {
    let health = Health {
        counters,
        connectors: Arc::new(connectors),
    };
    Router::new()
        .route("/livez", get(async || "ok\n"))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .with_state(health)
}

/// Ready while clients are taken and no upstream's last login failed.
async fn ready(State(health): State<Health>) -> impl IntoResponse {
    let mut upstreams = Vec::new();
    let mut good = health.counters.is_listening();
    for connector in health.connectors.iter() {
        let status = connector.status();
        let failed = status.last_failure.filter(|failure| status.last_success.is_none_or(|success| success < failure.at));
        good &= failed.is_none();
        upstreams.push(json!({
            "host": status.host,
            "user": status.user,
            "last_success": status.last_success.map(|at| at.to_string()),
            "failing": failed.map(|failure| failure.explanation.to_string()),
        }));
    }
    let code = if good { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (code, Json(json!({"ready": good, "sessions": health.counters.open(), "upstreams": upstreams})))
}

async fn metrics(State(health): State<Health>) -> impl IntoResponse {
    let mut text = String::new();
    for (name, kind, help, value) in health.counters.metrics() {
        text.push_str(&format!("# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}\n"));
    }
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text)
}
