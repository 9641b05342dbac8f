//! Base64 as Python's `b64decode` takes it: what is not in the alphabet is skipped, padding ends the data.
//!
//! A blank is taken for the `+` that a form turned into it. Missing padding is forgiven, which Python does not.

use ::base64::Engine;
use ::base64::alphabet::STANDARD;
use ::base64::engine::DecodePaddingMode;
use ::base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};

use super::Unreadable;

/// The bytes.
pub(super) fn decode(text: &str) -> Result<Vec<u8>, Unreadable> {
    let mut digits = Vec::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b' ' => digits.push(b'+'),
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'+' | b'/' => digits.push(byte),
            // A padding sign where a group of four can end; elsewhere it is skipped like any other.
            b'=' if digits.len() % 4 >= 2 => break,
            _ => {}
        }
    }
    FORGIVING
        .decode(&digits)
        .map_err(|_one_digit_left| Unreadable::Broken("it is not base64"))
}

const FORGIVING: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_are_plus_signs_and_strangers_are_skipped() {
        let cases: [(&str, &[u8]); 9] = [
            ("aGVsbG8=", b"hello"),
            ("aGVs\r\nbG8=", b"hello"),
            ("aGVsbG8", b"hello"),
            ("aGVsbG8=trailing", b"hello"),
            ("+/ +", b"\xfb\xff\xbe"),
            ("  8=", b"\xfb\xef"),
            ("%%%%", b""),
            ("", b""),
            ("=aGk=", b"hi"),
        ];
        for (text, bytes) in cases {
            assert_eq!(decode(text).as_deref(), Ok(bytes), "{text}");
        }
        assert!(decode("aGVsb").is_err());
    }
}
