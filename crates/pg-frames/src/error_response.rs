//! The error message with its one-letter fields.
//!
//! What a refused client gets to see; fields in the order Postgres sends them.

use crate::frame::{length_word, take_string};
use crate::{FrameError, Header};

/// An `ErrorResponse`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrorResponse {
    /// Field letters and texts in wire order.
    pub fields: Vec<(u8, String)>,
}

impl ErrorResponse {
    /// The tag of an error message.
    pub const TAG: u8 = b'E';
    /// Errors on the way to a login are short; a longer one is not read. 30,000 is libpq's limit.
    pub const MOST: u32 = 30_000;

    /// An error that ends the session, with the fields every Postgres sends.
    #[must_use]
    pub fn fatal(code: &str, message: &str) -> Self {
        let fields = [
            (b'S', "FATAL"),
            (b'V', "FATAL"),
            (b'C', code),
            (b'M', message),
        ];
        let fields = fields.map(|(letter, text)| (letter, text.to_owned()));
        Self {
            fields: fields.to_vec(),
        }
    }

    /// Adds a field, such as `(b'R', "auth_failed")`.
    #[must_use]
    pub fn with(mut self, letter: u8, text: &str) -> Self {
        self.fields.push((letter, text.to_owned()));
        self
    }

    /// The SQLSTATE.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        self.field(b'C')
    }

    /// The primary message.
    #[must_use]
    pub fn message(&self) -> Option<&str> {
        self.field(b'M')
    }

    /// The text of the field with this letter.
    #[must_use]
    pub fn field(&self, letter: u8) -> Option<&str> {
        self.fields
            .iter()
            .find(|(found, _)| *found == letter)
            .map(|(_, text)| text.as_str())
    }

    /// Reads the header of an error and says how many bytes follow.
    ///
    /// # Errors
    /// [`FrameError::Length`] or [`FrameError::Tag`].
    pub fn body_length(header: [u8; Header::SIZE]) -> Result<usize, FrameError> {
        let header = Header::parse(header, Self::MOST)?.expect(Self::TAG)?;
        Ok(header.body_length)
    }

    /// Reads the body; texts in another encoding than UTF-8 are read as well as possible.
    ///
    /// # Errors
    /// [`FrameError::Malformed`].
    pub fn parse(body: &[u8]) -> Result<Self, FrameError> {
        let malformed = FrameError::Malformed(NAME);
        let mut fields = Vec::new();
        let mut rest = body;
        loop {
            match rest.split_first() {
                Some((0, [])) => return Ok(Self { fields }),
                None | Some((0, _)) => return Err(malformed),
                Some((&letter, after)) => {
                    rest = after;
                    let text = take_string(&mut rest, NAME)?;
                    fields.push((letter, String::from_utf8_lossy(text).into_owned()));
                }
            }
        }
    }

    /// The whole message as it goes over the wire; zero bytes in texts end them there.
    ///
    /// # Errors
    /// [`FrameError::Malformed`] when it is too long for a length word.
    pub fn to_bytes(&self) -> Result<Vec<u8>, FrameError> {
        let mut body = Vec::new();
        for (letter, text) in &self.fields {
            body.push(*letter);
            body.extend(text.bytes().take_while(|&byte| byte != 0));
            body.push(0);
        }
        body.push(0);
        let mut message = vec![Self::TAG];
        message.extend(length_word(body.len())?);
        message.extend(body);
        Ok(message)
    }
}

const NAME: &str = "error response";
