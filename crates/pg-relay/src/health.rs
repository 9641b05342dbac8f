//! `/livez`, `/readyz` and `/metrics`, for an orchestrator.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{Json, Router, extract::State, response::IntoResponse, routing::get};
use http::{StatusCode, header};
use rds_iam::{Connector, LoginFailureNote};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::{counters::Counters, places::RoomStatus};

#[derive(Clone)]
struct Health {
    counters: Arc<Counters>,
    connectors: Arc<Vec<Arc<Connector>>>,
    probed: Arc<Mutex<Option<Instant>>>,
}

impl Health {
    /// Whether it is time to log in for the sake of knowing; at most once in a while.
    fn may_probe(&self) -> bool {
        let mut probed = self.probed.lock().unwrap_or_else(PoisonError::into_inner);
        let due = probed.is_none_or(|at| at.elapsed() > BETWEEN_PROBES);
        if due {
            *probed = Some(Instant::now());
        }
        due
    }
}

/// The last login's failure, unless one has succeeded since.
fn failing(connector: &Connector) -> Option<LoginFailureNote> {
    let status = connector.status();
    status.last_failure.filter(|failure| {
        status
            .last_success
            .is_none_or(|success| success < failure.at)
    })
}

/// How long readiness waits for a login of its own.
const PROBE: Duration = Duration::from_secs(3);
const BETWEEN_PROBES: Duration = Duration::from_secs(2);

/// The routes; `connectors` are the doors' upstreams.
pub fn routes(counters: Arc<Counters>, connectors: Vec<Arc<Connector>>) -> Router {
    let health = Health {
        counters,
        connectors: Arc::new(connectors),
        probed: Arc::default(),
    };
    Router::new()
        .route("/livez", get(async || "ok\n"))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .with_state(health)
}

/// Ready while clients are taken at every door and no upstream's last login failed.
async fn ready(State(health): State<Health>) -> impl IntoResponse {
    let mut upstreams = Vec::new();
    let mut good = health.counters.is_listening();
    let doors: Vec<_> = health.counters.doors().iter().map(door).collect();
    good &= health
        .counters
        .doors()
        .iter()
        .all(|(_, room)| !room.is_full);
    for connector in health.connectors.iter() {
        let mut failed = failing(connector);
        if failed.is_some() && health.may_probe() {
            // Where nobody is sent to, nobody logs in: readiness finds out by itself that it is back.
            let _outcome = tokio::time::timeout(PROBE, connector.connect()).await;
            failed = failing(connector);
        }
        let status = connector.status();
        good &= failed.is_none();
        upstreams.push(json!({
            "host": status.host,
            "user": status.user,
            "last_success": status.last_success.map(|at| at.to_string()),
            "failing": failed.map(|failure| failure.explanation.to_string()),
        }));
    }
    let code = if good {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (
        code,
        Json(
            json!({"ready": good, "sessions": health.counters.open(), "doors": doors, "upstreams": upstreams}),
        ),
    )
}

fn door((place, room): &(String, RoomStatus)) -> Value {
    json!({
        "place": place,
        "waiting": room.waiting,
        "most_waiting": room.most,
        "full_addresses": room.full_addresses,
        "full": room.is_full.then_some("clients are turned away: too many have connected and say nothing"),
    })
}

async fn metrics(State(health): State<Health>) -> impl IntoResponse {
    let mut text = String::new();
    for (name, kind, help, value) in health.counters.metrics() {
        text.push_str(&format!(
            "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}\n"
        ));
    }
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text)
}
