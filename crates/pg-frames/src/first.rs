//! The first packet on a connection, which has no tag: four things it can be.
//!
//! Codes and limits as in Postgres's `pqcomm.h`; a start-up packet may have 10,000 bytes.

use crate::frame::{body_length, length_word};
use crate::{FrameError, ProtocolVersion, Startup};

/// What a client sends before anything else (and again after a `S`, `G` or `N` answer).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FirstPacket {
    /// Asks for TLS; answered by one byte, `S` or `N`.
    SslRequest,
    /// Asks for GSSAPI encryption; answered by one byte, `G` or `N`.
    GssEncryptionRequest,
    /// Asks to cancel another session's query; there is no answer.
    Cancel(CancelKey),
    /// Asks for a session.
    Startup(Startup),
}

/// Names the session whose query is to be cancelled.
#[derive(Clone, PartialEq, Eq)]
pub struct CancelKey {
    /// The backend's process id as the server gave it.
    pub process_id: u32,
    /// 4 bytes in protocol 3.0, up to 256 from 3.2 on.
    pub secret: Vec<u8>,
}

impl std::fmt::Debug for CancelKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "CancelKey({}, ***)", self.process_id)
    }
}

impl FirstPacket {
    /// How many bytes follow the length word, 4 to 10,000.
    ///
    /// # Errors
    /// [`FrameError::Length`].
    pub fn body_length(word: [u8; 4]) -> Result<usize, FrameError> {
        body_length(word, 8, 10_004)
    }

    /// Reads what follows the length word.
    ///
    /// # Errors
    /// [`FrameError`] says what is wrong with it.
    pub fn parse(body: &[u8]) -> Result<Self, FrameError> {
        let (code, rest) = body
            .split_first_chunk::<4>()
            .ok_or(FrameError::Malformed(NAME))?;
        let [a, b, c, d] = *code;
        let major = u16::from_be_bytes([a, b]);
        let minor = u16::from_be_bytes([c, d]);
        match (major, minor) {
            (REQUEST, SSL) if rest.is_empty() => Ok(Self::SslRequest),
            (REQUEST, GSS) if rest.is_empty() => Ok(Self::GssEncryptionRequest),
            (REQUEST, CANCEL) => CancelKey::parse(rest).map(Self::Cancel),
            (REQUEST, SSL | GSS) => Err(FrameError::Malformed(NAME)),
            (3, _) => Startup::parse(ProtocolVersion { major, minor }, rest).map(Self::Startup),
            _ => Err(FrameError::Protocol { major, minor }),
        }
    }

    /// The whole packet as it goes over the wire.
    ///
    /// # Errors
    /// [`FrameError::Malformed`] for a start-up message that cannot be written.
    pub fn to_bytes(&self) -> Result<Vec<u8>, FrameError> {
        match self {
            Self::SslRequest => request(SSL, &[]),
            Self::GssEncryptionRequest => request(GSS, &[]),
            Self::Cancel(key) => {
                let mut body = key.process_id.to_be_bytes().to_vec();
                body.extend(&key.secret);
                request(CANCEL, &body)
            }
            Self::Startup(startup) => startup.to_bytes(),
        }
    }
}

impl CancelKey {
    fn parse(body: &[u8]) -> Result<Self, FrameError> {
        let malformed = FrameError::Malformed("cancel request");
        let (process_id, secret) = body.split_first_chunk::<4>().ok_or(malformed.clone())?;
        if !(4..=256).contains(&secret.len()) {
            return Err(malformed);
        }
        Ok(Self {
            process_id: u32::from_be_bytes(*process_id),
            secret: secret.to_vec(),
        })
    }
}

fn request(code: u16, body: &[u8]) -> Result<Vec<u8>, FrameError> {
    let mut packet = length_word(body.len().saturating_add(4))?.to_vec();
    packet.extend(REQUEST.to_be_bytes());
    packet.extend(code.to_be_bytes());
    packet.extend(body);
    Ok(packet)
}

const NAME: &str = "first packet";
/// "Major version" of everything that is no session: 1234.
const REQUEST: u16 = 1234;
const CANCEL: u16 = 5678;
const SSL: u16 = 5679;
const GSS: u16 = 5680;
