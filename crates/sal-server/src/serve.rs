//! Serves a listener until the shutdown token falls, then lets requests finish for a bounded time.

use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use axum::Router;
use axum_server::Handle;
use hyper_util::rt::TokioTimer;
use tokio_util::sync::CancellationToken;
use tracing::info;

/// The server could not go on.
#[derive(Debug, thiserror::Error)]
#[error("the HTTP server stopped")]
pub struct ServeError(#[from] std::io::Error);

/// Serves `router` on `listener` until `shutdown` is cancelled; then no new connections are taken and open
/// requests have `drain` to finish.
///
/// A client that sends its headers too slowly is cut off after 15 s.
///
/// # Errors
/// When the listener cannot be used or accepting fails for good.
pub async fn serve(
    router: Router,
    listener: TcpListener,
    drain: Duration,
    shutdown: CancellationToken,
) -> Result<(), ServeError> {
    listener.set_nonblocking(true)?;
    let handle = Handle::new();
    let mut server = axum_server::from_tcp(listener)?.handle(handle.clone());
    server
        .http_builder()
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_secs(15));
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let serving = server.serve(service);
    tokio::pin!(serving);
    tokio::select! {
        ended = &mut serving => return Ok(ended?),
        () = shutdown.cancelled() => {}
    }
    info!(
        drain_seconds = drain.as_secs(),
        "stopping: open requests may finish"
    );
    handle.graceful_shutdown(Some(drain));
    Ok(serving.await?)
}
