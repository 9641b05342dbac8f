//! Cancel requests of sessions of the driver (Postgres manual, 55.2.8 "Canceling Requests in Progress").

use std::time::Duration;

use tokio::time::Instant;
use tokio_postgres::{CancelToken, NoTls, tls::MakeTlsConnect};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::attempt::within;
use crate::{
    dial::{Peer, Socket, dial, dial_socket},
    failure::{LoginFailure, Stage},
    tls::TlsClient,
};

/// Asks the server to end what runs on one session. Needs no login, and so no token.
#[derive(Clone)]
pub struct Canceller {
    pub(super) token: CancelToken,
    pub(super) peer: Peer,
    /// The name the session's certificate was verified against.
    pub(super) name: String,
    pub(super) tls: Option<TlsClient>,
    pub(super) timeout: Duration,
}

impl Canceller {
    /// Sends the request to the very server that has the session, encrypted and verified as the session is. Postgres
    /// does not say whether it found something to cancel.
    ///
    /// # Errors
    /// When the request could not be sent within the connect timeout.
    pub async fn cancel(&self) -> Result<(), LoginFailure> {
        let deadline = Instant::now() + self.timeout;
        let stream = match &self.peer {
            Peer::Tcp(peer) => Socket::Left(dial(&[peer.ip()], peer.port(), deadline).await?),
            Peer::Unix(path) => Socket::Right(dial_socket(path, deadline).await?),
        };
        let sending = async {
            let sent = match &self.tls {
                None => self.token.cancel_query_raw(stream, NoTls).await,
                Some(tls) => {
                    let (config, _seen) = tls.for_one_login();
                    let mut maker = MakeRustlsConnect::new(config);
                    let made = MakeTlsConnect::<Socket>::make_tls_connect(&mut maker, &self.name);
                    match made {
                        Ok(connect) => self.token.cancel_query_raw(stream, connect).await,
                        Err(never) => match never {},
                    }
                }
            };
            sent.map_err(LoginFailure::Broken)
        };
        within(deadline, self.timeout, Stage::Authenticating, sending).await
    }
}
