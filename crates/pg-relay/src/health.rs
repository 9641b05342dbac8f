//! `/livez`, `/readyz` and `/metrics`, for an orchestrator; `POST /quitquitquit`, for a job that has done its work.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{
    Extension, Json, Router,
    extract::{ConnectInfo, State},
    response::IntoResponse,
    routing::{get, post},
};
use http::{HeaderMap, StatusCode, header};
use rds_iam::Connector;
use serde_json::{Value, json};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::{counters::Counters, places::RoomStatus};

#[derive(Clone)]
struct Health {
    counters: Arc<Counters>,
    connectors: Arc<Vec<Arc<Connector>>>,
    /// When each upstream was last logged in to for the sake of knowing.
    probed: Arc<Mutex<Vec<Option<Instant>>>>,
    quit: CancellationToken,
}

impl Health {
    /// Whether it is time to log in to an upstream for the sake of knowing; at most once in a while.
    fn may_probe(&self, upstream: usize) -> bool {
        let mut probed = self.probed.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(last) = probed.get_mut(upstream) else {
            return false;
        };
        let due = last.is_none_or(|at| at.elapsed() > BETWEEN_PROBES);
        if due {
            *last = Some(Instant::now());
        }
        due
    }
}

/// Why an upstream is not known to let clients in; `None` when its last login worked.
fn doubt(connector: &Connector) -> Option<String> {
    let status = connector.status();
    let failure = status.last_failure.filter(|failure| {
        status
            .last_success
            .is_none_or(|success| success < failure.at)
    });
    match (failure, status.last_success) {
        (Some(failure), _) => Some(failure.explanation.to_string()),
        (None, Some(_)) => None,
        (None, None) => Some("no login has ended yet".to_owned()),
    }
}

/// Logs in to an upstream and out again, for the sake of knowing; whether that worked. The connector's status has why not.
pub async fn try_login(connector: &Connector) -> bool {
    let trying = async {
        let connected = connector.connect().await;
        let worked = connected.is_ok();
        if let Ok(connection) = connected {
            drop(connection.client);
            let _ended = connection.task.await;
        }
        worked
    };
    let outcome = tokio::time::timeout(PROBE, trying).await;
    outcome.unwrap_or_default()
}

/// After so long an outcome says too little of now: the role may be switched off, or its connections used up.
const MOST_AGE: Duration = Duration::from_secs(60);
/// How long readiness waits for a login of its own.
const PROBE: Duration = Duration::from_secs(3);
const BETWEEN_PROBES: Duration = Duration::from_secs(2);

/// The routes; `connectors` are the doors' upstreams, and `quit` is cancelled when a process of this machine asks for it.
pub fn routes(
    counters: Arc<Counters>,
    connectors: Vec<Arc<Connector>>,
    quit: CancellationToken,
) -> Router {
    let health = Health {
        counters,
        probed: Arc::new(Mutex::new(vec![None; connectors.len()])),
        connectors: Arc::new(connectors),
        quit,
    };
    Router::new()
        .route("/livez", get(async || "ok\n"))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .route("/quitquitquit", post(end))
        .with_state(health)
}

/// Ends the relay as soon as its sessions have ended. Only for processes of this machine or pod, where the address may be
/// open to all for probes; and not for pages in a browser, which say where they come from.
async fn end(
    State(health): State<Health>,
    peer: Option<Extension<ConnectInfo<SocketAddr>>>,
    headers: HeaderMap,
) -> impl IntoResponse {
    let is_near =
        peer.is_some_and(|Extension(ConnectInfo(peer))| peer.ip().to_canonical().is_loopback());
    let is_page = headers.contains_key(header::ORIGIN) || headers.contains_key("sec-fetch-site");
    if !is_near || is_page {
        return (
            StatusCode::FORBIDDEN,
            "only a process of the same machine or pod may end the relay\n",
        );
    }
    tracing::info!("the end was asked for at /quitquitquit");
    health.quit.cancel();
    (StatusCode::OK, "ending when the open sessions have ended\n")
}

/// Ready while clients are taken at every door and every upstream's last login worked. Where there was none, one is made.
async fn ready(State(health): State<Health>) -> impl IntoResponse {
    let mut upstreams = Vec::new();
    let mut good = health.counters.is_listening();
    let doors: Vec<_> = health.counters.doors().iter().map(door).collect();
    good &= health
        .counters
        .doors()
        .iter()
        .all(|(_, room)| !room.is_full);
    for (index, connector) in health.connectors.iter().enumerate() {
        let mut failing = doubt(connector);
        let is_old = connector
            .since_last_login()
            .is_none_or(|age| age > MOST_AGE);
        if (failing.is_some() || is_old) && health.may_probe(index) {
            // Where nobody is sent to, nobody logs in: readiness finds out by itself whether it works, and is back.
            let _worked = try_login(connector).await;
            failing = doubt(connector);
        }
        let status = connector.status();
        good &= failing.is_none();
        upstreams.push(json!({
            "host": status.host,
            "user": status.user,
            "last_success": status.last_success.map(|at| at.to_string()),
            "last_failure": status.last_failure.map(|failure| failure.at.to_string()),
            "last_login_seconds_ago": connector.since_last_login().map(|age| age.as_secs()),
            "failing": failing,
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
