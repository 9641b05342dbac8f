//! Text that must not be seen: passwords, secret keys, session tokens, login tokens.
//!
//! A `Secret` prints as `***` whatever formatter asks, and its memory is overwritten when it is
//! dropped. There is no `Display`, no `Serialize` and no `Deref`: reading it takes the word
//! `expose`, which is easy to search for in a review.

use std::fmt;

use zeroize::Zeroizing;

/// A piece of text that is wiped when dropped and never printed.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes the text over; the caller's copies are the caller's to wipe.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// The text itself, for the one place that sends or signs it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Says whether there is no text at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_prints_as_stars() {
        let secret = Secret::new("hunter2");
        assert_eq!(format!("{secret:?} {secret:#?}"), "*** ***");
        assert_eq!(secret.expose(), "hunter2");
    }
}
