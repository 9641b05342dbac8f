//! A percent-encoded query, decoded strictly and written canonically.
//!
//! `+` is a plus sign here, not a blank: Signature Version 4 knows no form encoding.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};

/// The parameters in the order they came, decoded.
#[derive(Clone, PartialEq, Eq)]
pub struct Query(Vec<(Vec<u8>, Vec<u8>)>);

impl Query {
    /// Reads `a=b&c=d`; `None` when an escape is broken, a name repeats or lacks its `=`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut pairs: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
        for pair in text.split('&').filter(|_| !text.is_empty()) {
            let (name, value) = pair.split_once('=')?;
            let (name, value) = (decode(name)?, decode(value)?);
            if pairs.iter().any(|(earlier, _)| *earlier == name) {
                return None;
            }
            pairs.push((name, value));
        }
        Some(Self(pairs))
    }

    /// The value of a parameter.
    #[must_use]
    pub fn bytes(&self, name: &str) -> Option<&[u8]> {
        self.0
            .iter()
            .find(|(found, _)| found == name.as_bytes())
            .map(|(_, value)| value.as_slice())
    }

    /// The value of a parameter, when it is text.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        std::str::from_utf8(self.bytes(name)?).ok()
    }

    /// Encoded anew and sorted, without the parameter `left_out`.
    #[must_use]
    pub fn canonical(&self, left_out: &str) -> String {
        let mut pairs: Vec<(String, String)> = self
            .0
            .iter()
            .filter(|(name, _)| name != left_out.as_bytes())
            .map(|(name, value)| (encode(name), encode(value)))
            .collect();
        pairs.sort();
        let pairs: Vec<String> = pairs
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        pairs.join("&")
    }
}

/// Encodes all but RFC 3986's unreserved characters.
#[must_use]
pub fn encode(bytes: &[u8]) -> String {
    percent_encode(bytes, RESERVED).to_string()
}

const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

fn decode(text: &str) -> Option<Vec<u8>> {
    let mut bytes = text.bytes();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let high = hex_digit(bytes.next()?)?;
            let low = hex_digit(bytes.next()?)?;
            decoded.push(high * 16 + low);
        } else {
            decoded.push(byte);
        }
    }
    Some(decoded)
}

pub(crate) fn hex_digit(digit: u8) -> Option<u8> {
    let value = char::from(digit).to_digit(16)?;
    u8::try_from(value).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_and_escapes_do_not_matter_but_bytes_do() {
        let one = Query::parse("b=%7e&a=x%2by&a%2d=").unwrap();
        assert_eq!(one.canonical(""), "a=x%2By&a-=&b=~");
        assert_eq!(one.canonical("b"), "a=x%2By&a-=");
        assert_eq!(
            Query::parse("a=1+2").unwrap().bytes("a"),
            Some(b"1+2".as_slice())
        );
    }

    #[test]
    fn broken_queries_are_no_queries() {
        for text in ["a", "a=%2", "a=%zz", "a=1&a=2", "a=1&", "a=%"] {
            assert!(Query::parse(text).is_none(), "{text}");
        }
        assert!(Query::parse("").is_some());
    }
}
