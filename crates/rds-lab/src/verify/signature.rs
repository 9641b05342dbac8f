//! The signature itself: key derivation and comparison, with `hmac` and `sha2` only.
//!
//! The comparison takes the same time whatever differs.

use std::fmt::Write as _;

use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use jiff::civil::DateTime;
use sha2::{Digest, Sha256};

use crate::verify::query::hex_digit;

/// The scope a signature is made for: `KEY/DATE/REGION/SERVICE/aws4_request`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// Whose key.
    pub access_key_id: String,
    /// The day, `20260102`.
    pub date: String,
    /// The region.
    pub region: String,
    /// The service.
    pub service: String,
}

impl Scope {
    /// Reads the credential parameter; `None` when it has another shape.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let parts: Vec<&str> = text.split('/').collect();
        let [key, date, region, service, "aws4_request"] = parts.as_slice() else {
            return None;
        };
        Some(Self {
            access_key_id: (*key).to_owned(),
            date: (*date).to_owned(),
            region: (*region).to_owned(),
            service: (*service).to_owned(),
        })
    }

    /// Whether `signature` (64 lower-case hex digits) is the one `secret` makes.
    #[must_use]
    pub fn signed(
        &self,
        secret: &str,
        stamp: &str,
        canonical_request: &str,
        signature: &str,
    ) -> bool {
        let Some(signature) = hex_bytes(signature) else {
            return false;
        };
        let text = format!(
            "AWS4-HMAC-SHA256\n{stamp}\n{date}/{region}/{service}/aws4_request\n{digest}",
            date = self.date,
            region = self.region,
            service = self.service,
            digest = hex(&Sha256::digest(canonical_request.as_bytes())),
        );
        let Some(mac) = self.signing_mac(secret) else {
            return false;
        };
        mac.chain_update(text.as_bytes())
            .verify_slice(&signature)
            .is_ok()
    }

    fn signing_mac(&self, secret: &str) -> Option<Hmac<Sha256>> {
        let mut mac = keyed(format!("AWS4{secret}").as_bytes())?;
        for part in [&self.date, &self.region, &self.service] {
            mac = keyed(&mac.chain_update(part.as_bytes()).finalize().into_bytes())?;
        }
        keyed(&mac.chain_update(b"aws4_request").finalize().into_bytes())
    }
}

/// Reads `20260102T030405Z`, and nothing else.
#[must_use]
pub fn parse_stamp(stamp: &str) -> Option<Timestamp> {
    let bytes = stamp.as_bytes();
    let shape = |(index, byte): (usize, &u8)| match index {
        8 => *byte == b'T',
        15 => *byte == b'Z',
        _ => byte.is_ascii_digit(),
    };
    if bytes.len() != 16 || !bytes.iter().enumerate().all(shape) {
        return None;
    }
    let time = DateTime::strptime("%Y%m%dT%H%M%SZ", stamp).ok()?;
    Some(time.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp())
}

/// Lower-case hex.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _written = write!(text, "{byte:02x}");
        text
    })
}

/// The hash of an HTTP body, as canonical requests carry it.
#[must_use]
pub fn payload_hash(body: &[u8]) -> String {
    hex(&Sha256::digest(body))
}

fn keyed(key: &[u8]) -> Option<Hmac<Sha256>> {
    Hmac::new_from_slice(key).ok()
}

fn hex_bytes(text: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if !rest.is_empty() || pairs.len() != 32 || text.bytes().any(|b| b.is_ascii_uppercase()) {
        return None;
    }
    let byte = |[high, low]: &[u8; 2]| Some(hex_digit(*high)? * 16 + hex_digit(*low)?);
    pairs.iter().map(byte).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_real_stamps_are_stamps() {
        let good = parse_stamp("20260102T030405Z").unwrap();
        assert_eq!(good.to_string(), "2026-01-02T03:04:05Z");
        for bad in [
            "",
            "20260102T030405",
            "20261302T030405Z",
            "2026-01-02T03:04Z",
            "20260102 030405Z",
            "+0260102T030405Z",
        ] {
            assert!(parse_stamp(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn a_scope_has_five_parts() {
        assert!(Scope::parse("AK/20260102/us-east-1/rds-db/aws4_request").is_some());
        for bad in [
            "",
            "AK/20260102/us-east-1/rds-db",
            "AK/1/2/3/other",
            "A/B/1/2/3/aws4_request",
        ] {
            assert!(Scope::parse(bad).is_none(), "{bad}");
        }
    }
}
