//! The cleartext password question and its answer.
//!
//! An IAM login is nothing more than this, inside TLS: the token is the password.

use crate::frame::length_word;
use crate::{FrameError, Header};

/// `AuthenticationCleartextPassword`, whole.
pub const CLEARTEXT_PASSWORD_REQUEST: [u8; 9] = [b'R', 0, 0, 0, 8, 0, 0, 0, 3];

/// A password as a client sent it; it prints as `***`.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(Vec<u8>);

impl Password {
    /// The tag of a password message.
    pub const TAG: u8 = b'p';
    /// Postgres's limit for the length word: 65,535, so a password has at most 65,530 bytes.
    pub const MOST: u32 = 65_535;

    /// Takes a password to be sent.
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// Reads the header of the answer and says how many bytes follow.
    ///
    /// # Errors
    /// [`FrameError::Length`] or [`FrameError::Tag`]; Postgres drops the connection for both.
    pub fn body_length(header: [u8; Header::SIZE]) -> Result<usize, FrameError> {
        let header = Header::parse(header, Self::MOST)?.expect(Self::TAG)?;
        Ok(header.body_length)
    }

    /// Reads the body: one string that ends with the body's only zero byte.
    ///
    /// # Errors
    /// [`FrameError::Malformed`].
    pub fn parse(mut body: Vec<u8>) -> Result<Self, FrameError> {
        let malformed = FrameError::Malformed("password message");
        if body.pop() != Some(0) || body.contains(&0) {
            return Err(malformed);
        }
        Ok(Self(body))
    }

    /// The password itself.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The whole message as it goes over the wire.
    ///
    /// # Errors
    /// [`FrameError::Malformed`] when it holds a zero byte or is too long for Postgres.
    pub fn to_bytes(&self) -> Result<Vec<u8>, FrameError> {
        let size = self.0.len().saturating_add(1);
        let length = length_word(size)?;
        if self.0.contains(&0) || u32::from_be_bytes(length) > Self::MOST {
            return Err(FrameError::Malformed("password message"));
        }
        let mut message = vec![Self::TAG];
        message.extend(length);
        message.extend(&self.0);
        message.push(0);
        Ok(message)
    }
}

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Password(***)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_password_has_65530_bytes() {
        let longest = Password::new(vec![b'x'; 65_530]);
        assert_eq!(longest.to_bytes().unwrap().len(), 65_536);
        assert!(Password::new(vec![b'x'; 65_531]).to_bytes().is_err());
    }

    #[test]
    fn a_password_never_shows_itself() {
        assert_eq!(
            format!("{:?}", Password::new(b"hunter2".to_vec())),
            "Password(***)"
        );
    }

    #[test]
    fn a_body_without_exactly_one_closing_zero_is_refused() {
        for body in [b"".as_slice(), b"abc", b"a\0b\0", b"\0\0"] {
            assert!(Password::parse(body.to_vec()).is_err(), "{body:?}");
        }
        assert_eq!(Password::parse(vec![0]).unwrap().as_bytes(), b"");
    }
}
