//! Texts of addresses and forms, and random ones.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use rand::RngExt;

/// A text as a form's field holds it.
pub(crate) fn encode(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

/// A form, which is also the query of an address.
pub(crate) fn write(fields: &[(&str, &str)]) -> String {
    let pairs: Vec<_> = fields
        .iter()
        .map(|(name, value)| format!("{name}={}", encode(value)))
        .collect();
    pairs.join("&")
}

/// 256 random bits in [`RANDOM_CHARACTERS`] characters that mean nothing in an address or a cookie.
pub(crate) fn random() -> String {
    let bits: [u8; 32] = rand::rng().random();
    BASE64_URL_SAFE_NO_PAD.encode(bits)
}

/// Whether a text could have been made by [`random`].
pub(crate) fn could_be_random(text: &str) -> bool {
    text.len() == RANDOM_CHARACTERS
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// What somebody else said, on one line and not too long.
pub(crate) fn short(text: &str) -> String {
    let printable = text.chars().filter(|character| !character.is_control());
    printable.take(200).collect()
}

const RANDOM_CHARACTERS: usize = 43;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_keep_their_borders() {
        let form = write(&[("a", "x&y=z"), ("b", "ü +")]);
        assert_eq!(form, "a=x%26y%3Dz&b=%C3%BC%20%2B");
    }

    #[test]
    fn random_texts_are_recognised_and_others_are_not() {
        let (one, other) = (random(), random());
        assert_ne!(one, other);
        assert!(could_be_random(&one));
        for text in [
            "",
            "x",
            &format!("{one}x"),
            &one.replace(|_: char| true, "\u{0}"),
        ] {
            assert!(!could_be_random(text));
        }
    }
}
