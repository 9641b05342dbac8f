//! Lengths and tags: what every message has in common.
//!
//! Limits are Postgres's own, so that a client meets here what it would meet there.

use thiserror::Error;

/// Why bytes from a peer are not the message they should be.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum FrameError {
    /// The length word is below or above what Postgres accepts.
    #[error("the length {length} is outside {least} to {most}")]
    Length {
        /// What the packet claims, its length word included.
        length: u64,
        /// The least that is accepted.
        least: u64,
        /// The most that is accepted.
        most: u64,
    },
    /// Another message was due.
    #[error("message `{found}` where `{expected}` was due", found = char::from(*found), expected = char::from(*expected))]
    Tag {
        /// The tag that came.
        found: u8,
        /// The tag that was due.
        expected: u8,
    },
    /// The body does not have the shape its message has.
    #[error("malformed {0}")]
    Malformed(&'static str),
    /// The request code or protocol version is unknown.
    #[error("unknown protocol {major}.{minor}")]
    Protocol {
        /// Upper half of the code.
        major: u16,
        /// Lower half of the code.
        minor: u16,
    },
}

/// The tag and length in front of every message after the first packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Says which message it is.
    pub tag: u8,
    /// Bytes that follow the header.
    pub body_length: usize,
}

impl Header {
    /// Bytes of a header on the wire.
    pub const SIZE: usize = 5;

    /// Reads a header whose length word, itself included, may be at most `most`.
    ///
    /// # Errors
    /// [`FrameError::Length`] when it is not within 4 and `most`.
    pub fn parse(bytes: [u8; Self::SIZE], most: u32) -> Result<Self, FrameError> {
        let [tag, a, b, c, d] = bytes;
        let body_length = body_length([a, b, c, d], 4, most)?;
        Ok(Self { tag, body_length })
    }

    /// Refuses a header of any other message than the one that is due.
    ///
    /// # Errors
    /// [`FrameError::Tag`].
    pub fn expect(self, tag: u8) -> Result<Self, FrameError> {
        if self.tag == tag {
            return Ok(self);
        }
        Err(FrameError::Tag {
            found: self.tag,
            expected: tag,
        })
    }
}

/// The bytes after a length word that counts itself.
pub(crate) fn body_length(word: [u8; 4], least: u32, most: u32) -> Result<usize, FrameError> {
    let length = u32::from_be_bytes(word);
    let refused = || FrameError::Length {
        length: length.into(),
        least: least.into(),
        most: most.into(),
    };
    if length < least || length > most {
        return Err(refused());
    }
    let body = length.checked_sub(4).ok_or_else(refused)?;
    usize::try_from(body).map_err(|_too_big| refused())
}

/// The length word for a body of `size` bytes, itself counted.
pub(crate) fn length_word(size: usize) -> Result<[u8; 4], FrameError> {
    let length = u32::try_from(size)
        .ok()
        .and_then(|size| size.checked_add(4));
    let length = length.ok_or(FrameError::Malformed(
        "message longer than a length word can say",
    ))?;
    Ok(length.to_be_bytes())
}

/// Splits off a zero-terminated string.
pub(crate) fn take_string<'a>(
    bytes: &mut &'a [u8],
    of: &'static str,
) -> Result<&'a [u8], FrameError> {
    let end = bytes.iter().position(|&byte| byte == 0);
    let (string, rest) = end
        .and_then(|end| bytes.split_at_checked(end))
        .ok_or(FrameError::Malformed(of))?;
    *bytes = rest.split_first().map_or(&[], |(_zero, after)| after);
    Ok(string)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_outside_its_limits_is_refused() {
        for length in [0_u32, 3, 65_536, u32::MAX] {
            let [a, b, c, d] = length.to_be_bytes();
            assert!(
                Header::parse([b'p', a, b, c, d], 65_535).is_err(),
                "{length}"
            );
        }
        let [a, b, c, d] = 65_535_u32.to_be_bytes();
        let header = Header::parse([b'p', a, b, c, d], 65_535).unwrap();
        assert_eq!(header.body_length, 65_531);
    }

    #[test]
    fn another_message_than_the_due_one_is_named() {
        let header = Header::parse([b'Q', 0, 0, 0, 4], 100).unwrap();
        let error = header.expect(b'p').unwrap_err();
        assert_eq!(error.to_string(), "message `Q` where `p` was due");
    }
}
