//! From the first byte to the start-up message: TLS or not, cancel or session.
//!
//! Reads exactly what each packet announces, so nothing of the session is swallowed.

use std::io;

use pg_frames::{CancelKey, FirstPacket, FrameError, Startup};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use super::Duplex;
use crate::certs::ALPN;

/// What a client turned out to want.
pub(super) enum Greeting {
    /// To cancel a query.
    Cancel(CancelKey),
    /// A session.
    Session(Client),
}

/// A client that wants a session.
pub(super) struct Client {
    pub(super) stream: Box<dyn Duplex>,
    pub(super) startup: Startup,
    pub(super) encryption: Encryption,
}

/// Whether the connection is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encryption {
    Tls,
    None,
}

/// Negotiates TLS and reads the start-up message.
pub(super) async fn greet(
    client: TcpStream,
    acceptor: &TlsAcceptor,
    takes_direct_tls: bool,
) -> io::Result<Greeting> {
    let mut first_byte = [0_u8];
    client.peek(&mut first_byte).await?;
    let mut encryption = Encryption::None;
    let mut stream: Box<dyn Duplex> = Box::new(client);
    if takes_direct_tls && first_byte == [TLS_HANDSHAKE] {
        let tls = acceptor.accept(stream).await?;
        if tls.get_ref().1.alpn_protocol() != Some(ALPN) {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "direct TLS without ALPN",
            ));
        }
        stream = Box::new(tls);
        encryption = Encryption::Tls;
    }
    // SSLRequest, GSSENCRequest, and what follows: nobody needs more.
    for _ in 0..4 {
        match read_first(&mut *stream).await? {
            FirstPacket::SslRequest if encryption == Encryption::None => {
                stream.write_all(b"S").await?;
                stream.flush().await?;
                stream = Box::new(acceptor.accept(stream).await?);
                encryption = Encryption::Tls;
            }
            FirstPacket::SslRequest | FirstPacket::GssEncryptionRequest => {
                stream.write_all(b"N").await?;
                stream.flush().await?;
            }
            FirstPacket::Cancel(key) => return Ok(Greeting::Cancel(key)),
            FirstPacket::Startup(startup) => {
                return Ok(Greeting::Session(Client {
                    stream,
                    startup,
                    encryption,
                }));
            }
        }
    }
    Err(io::Error::new(
        io::ErrorKind::InvalidData,
        "no start-up message",
    ))
}

async fn read_first(stream: &mut dyn Duplex) -> io::Result<FirstPacket> {
    let mut word = [0; 4];
    stream.read_exact(&mut word).await?;
    let mut body = vec![0; FirstPacket::body_length(word).map_err(malformed)?];
    stream.read_exact(&mut body).await?;
    FirstPacket::parse(&body).map_err(malformed)
}

pub(super) fn malformed(error: FrameError) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

/// The first byte of every TLS connection.
const TLS_HANDSHAKE: u8 = 0x16;
