//! The server's half: the client's own start-up message, our token, and whatever comes until the session is ready.
//!
//! What the server sends after the login is passed on as it is; only errors get our explanation as a hint, and the
//! cancel key is remembered.

use std::{io, net::SocketAddr};

use futures_util::future::BoxFuture;
use pg_frames::{CancelKey, ErrorResponse, Header, Password, Startup};
use rds_iam::{Handshake, LoginFailure, RawStream, Secret};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::client::malformed;

/// A session that the server has let in, and what it said so far, for the client.
pub(crate) struct Session {
    pub(crate) stream: RawStream,
    pub(crate) address: SocketAddr,
    /// Whole messages, from the server's first word to its `AuthenticationOk`.
    pub(crate) said: Vec<u8>,
}

/// Logs in with a client's start-up message.
pub(crate) struct ClientsLogin<'a> {
    pub(crate) startup: &'a Startup,
}

impl Handshake for ClientsLogin<'_> {
    type Session = Session;

    fn shake<'a>(
        &'a mut self,
        mut stream: RawStream,
        peer: SocketAddr,
        password: &'a Secret,
    ) -> BoxFuture<'a, Result<Session, LoginFailure>> {
        Box::pin(async move {
            let packet = self
                .startup
                .to_bytes()
                .map_err(|error| ended(&malformed(error)))?;
            stream
                .write_all(&packet)
                .await
                .map_err(|error| ended(&error))?;
            stream.flush().await.map_err(|error| ended(&error))?;
            let mut said = Vec::new();
            loop {
                let message = read(&mut stream).await.map_err(|error| ended(&error))?;
                match message.tag {
                    b'R' => match message.authentication() {
                        Some(OK) => {
                            said.extend(&message.bytes);
                            return Ok(Session {
                                stream,
                                address: peer,
                                said,
                            });
                        }
                        Some(CLEARTEXT) => {
                            let answer = Password::new(password.expose().as_bytes().to_vec());
                            let answer = zeroize::Zeroizing::new(
                                answer
                                    .to_bytes()
                                    .map_err(|error| ended(&malformed(error)))?,
                            );
                            stream
                                .write_all(&answer)
                                .await
                                .map_err(|error| ended(&error))?;
                            stream.flush().await.map_err(|error| ended(&error))?;
                        }
                        // RDS asks users outside rds_iam for a scram or md5 password: a token is none.
                        _ => return Err(not_iam(self.startup)),
                    },
                    ErrorResponse::TAG => return Err(refused(&message)),
                    // NegotiateProtocolVersion and notices are the client's.
                    _ => said.extend(&message.bytes),
                }
            }
        })
    }
}

/// A whole message of the server.
pub(crate) struct Message {
    pub(crate) tag: u8,
    /// Tag, length and body.
    pub(crate) bytes: Vec<u8>,
}

impl Message {
    pub(crate) fn body(&self) -> &[u8] {
        self.bytes.get(Header::SIZE..).unwrap_or_default()
    }

    fn authentication(&self) -> Option<u32> {
        let word = self.body().first_chunk::<4>()?;
        Some(u32::from_be_bytes(*word))
    }

    /// The key that cancels this session's queries, when this is `BackendKeyData`.
    pub(crate) fn cancel_key(&self) -> Option<CancelKey> {
        if self.tag != b'K' {
            return None;
        }
        let (process_id, secret) = self.body().split_first_chunk::<4>()?;
        Some(CancelKey {
            process_id: u32::from_be_bytes(*process_id),
            secret: secret.to_vec(),
        })
    }
}

/// Reads one message before the session is ready; longer ones than these do not come there.
pub(crate) async fn read(stream: &mut RawStream) -> io::Result<Message> {
    let mut header = [0; Header::SIZE];
    stream.read_exact(&mut header).await?;
    let parsed = Header::parse(header, MOST).map_err(malformed)?;
    let mut bytes = header.to_vec();
    bytes.resize(Header::SIZE.saturating_add(parsed.body_length), 0);
    stream
        .read_exact(bytes.get_mut(Header::SIZE..).unwrap_or_default())
        .await?;
    Ok(Message {
        tag: parsed.tag,
        bytes,
    })
}

fn refused(message: &Message) -> LoginFailure {
    match ErrorResponse::parse(message.body()) {
        Ok(error) => LoginFailure::Refused {
            sqlstate: error.code().unwrap_or("XX000").to_owned(),
            message: error.message().unwrap_or_default().to_owned(),
        },
        Err(error) => ended(&malformed(error)),
    }
}

fn not_iam(startup: &Startup) -> LoginFailure {
    let user = String::from_utf8_lossy(startup.user().unwrap_or_default()).into_owned();
    LoginFailure::Refused {
        sqlstate: "28P01".to_owned(),
        message: format!("password authentication failed for user \"{user}\""),
    }
}

fn ended(error: &io::Error) -> LoginFailure {
    LoginFailure::Ended {
        message: error.to_string(),
    }
}

/// `AuthenticationOk` and `AuthenticationCleartextPassword` (Postgres manual, 55.7).
const OK: u32 = 0;
const CLEARTEXT: u32 = 3;
/// Postgres's own limit for messages during a login is 30,000 bytes in libpq.
const MOST: u32 = 65_536;
