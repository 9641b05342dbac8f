//! A login whose messages somebody else speaks: for a relay, which lets its client's own session begin.
//!
//! Everything up to the encrypted connection and the signed token is the connector's, and so are the limiter, the
//! retries and the explanations. What follows is the [`Handshake`]'s.

use std::{
    fmt, io,
    net::SocketAddr,
    pin::Pin,
    sync::PoisonError,
    task::{Context, Poll},
    time::Duration,
};

use futures_util::future::BoxFuture;
use rustls_pki_types::ServerName;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf},
    net::TcpStream,
    time::Instant,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use super::{
    Connector, Progress, Way,
    attempt::{Reached, within},
};
use crate::{
    dial::{Peer, Socket, be_patient, dial},
    failure::{LoginError, LoginFailure, Stage},
    secret::Secret,
    status::LoginMode,
    tls::{Negotiation, Seen, TlsClient},
};

/// Postgres's request for TLS (Postgres manual, 55.7: `SSLRequest`).
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];

/// A connection to the server, with TLS or without.
#[derive(Debug)]
pub enum RawStream {
    /// Without: where TLS is switched off.
    Plain(TcpStream),
    /// With.
    Tls(Box<TlsStream<TcpStream>>),
}

/// What is to be said on the new connection.
pub trait Handshake: Send {
    /// What comes of it.
    type Session: Send;

    /// Logs in with the password, which is a token, and returns the session.
    ///
    /// Called again, on a new connection, when the failure may pass or fresh credentials may help.
    fn shake<'a>(
        &'a mut self,
        stream: RawStream,
        peer: SocketAddr,
        password: &'a Secret,
    ) -> BoxFuture<'a, Result<Self::Session, LoginFailure>>;
}

struct Raw<'h, H>(&'h mut H);

impl<H: Handshake> Way for Raw<'_, H> {
    type Session = H::Session;

    fn attempt<'a>(
        &'a mut self,
        connector: &'a Connector,
        progress: &'a mut Progress,
    ) -> BoxFuture<'a, Result<Self::Session, LoginFailure>> {
        Box::pin(async move {
            let reached = connector.reach(progress).await?;
            let Reached {
                stream,
                peer,
                name,
                password,
                deadline,
            } = reached;
            let timeout = connector.config.connect_timeout;
            let (Socket::Left(stream), Peer::Tcp(peer)) = (stream, peer) else {
                return Err(LoginFailure::Ended {
                    message: "a relay leads to a server over TCP only".to_owned(),
                });
            };
            // The traffic to come is not ours: its pauses are its own affair.
            be_patient(&stream).map_err(|error| broken(&error))?;
            let encrypting = connector.encrypt(stream, &name);
            let stream = within(deadline, timeout, Stage::Authenticating, encrypting).await?;
            let shaking = self.0.shake(stream, peer, &password);
            within(deadline, timeout, Stage::Authenticating, shaking).await
        })
    }
}

impl Connector {
    /// Logs in with somebody else's messages; limits, retries and explanations are those of `connect`.
    ///
    /// # Errors
    /// When the login failed for good; the error explains itself.
    pub async fn connect_by<H: Handshake>(
        &self,
        handshake: &mut H,
    ) -> Result<H::Session, LoginError> {
        self.connect_way(&mut Raw(handshake)).await
    }

    /// Sends one packet that has no answer, such as a cancel request, to an address of an earlier session, and waits
    /// until the server closes.
    ///
    /// # Errors
    /// What broke; nobody waits longer than the connect timeout.
    pub async fn send_once(&self, peer: SocketAddr, packet: &[u8]) -> Result<(), LoginFailure> {
        let timeout = self.config.connect_timeout;
        let deadline = Instant::now() + timeout;
        let stream = dial(&[peer.ip()], peer.port(), deadline).await?;
        let name = self
            .notes()
            .sign_name
            .clone()
            .unwrap_or_else(|| self.config.host.clone());
        let sending = async {
            let mut stream = self.encrypt(stream, &name).await?;
            stream
                .write_all(packet)
                .await
                .map_err(|error| broken(&error))?;
            stream.flush().await.map_err(|error| broken(&error))?;
            // Postgres answers by closing, TLS or not; how it does is no matter.
            let _closed = stream.read_to_end(&mut Vec::new()).await;
            Ok(())
        };
        within(deadline, timeout, Stage::Authenticating, sending).await
    }

    /// The user that logs in.
    #[must_use]
    pub fn user(&self) -> &str {
        &self.config.user
    }

    /// The database that is meant when a client names none.
    #[must_use]
    pub fn database(&self) -> &str {
        &self.config.database
    }

    /// How long one attempt may take.
    #[must_use]
    pub fn connect_timeout(&self) -> Duration {
        self.config.connect_timeout
    }

    /// Whether tokens or a password log in.
    #[must_use]
    pub fn login_mode(&self) -> LoginMode {
        self.mode()
    }

    async fn encrypt(&self, mut stream: TcpStream, name: &str) -> Result<RawStream, LoginFailure> {
        let Some(tls) = self.tls() else {
            return Ok(RawStream::Plain(stream));
        };
        if self.config.tls.negotiation == Negotiation::Postgres {
            stream
                .write_all(&SSL_REQUEST)
                .await
                .map_err(|error| broken(&error))?;
            let answer = stream.read_u8().await.map_err(|error| broken(&error))?;
            if answer != b'S' {
                return Err(LoginFailure::TlsRefused);
            }
        }
        self.handshake(stream, &tls, name).await
    }

    async fn handshake(
        &self,
        stream: TcpStream,
        tls: &TlsClient,
        name: &str,
    ) -> Result<RawStream, LoginFailure> {
        let (config, slot) = tls.for_one_login();
        let server = ServerName::try_from(name.to_owned()).map_err(|error| LoginFailure::Tls {
            message: error.to_string(),
        })?;
        let connected = TlsConnector::from(std::sync::Arc::new(config))
            .connect(server, stream)
            .await;
        let seen = slot.lock().unwrap_or_else(PoisonError::into_inner).clone();
        self.remember(&seen);
        match connected {
            Ok(stream) => Ok(RawStream::Tls(Box::new(stream))),
            Err(error) => Err(refused(&error, &seen)),
        }
    }
}

fn refused(error: &io::Error, seen: &Seen) -> LoginFailure {
    match &seen.refusal {
        Some(refusal) => LoginFailure::Certificate {
            refusal: refusal.clone(),
            presented: seen.certificate.clone().map(Box::new),
            top_issuer: seen.top_issuer.clone(),
        },
        None if error
            .get_ref()
            .is_some_and(|inner| inner.is::<rustls::Error>()) =>
        {
            LoginFailure::Tls {
                message: error.to_string(),
            }
        }
        // A reset in the middle of a failover passes.
        None => broken(error),
    }
}

pub(super) fn broken(error: &io::Error) -> LoginFailure {
    LoginFailure::Ended {
        message: error.to_string(),
    }
}

impl AsyncRead for RawStream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(context, buffer),
            Self::Tls(stream) => Pin::new(stream).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for RawStream {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(context, bytes),
            Self::Tls(stream) => Pin::new(stream).poll_write(context, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(context),
            Self::Tls(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(context),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
}

impl fmt::Display for RawStream {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Plain(_) => "without TLS",
            Self::Tls(_) => "with TLS",
        })
    }
}
