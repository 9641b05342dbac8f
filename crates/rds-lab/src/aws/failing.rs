//! Lets a stand-in fail: connections closed at once, statuses, silence.
//!
//! Also puts the lab's time into the `Date` header, by which clients measure their clock's skew.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::serve::Listener;
use http::{HeaderValue, StatusCode, header};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

use super::Account;
use crate::faults::{EndpointHealth, Faults, Service};

/// A listener that closes what it accepts while its service is down.
pub(super) struct FailingListener {
    inner: TcpListener,
    service: Service,
    faults: Faults,
}

impl FailingListener {
    pub(super) fn new(inner: TcpListener, service: Service, faults: Faults) -> Self {
        Self {
            inner,
            service,
            faults,
        }
    }
}

impl Listener for FailingListener {
    type Io = TcpStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (TcpStream, SocketAddr) {
        loop {
            match self.inner.accept().await {
                Ok(_closed) if self.faults.endpoint(self.service) == EndpointHealth::Down => {}
                Ok(accepted) => return accepted,
                Err(_exhausted) => tokio::time::sleep(Duration::from_millis(10)).await,
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.inner.local_addr()
    }
}

/// Wraps a stand-in's routes so that its faults and the lab's time show.
pub(super) fn layered(
    routes: Router<Arc<Account>>,
    service: Service,
    account: &Arc<Account>,
    shutdown: &CancellationToken,
) -> Router<Arc<Account>> {
    let account = Arc::clone(account);
    let shutdown = shutdown.clone();
    routes.layer(from_fn(move |request: Request, next: Next| {
        let account = Arc::clone(&account);
        let shutdown = shutdown.clone();
        async move {
            let mut response = match account.faults.endpoint(service) {
                EndpointHealth::Up => next.run(request).await,
                EndpointHealth::Down => unavailable(),
                EndpointHealth::Status(code) => StatusCode::from_u16(code)
                    .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
                    .into_response(),
                EndpointHealth::Silent => {
                    shutdown.cancelled().await;
                    unavailable()
                }
            };
            let date = account
                .clock
                .now()
                .strftime("%a, %d %b %Y %H:%M:%S GMT")
                .to_string();
            if let Ok(date) = HeaderValue::from_str(&date) {
                response.headers_mut().insert(header::DATE, date);
            }
            response
        }
    }))
}

fn unavailable() -> Response {
    let close = [(header::CONNECTION, "close")];
    (StatusCode::SERVICE_UNAVAILABLE, close).into_response()
}
