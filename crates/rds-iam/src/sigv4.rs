//! AWS Signature Version 4 for a presigned GET without a body: all that a login token needs.
//!
//! Written by hand because the published generator for RDS does not encode the user name, and
//! because sixty lines can be compared with botocore byte for byte (`tests/it/vectors.rs`).
//! Only the query string is made here; what it means is `token.rs`.

use std::fmt::Write as _;

use aws_lc_rs::{digest, hmac};
use jiff::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use zeroize::Zeroizing;

use crate::credentials::Credentials;

/// RFC 3986: letters, digits and `-_.~` stay, everything else is encoded, a space as `%20`.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

/// What is signed.
pub(crate) struct Presign<'a> {
    /// Service in the credential scope: `rds-db` or `dsql`.
    pub(crate) service: &'a str,
    /// Region in the credential scope.
    pub(crate) region: &'a str,
    /// The signed `Host` header, already in lower case.
    pub(crate) host: &'a str,
    /// The parameters of the action, in canonical order.
    pub(crate) parameters: &'a [(&'a str, &'a str)],
    /// The moment that is written into the signature.
    pub(crate) at: Timestamp,
    /// For how long the signature is good.
    pub(crate) expires_seconds: u64,
}

/// The whole query string with its signature, in botocore's order.
pub(crate) fn presign(request: &Presign<'_>, credentials: &Credentials) -> Zeroizing<String> {
    let moment = request.at.strftime("%Y%m%dT%H%M%SZ").to_string();
    let date = request.at.strftime("%Y%m%d").to_string();
    let scope = format!("{date}/{}/{}/aws4_request", request.region, request.service);
    let credential = format!("{}/{scope}", credentials.access_key_id());
    let expires = request.expires_seconds.to_string();

    let mut query = Zeroizing::new(String::with_capacity(1024));
    for (name, value) in request.parameters.iter().copied().chain([
        ("X-Amz-Algorithm", "AWS4-HMAC-SHA256"),
        ("X-Amz-Credential", credential.as_str()),
        ("X-Amz-Date", moment.as_str()),
        ("X-Amz-Expires", expires.as_str()),
    ]) {
        push(&mut query, name, value);
    }
    // Canonical order puts the session token before the signed headers; botocore's text does not.
    let mut canonical = query.clone();
    if let Some(session) = credentials.session_token() {
        push(&mut canonical, "X-Amz-Security-Token", session.expose());
    }
    push(&mut canonical, "X-Amz-SignedHeaders", "host");
    push(&mut query, "X-Amz-SignedHeaders", "host");
    if let Some(session) = credentials.session_token() {
        push(&mut query, "X-Amz-Security-Token", session.expose());
    }
    let canonical_request = canonical_request(&canonical, request.host);
    let to_sign = format!(
        "AWS4-HMAC-SHA256\n{moment}\n{scope}\n{}",
        sha256_hex(canonical_request.as_bytes())
    );
    let key = signing_key(credentials, &[&date, request.region, request.service]);
    let signature = hmac::sign(&key, to_sign.as_bytes());
    push(&mut query, "X-Amz-Signature", &hex(signature.as_ref()));
    query
}

/// The text whose hash is signed; the only header is `host`, the body is empty.
pub(crate) fn canonical_request(query: &str, host: &str) -> Zeroizing<String> {
    Zeroizing::new(format!(
        "GET\n/\n{query}\nhost:{host}\n\nhost\n{}",
        sha256_hex(b"")
    ))
}

/// RFC 3986 encoding of a name or value.
pub(crate) fn encode(text: &str) -> String {
    utf8_percent_encode(text, ENCODED).to_string()
}

fn push(query: &mut Zeroizing<String>, name: &str, value: &str) {
    let separator = if query.is_empty() { "" } else { "&" };
    let value = Zeroizing::new(encode(value));
    // Writing to a `String` cannot fail.
    let _ = write!(query, "{separator}{name}={}", value.as_str());
}

pub(crate) fn signing_key(credentials: &Credentials, parts: &[&str]) -> hmac::Key {
    let secret = Zeroizing::new(format!("AWS4{}", credentials.secret_access_key().expose()));
    let mut key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    for part in parts.iter().copied().chain(["aws4_request"]) {
        let tag = hmac::sign(&key, part.as_bytes());
        key = hmac::Key::new(hmac::HMAC_SHA256, tag.as_ref());
    }
    key
}

pub(crate) fn sha256_hex(bytes: &[u8]) -> String {
    hex(digest::digest(&digest::SHA256, bytes).as_ref())
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use percent_encoding::percent_decode_str;
    use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};

    use super::*;

    proptest! {
        #[test]
        fn any_value_survives_the_encoding_and_stays_one_parameter(value in any::<String>()) {
            let encoded = encode(&value);
            let kept = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~%".contains(&byte);
            prop_assert!(encoded.bytes().all(kept));
            let decoded = percent_decode_str(&encoded).decode_utf8().unwrap().into_owned();
            prop_assert_eq!(decoded, value);
        }

        #[test]
        fn the_canonical_request_has_seven_lines_whatever_the_user(user in any::<String>()) {
            let credentials = Credentials::new("AKIDEXAMPLE", "secret", Some("a+b/c="), None);
            let query = presign(
                &Presign {
                    service: "rds-db",
                    region: "eu-west-1",
                    host: "h:5432",
                    parameters: &[("Action", "connect"), ("DBUser", &user)],
                    at: Timestamp::UNIX_EPOCH,
                    expires_seconds: 900,
                },
                &credentials,
            );
            prop_assert_eq!(canonical_request(&query, "h:5432").lines().count(), 7);
            prop_assert_eq!(query.matches('&').count(), 8);
            prop_assert_eq!(query.matches("DBUser=").count(), 1);
        }
    }
}
