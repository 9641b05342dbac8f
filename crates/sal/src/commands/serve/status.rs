//! The second listener: readiness with its reasons, and metrics, for those who can reach it.

use std::net::{SocketAddr, TcpListener};

use anyhow::{Context, Result};
use sal_http::App;
use sal_server::Options;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

/// Listens where `SAL_STATUS_LISTEN` says, if it is set.
///
/// # Errors
/// When the address cannot be listened on.
pub(super) fn listen(address: Option<SocketAddr>) -> Result<Option<TcpListener>> {
    let Some(address) = address else {
        return Ok(None);
    };
    let listener = TcpListener::bind(address)
        .with_context(|| format!("listening on {address} (SAL_STATUS_LISTEN)"))?;
    let bound = listener
        .local_addr()
        .context("reading the address of SAL_STATUS_LISTEN")?;
    info!("readiness with its reasons and metrics are at http://{bound}");
    Ok(Some(listener))
}

/// Serves it until the shutdown, with connections of its own, so that it answers when the public listener is full.
pub(super) async fn serve(
    listener: TcpListener,
    app: App,
    options: Options,
    shutdown: CancellationToken,
) {
    let router = sal_server::status_router(app, &options);
    let options = Options {
        max_connections: CONNECTIONS,
        ..options
    };
    if let Err(error) = sal_server::serve(router, listener, &options, shutdown).await {
        warn!(%error, "the listener of SAL_STATUS_LISTEN stopped");
    }
}

/// Orchestrators and scrapers are few.
const CONNECTIONS: usize = 16;
