//! A server that takes submissions as Sal does and remembers them.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

/// What arrived.
#[derive(Clone, Debug)]
pub(crate) struct Arrival {
    pub(crate) authorization: String,
    pub(crate) content_type: String,
    pub(crate) body: Bytes,
}

/// What the server does with check-ins.
#[derive(Clone)]
pub(crate) struct Behaviour {
    pub(crate) status: StatusCode,
    pub(crate) text: &'static str,
    /// Answers wait for a permit.
    pub(crate) gate: Arc<Semaphore>,
}

impl Behaviour {
    pub(crate) fn answer(status: StatusCode, text: &'static str) -> Self {
        let gate = Arc::new(Semaphore::new(Semaphore::MAX_PERMITS));
        Self { status, text, gate }
    }
}

/// A running server; stops when dropped.
pub(crate) struct Server {
    pub(crate) url: String,
    arrivals: Arc<Mutex<Vec<Arrival>>>,
    task: JoinHandle<()>,
}

#[derive(Clone)]
struct Shared {
    behaviour: Behaviour,
    arrivals: Arc<Mutex<Vec<Arrival>>>,
}

impl Server {
    pub(crate) async fn start(behaviour: Behaviour) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let arrivals = Arc::new(Mutex::new(Vec::new()));
        let shared = Shared {
            behaviour,
            arrivals: Arc::clone(&arrivals),
        };
        let router = Router::new()
            .route("/checkin/", post(take))
            .with_state(shared);
        let runtime = tokio::runtime::Handle::current();
        let task = runtime.spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self {
            url,
            arrivals,
            task,
        }
    }

    pub(crate) fn arrivals(&self) -> Vec<Arrival> {
        self.arrivals.lock().unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn take(
    State(shared): State<Shared>,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, &'static str) {
    let text = |name: &str| {
        headers
            .get(name)
            .map(|v| v.to_str().unwrap().to_owned())
            .unwrap_or_default()
    };
    shared.arrivals.lock().unwrap().push(Arrival {
        authorization: text("authorization"),
        content_type: text("content-type"),
        body,
    });
    let permit = shared.behaviour.gate.acquire().await.unwrap();
    permit.forget();
    (shared.behaviour.status, shared.behaviour.text)
}
