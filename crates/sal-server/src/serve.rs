//! Serves a listener until the shutdown token falls, then lets requests finish for a bounded time.
//!
//! HTTP/1.1 only, as every client of Sal and every proxy in front of it speaks; so the time for a request's headers
//! begins with the connection, and a silent one is closed. How many connections are held is bounded, and the bound is
//! made good by those that do nothing ([`connections`]).

mod connections;

use std::convert::Infallible;
use std::net::{SocketAddr, TcpListener};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use sal_http::metric_names::ACCEPT_ERRORS;
use sal_http::seldom::Seldom;
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt;
use tracing::{info, warn};

use self::connections::{Connections, Place};
use crate::router::Options;

/// The server could not go on.
#[derive(Debug, thiserror::Error)]
#[error("the HTTP server stopped")]
pub struct ServeError(#[from] std::io::Error);

/// Serves `router` on `listener` until `shutdown` is cancelled; then no new connections are taken and open
/// requests have `options.drain` to finish. A failure to accept is logged and tried again.
///
/// # Errors
/// When the listener cannot be used.
pub async fn serve(
    router: Router,
    listener: TcpListener,
    options: &Options,
    shutdown: CancellationToken,
) -> Result<(), ServeError> {
    listener.set_nonblocking(true)?;
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let connections = Connections::new(options.max_connections);
    let (tasks, cut) = (TaskTracker::new(), CancellationToken::new());
    let failures = Seldom::default();
    loop {
        let accepted = tokio::select! {
            () = shutdown.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                let Some(place) = connections.admit().await else {
                    continue;
                };
                let serving = Serving {
                    router: router.clone(),
                    peer,
                    place,
                    shutdown: shutdown.clone(),
                    cut: cut.clone(),
                };
                tasks.spawn(serving.run(stream));
            }
            Err(error) => {
                metrics::counter!(ACCEPT_ERRORS).increment(1);
                if failures.is_due() {
                    warn!(%error, "a connection could not be accepted: {error}");
                }
                // Out of files: room is made, and the next try waits for it.
                connections.make_room();
                tokio::time::sleep(AFTER_A_FAILURE).await;
            }
        }
    }
    drop(listener);
    info!(
        drain_seconds = options.drain.as_secs(),
        "stopping: open requests may finish"
    );
    tasks.close();
    if tokio::time::timeout(options.drain, tasks.wait())
        .await
        .is_err()
    {
        cut.cancel();
        tasks.wait().await;
    }
    Ok(())
}

/// One connection.
struct Serving {
    router: Router,
    peer: SocketAddr,
    place: Place,
    shutdown: CancellationToken,
    /// Falls when the time for finishing is over.
    cut: CancellationToken,
}

impl Serving {
    async fn run(self, stream: TcpStream) {
        // Answers are small and written at once.
        let _refused = stream.set_nodelay(true);
        let state = self.place.state();
        let service = service_fn(|request: Request<Incoming>| {
            let (router, state) = (self.router.clone(), Arc::clone(&state));
            let mut request = state.reading(request).map(Body::new);
            request.extensions_mut().insert(ConnectInfo(self.peer));
            async move {
                // A router cannot fail.
                let response = router.oneshot(request).await?;
                Ok::<_, Infallible>(state.sending(response))
            }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADERS)
            .max_buf_size(BUFFER_BYTES)
            .serve_connection(TokioIo::new(stream), service);
        let mut connection = pin!(connection);
        let mut stopping = false;
        loop {
            tokio::select! {
                // What the client did wrong, or that it went away, is no news.
                _ended = connection.as_mut() => return,
                () = self.cut.cancelled() => return,
                () = self.place.evicted() => return,
                () = self.shutdown.cancelled(), if !stopping => {
                    stopping = true;
                    connection.as_mut().graceful_shutdown();
                }
            }
        }
    }
}

/// For a request's headers, from the connection or the last answer on. Longer than a proxy keeps an idle connection
/// for its next request would only hold places.
const HEADERS: Duration = Duration::from_secs(15);
/// What each connection reads at once, and the most that a request's headers may have. By itself hyper goes up to 400 KiB
/// each, which two thousand machines that report at the same moment make hundreds of megabytes. Less than this would be
/// too little for lists of machines: 500 names in an address, which the page's own script sends twice.
const BUFFER_BYTES: usize = 64 * 1024;
const AFTER_A_FAILURE: Duration = Duration::from_millis(50);
