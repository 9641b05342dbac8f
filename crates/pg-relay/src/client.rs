//! The client's half: from the first byte to a start-up message, and the local password.

use std::io;

use pg_frames::{
    CLEARTEXT_PASSWORD_REQUEST, CancelKey, ErrorResponse, FirstPacket, FrameError, Header,
    Password, Startup,
};
use rds_iam::Secret;
use subtle::ConstantTimeEq;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::TlsAcceptor;

use crate::{
    listen::{Duplex, LocalStream},
    tls::ALPN,
};

/// What a client turned out to want.
pub(crate) enum Wish {
    /// To cancel a query.
    Cancel(CancelKey),
    /// A session.
    Session(Client),
    /// Nothing: it closed, as health checks of load balancers do.
    Nothing,
}

/// A client that wants a session.
pub(crate) struct Client {
    pub(crate) stream: Box<dyn Duplex>,
    pub(crate) startup: Startup,
    pub(crate) encrypted: bool,
}

/// Negotiates encryption and reads the start-up message.
pub(crate) async fn greet(stream: LocalStream, tls: Option<&TlsAcceptor>) -> io::Result<Wish> {
    let mut encrypted = false;
    let mut stream: Box<dyn Duplex> = match stream {
        LocalStream::Unix(stream) => Box::new(stream),
        LocalStream::Tcp(stream) => {
            // A client whose machine vanishes must not hold its session for ever.
            rds_iam::keep_alive(&stream)?;
            let mut first = [0_u8];
            if stream.peek(&mut first).await? == 0 {
                return Ok(Wish::Nothing);
            }
            match (first, tls) {
                ([TLS_HANDSHAKE], Some(tls)) => {
                    let stream = tls.accept(stream).await?;
                    if stream.get_ref().1.alpn_protocol() != Some(ALPN) {
                        return Err(invalid("direct TLS without ALPN `postgresql`"));
                    }
                    encrypted = true;
                    Box::new(stream)
                }
                _ => Box::new(stream),
            }
        }
    };
    // SSLRequest, GSSENCRequest and the start-up: no client needs more.
    for _ in 0..4 {
        let Some(packet) = read_first(&mut *stream).await? else {
            return Ok(Wish::Nothing);
        };
        match (packet, tls) {
            (FirstPacket::SslRequest, Some(tls)) if !encrypted => {
                stream.write_all(b"S").await?;
                stream.flush().await?;
                stream = Box::new(tls.accept(stream).await?);
                encrypted = true;
            }
            (FirstPacket::SslRequest | FirstPacket::GssEncryptionRequest, _) => {
                stream.write_all(b"N").await?;
                stream.flush().await?;
            }
            (FirstPacket::Cancel(key), _) => return Ok(Wish::Cancel(key)),
            (FirstPacket::Startup(startup), _) => {
                return Ok(Wish::Session(Client {
                    stream,
                    startup,
                    encrypted,
                }));
            }
        }
    }
    Err(invalid("no start-up message"))
}

/// `None` when the client closes before it says anything.
async fn read_first(stream: &mut dyn Duplex) -> io::Result<Option<FirstPacket>> {
    let mut word = [0; 4];
    if stream.read(word.get_mut(..1).unwrap_or_default()).await? == 0 {
        return Ok(None);
    }
    stream
        .read_exact(word.get_mut(1..).unwrap_or_default())
        .await?;
    let mut body = vec![0; FirstPacket::body_length(word).map_err(malformed)?];
    stream.read_exact(&mut body).await?;
    FirstPacket::parse(&body).map(Some).map_err(malformed)
}

impl Client {
    /// Asks for the local password.
    pub(crate) async fn password(&mut self) -> io::Result<Given> {
        self.stream.write_all(&CLEARTEXT_PASSWORD_REQUEST).await?;
        self.stream.flush().await?;
        let mut header = [0; Header::SIZE];
        self.stream.read_exact(&mut header).await?;
        let mut body =
            zeroize::Zeroizing::new(vec![0; Password::body_length(header).map_err(malformed)?]);
        self.stream.read_exact(&mut body).await?;
        Ok(Given(body))
    }

    /// Says no and closes.
    pub(crate) async fn refuse(&mut self, error: &ErrorResponse) -> io::Result<()> {
        self.stream
            .write_all(&error.to_bytes().map_err(malformed)?)
            .await?;
        self.stream.flush().await?;
        self.stream.shutdown().await
    }
}

/// A password that a client gave; wiped afterwards.
pub(crate) struct Given(zeroize::Zeroizing<Vec<u8>>);

impl Given {
    /// Whether it is the right one. Compared in constant time.
    pub(crate) fn is(&self, password: &Secret) -> bool {
        let given = self.0.strip_suffix(&[0]).unwrap_or(&self.0);
        bool::from(given.ct_eq(password.expose().as_bytes()))
    }
}

pub(crate) fn malformed(error: FrameError) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

pub(crate) fn invalid(why: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

/// The first byte of every TLS connection.
const TLS_HANDSHAKE: u8 = 0x16;
