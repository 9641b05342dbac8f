//! One login: greet, find the rule, ask for the token, open the backend.
//!
//! Every refusal is an error message to the client; `Err` is for connections that broke or that
//! do not speak the protocol, which Postgres drops without a word as well.

use std::io;
use std::net::IpAddr;

use pg_frames::{CLEARTEXT_PASSWORD_REQUEST, ErrorResponse, Header, Password};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::backend::Session;
use super::greeting::{Client, Greeting, greet, malformed};
use super::refusal::{self, Attempt};
use super::rules::{Membership, Rule, rule};
use super::{Duplex, Front};
use crate::auth_service::Door;
use crate::record::Outcome;
use crate::shape::Leads;

impl Front {
    /// Brings a new connection to a session; `None` when there is nothing left to do.
    pub(super) async fn log_in(
        &self,
        client: TcpStream,
        peer: IpAddr,
    ) -> io::Result<Option<Session>> {
        let acceptor = self.acceptor();
        let mut client = match greet(client, &acceptor, self.takes_direct_tls).await? {
            Greeting::Cancel(key) => {
                self.backend.cancel(key).await?;
                return Ok(None);
            }
            Greeting::Session(client) => client,
        };
        let admitted = match self.leads {
            Leads::Proxy => self.admit_by_proxy(&mut client, peer).await?,
            _ => self.admit(&mut client, peer).await?,
        };
        let membership = match admitted {
            Ok(membership) => membership,
            Err(error) => {
                refuse(&mut *client.stream, &error).await?;
                return Ok(None);
            }
        };
        let role = self.role();
        let Ok(backend) = self.backend.open(client.startup, role, membership).await else {
            refuse(&mut *client.stream, &refusal::not_up()).await?;
            return Ok(None);
        };
        Ok(Some(Session {
            client: client.stream,
            backend,
        }))
    }

    /// Decides whether this client may go on to the backend.
    async fn admit(
        &self,
        client: &mut Client,
        peer: IpAddr,
    ) -> io::Result<Result<Membership, ErrorResponse>> {
        let (Some(user), Some(database)) = (client.startup.user(), client.startup.database())
        else {
            return Ok(Err(refusal::no_user()));
        };
        let shown_user = String::from_utf8_lossy(user);
        let shown_database = String::from_utf8_lossy(database);
        let replication = client.startup.parameter(b"replication");
        let attempt = Attempt {
            peer,
            user: &shown_user,
            database: &shown_database,
            is_replication: replication.is_some_and(asks_for_replication),
        };
        // Postgres stores names in UTF-8 here, so other bytes name nobody.
        let membership = match std::str::from_utf8(user) {
            Ok(user) => self.roles.membership(user).await,
            Err(_) => Ok(Membership::Other),
        };
        let Ok(membership) = membership else {
            return Ok(Err(refusal::not_up()));
        };
        let membership = match self.iam_flag.is_live() {
            true => membership,
            // Without the flag there is no line for rds_iam in `pg_hba.conf`.
            false => Membership::Other,
        };
        match rule(&attempt, membership, client.encryption, self.force_ssl) {
            Rule::PassOn => Ok(Ok(membership)),
            Rule::Refuse(error) => Ok(Err(error)),
            Rule::AskForToken => {
                let token = ask_for_token(&mut *client.stream).await?;
                Ok(self
                    .check_token(user, &attempt, &token)
                    .map(|()| membership))
            }
        }
    }

    fn check_token(
        &self,
        user: &[u8],
        attempt: &Attempt<'_>,
        token: &Password,
    ) -> Result<(), ErrorResponse> {
        if token.as_bytes().is_empty() {
            return Err(refusal::empty_password());
        }
        let door = Door {
            peer: attempt.peer,
            port: self.signed_port,
        };
        match self.auth.decide(user, token.as_bytes(), door) {
            Outcome::Accepted => Ok(()),
            Outcome::Refused(_) => Err(refusal::pam_failed(attempt.user)),
        }
    }
}

pub(super) async fn ask_for_token(stream: &mut dyn Duplex) -> io::Result<Password> {
    stream.write_all(&CLEARTEXT_PASSWORD_REQUEST).await?;
    stream.flush().await?;
    let mut header = [0; Header::SIZE];
    stream.read_exact(&mut header).await?;
    let mut body = vec![0; Password::body_length(header).map_err(malformed)?];
    stream.read_exact(&mut body).await?;
    Password::parse(body).map_err(malformed)
}

async fn refuse(stream: &mut dyn Duplex, error: &ErrorResponse) -> io::Result<()> {
    stream
        .write_all(&error.to_bytes().map_err(malformed)?)
        .await?;
    stream.flush().await?;
    stream.shutdown().await
}

/// `replication=database` logs in to a database like anyone else.
fn asks_for_replication(value: &[u8]) -> bool {
    let yes: [&[u8]; 5] = [b"true", b"on", b"yes", b"1", b"t"];
    yes.contains(&value.to_ascii_lowercase().as_slice())
}
