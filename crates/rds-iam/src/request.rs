//! AWS Signature Version 4 for requests with a body: the few AWS calls around a login, and files in S3.
//!
//! The same key derivation as for tokens (`sigv4.rs`); the signature goes into headers. AWS, "Create
//! a signed AWS API request".

use aws_lc_rs::{digest, hmac};
use jiff::Timestamp;
use percent_encoding::percent_decode_str;
use zeroize::Zeroizing;

use crate::{
    credentials::Credentials,
    sigv4::{encode, hex, sha256_hex, signing_key},
};

/// A request to be signed, without a query.
pub struct SignedRequest<'a> {
    /// The method, in capitals.
    pub method: &'a str,
    /// The path, encoded as it is sent.
    pub path: &'a str,
    /// The service in the credential scope, such as `rds`.
    pub service: &'a str,
    /// The region in the credential scope.
    pub region: &'a str,
    /// The `Host` header as it will be sent.
    pub host: &'a str,
    /// Further headers that are sent and signed, names in lower case.
    pub headers: &'a [(&'a str, &'a str)],
    /// The hash of the body, by [`BodyHash`].
    pub body_sha256: &'a str,
    /// The moment.
    pub at: Timestamp,
}

/// The headers that have to be added; the values are secret.
#[must_use]
pub fn sign_request(
    request: &SignedRequest<'_>,
    credentials: &Credentials,
) -> Vec<(&'static str, Zeroizing<String>)> {
    let moment = request.at.strftime("%Y%m%dT%H%M%SZ").to_string();
    let date = request.at.strftime("%Y%m%d").to_string();
    let scope = format!("{date}/{}/{}/aws4_request", request.region, request.service);
    let session = credentials.session_token().map(|token| token.expose());
    let mut headers: Vec<(&str, &str)> = request.headers.to_vec();
    headers.push(("host", request.host));
    headers.push(("x-amz-date", &moment));
    headers.extend(session.map(|token| ("x-amz-security-token", token)));
    headers.sort_unstable();
    let names: Vec<&str> = headers.iter().map(|(name, _)| *name).collect();
    let names = names.join(";");
    let lines: Vec<String> = headers
        .iter()
        .map(|(name, value)| format!("{name}:{}\n", value.trim()))
        .collect();
    let canonical = Zeroizing::new(format!(
        "{}\n{}\n\n{}\n{names}\n{}",
        request.method,
        request.path,
        lines.concat(),
        request.body_sha256
    ));
    let to_sign = format!(
        "AWS4-HMAC-SHA256\n{moment}\n{scope}\n{}",
        sha256_hex(canonical.as_bytes())
    );
    let key = signing_key(credentials, &[&date, request.region, request.service]);
    let signature = hex(hmac::sign(&key, to_sign.as_bytes()).as_ref());
    let id = credentials.access_key_id();
    let authorization = format!(
        "AWS4-HMAC-SHA256 Credential={id}/{scope}, SignedHeaders={names}, Signature={signature}"
    );
    let mut added = vec![
        ("authorization", Zeroizing::new(authorization)),
        ("x-amz-date", Zeroizing::new(moment)),
    ];
    added.extend(session.map(|token| ("x-amz-security-token", Zeroizing::new(token.to_owned()))));
    added
}

/// The SHA-256 of a body, in hexadecimal.
pub struct BodyHash(digest::Context);

impl Default for BodyHash {
    fn default() -> Self {
        Self(digest::Context::new(&digest::SHA256))
    }
}

impl BodyHash {
    /// Of a body that is at hand.
    #[must_use]
    pub fn of(body: &[u8]) -> String {
        sha256_hex(body)
    }

    /// Takes the next part.
    pub fn add(&mut self, part: &[u8]) {
        self.0.update(part);
    }

    /// What came of it.
    #[must_use]
    pub fn hex(self) -> String {
        hex(self.0.finish().as_ref())
    }
}

/// A form body, encoded as AWS wants it.
#[must_use]
pub fn form(fields: &[(&str, &str)]) -> String {
    let fields: Vec<String> = fields
        .iter()
        .map(|(name, value)| format!("{}={}", encode(name), encode(value)))
        .collect();
    fields.join("&")
}

/// Text that a service sent percent-encoded; bytes that are no UTF-8 are replaced.
#[must_use]
pub fn percent_decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}
