//! The start-up message: protocol version and parameters.
//!
//! Names and values are bytes: which encoding a client means is not known this early.

use crate::FrameError;
use crate::frame::{length_word, take_string};

/// A protocol version, 3.0 or 3.2 in practice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProtocolVersion {
    /// Always 3 for a start-up message.
    pub major: u16,
    /// 0 since 2003; 2 from PostgreSQL 18 on.
    pub minor: u16,
}

/// A client's wish for a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Startup {
    /// The version the client speaks.
    pub protocol: ProtocolVersion,
    /// Names and values in the order they came.
    pub parameters: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Startup {
    /// Reads what follows the version word.
    pub(crate) fn parse(protocol: ProtocolVersion, body: &[u8]) -> Result<Self, FrameError> {
        let malformed = FrameError::Malformed(NAME);
        let mut rest = body;
        let mut parameters = Vec::new();
        loop {
            let name = take_string(&mut rest, NAME)?;
            if name.is_empty() {
                break;
            }
            let value = take_string(&mut rest, NAME)?;
            parameters.push((name.to_vec(), value.to_vec()));
        }
        // Postgres insists on the closing zero being the last byte.
        if !rest.is_empty() {
            return Err(malformed);
        }
        Ok(Self {
            protocol,
            parameters,
        })
    }

    /// The user, when one is named; Postgres refuses a start-up without.
    #[must_use]
    pub fn user(&self) -> Option<&[u8]> {
        self.parameter(b"user").filter(|user| !user.is_empty())
    }

    /// The database, which is the user's name when none is given.
    #[must_use]
    pub fn database(&self) -> Option<&[u8]> {
        self.parameter(b"database")
            .filter(|database| !database.is_empty())
            .or_else(|| self.user())
    }

    /// The last value given for `name`, as Postgres takes it.
    #[must_use]
    pub fn parameter(&self, name: &[u8]) -> Option<&[u8]> {
        self.parameters
            .iter()
            .rev()
            .find(|(found, _)| found == name)
            .map(|(_, value)| value.as_slice())
    }

    /// The whole packet as it goes over the wire.
    ///
    /// # Errors
    /// [`FrameError::Malformed`] when a name or value holds a zero byte, or a name is empty.
    pub fn to_bytes(&self) -> Result<Vec<u8>, FrameError> {
        let mut body = Vec::new();
        body.extend(self.protocol.major.to_be_bytes());
        body.extend(self.protocol.minor.to_be_bytes());
        for (name, value) in &self.parameters {
            if name.is_empty() || name.contains(&0) || value.contains(&0) {
                return Err(FrameError::Malformed(NAME));
            }
            body.extend(name);
            body.push(0);
            body.extend(value);
            body.push(0);
        }
        body.push(0);
        let mut packet = length_word(body.len())?.to_vec();
        packet.extend(body);
        Ok(packet)
    }
}

const NAME: &str = "start-up message";
