//! The gate: speaks the start-up protocol, checks IAM users, passes everyone on.
//!
//! `greeting` gets from the first byte to the start-up message, `rules` decides as RDS's
//! `pg_hba.conf` does, `login` asks for the token, `backend` is the Postgres behind.
//! Known differences to RDS: the backend sees a local connection, so `pg_stat_ssl` says no TLS
//! and `client_addr` is null.

mod backend;
mod greeting;
mod login;
mod proxy;
mod refusal;
mod roles;
mod rules;

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::auth_service::AuthService;
use crate::certs::Authority;
use crate::faults::{Faults, InstanceRole};
use crate::instance::Instance;
use crate::options::ForceSsl;
use crate::shape::{Leads, Site};

pub(crate) use backend::{Backend, Place};
pub(crate) use roles::Roles;

/// A connection, with or without TLS.
pub(crate) trait Duplex: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Duplex for T {}

/// The gate's parts.
pub(crate) struct Front {
    /// Where this door leads, in which site.
    pub(crate) leads: Leads,
    pub(crate) site: Arc<Site>,
    /// The ARN of the role of the proxy.
    pub(crate) proxy_role: String,
    pub(crate) authority: Arc<RwLock<Authority>>,
    pub(crate) auth: AuthService,
    pub(crate) backend: Arc<Backend>,
    pub(crate) roles: Arc<Roles>,
    pub(crate) faults: Faults,
    pub(crate) force_ssl: ForceSsl,
    pub(crate) takes_direct_tls: bool,
    /// Whether IAM authentication is on.
    pub(crate) iam_flag: Arc<Instance>,
    /// The port tokens must be signed for.
    pub(crate) signed_port: u16,
    /// How the connections of this time end.
    pub(crate) connections: Arc<Mutex<Ends>>,
}

/// How all connections that were opened in one period end.
#[derive(Clone, Default)]
pub(crate) struct Ends {
    cut: CancellationToken,
    silenced: CancellationToken,
}

impl Front {
    /// Accepts connections until `shutdown`.
    pub(crate) async fn run(
        self: Arc<Self>,
        listener: TcpListener,
        tracker: TaskTracker,
        shutdown: CancellationToken,
    ) {
        loop {
            let accepted = tokio::select! {
                () = shutdown.cancelled() => return,
                accepted = listener.accept() => accepted,
            };
            let Ok((client, peer)) = accepted else {
                // Out of file descriptors, most likely: give others time to close theirs.
                tokio::time::sleep(Duration::from_millis(10)).await;
                continue;
            };
            let front = Arc::clone(&self);
            let ends = self.current_connections();
            let shutdown = shutdown.clone();
            tracker.spawn(async move {
                tokio::select! {
                    () = shutdown.cancelled() => {}
                    () = ends.cut.cancelled() => {}
                    () = front.serve_until_silenced(client, peer.ip(), &ends) => {}
                }
            });
        }
    }

    /// Serves a connection. Once it is silenced nothing is moved any more, and it stays open.
    async fn serve_until_silenced(&self, client: TcpStream, peer: IpAddr, ends: &Ends) {
        let mut served = std::pin::pin!(self.serve(client, peer));
        tokio::select! {
            () = ends.silenced.cancelled() => std::future::pending().await,
            ended = &mut served => {
                if let Err(error) = ended {
                    tracing::debug!(%error, "a connection ended early");
                }
            }
        }
    }

    /// Closes every connection there is, without a word, as a failover does.
    pub(crate) fn cut_connections(&self) {
        let mut current = self
            .connections
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        current.cut.cancel();
        *current = Ends::default();
    }

    /// Lets every connection there is fall silent, as those with a host that died; only [`Self::run`]'s end closes them.
    pub(crate) fn silence_connections(&self) {
        let mut current = self
            .connections
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        current.silenced.cancel();
        *current = Ends::default();
    }

    /// What the server behind this door may do; a fault makes readers of all.
    fn role(&self) -> InstanceRole {
        match self.faults.role() {
            InstanceRole::Reader => InstanceRole::Reader,
            InstanceRole::Writer => self.site.role(self.leads),
        }
    }

    fn current_connections(&self) -> Ends {
        let current = self
            .connections
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        current.clone()
    }

    fn acceptor(&self) -> TlsAcceptor {
        let authority = self
            .authority
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        TlsAcceptor::from(Arc::clone(&authority.server))
    }

    async fn serve(&self, client: TcpStream, peer: IpAddr) -> std::io::Result<()> {
        tokio::time::sleep(self.faults.slow_accept()).await;
        client.set_nodelay(true)?;
        let login = tokio::time::timeout(AUTHENTICATION_TIMEOUT, self.log_in(client, peer));
        match login.await {
            Ok(Ok(Some(session))) => session.splice().await,
            Ok(Ok(None)) => Ok(()),
            Ok(Err(error)) => Err(error),
            Err(_elapsed) => Err(std::io::ErrorKind::TimedOut.into()),
        }
    }
}

/// Postgres's `authentication_timeout`.
const AUTHENTICATION_TIMEOUT: Duration = Duration::from_secs(60);
