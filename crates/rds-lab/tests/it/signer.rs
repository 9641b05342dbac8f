//! A signer for the tests only; it shares nothing with the judge but the two hash crates.

use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use rds_lab::Credential;
use sha2::{Digest, Sha256};

/// What a token is made for; change a field to make a wrong one.
#[derive(Clone)]
pub(crate) struct Token {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) region: String,
    pub(crate) service: String,
    pub(crate) action: String,
    pub(crate) user: String,
    pub(crate) at: Timestamp,
    pub(crate) expires: String,
    pub(crate) credential: Credential,
}

impl Token {
    pub(crate) fn sign(&self) -> String {
        let stamp = stamp(self.at);
        let day = &stamp[..8];
        let scope = format!("{day}/{}/{}/aws4_request", self.region, self.service);
        let key = &self.credential.access_key_id;
        let mut query = format!(
            "Action={}&DBUser={}&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={}&X-Amz-Date={stamp}&X-Amz-Expires={}",
            self.action,
            escaped(&self.user),
            escaped(&format!("{key}/{scope}")),
            self.expires
        );
        if let Some(session) = &self.credential.session_token {
            query.push_str(&format!("&X-Amz-Security-Token={}", escaped(session)));
        }
        query.push_str("&X-Amz-SignedHeaders=host");
        let authority = format!("{}:{}", self.host, self.port);
        let canonical = format!("GET\n/\n{query}\nhost:{authority}\n\nhost\n{}", digest(b""));
        let signature = signature(&self.credential, &stamp, &scope, &canonical);
        format!("{authority}/?{query}&X-Amz-Signature={signature}")
    }
}

/// The headers of a signed POST with a form, to `/`.
pub(crate) fn signed_headers(
    credential: &Credential,
    host: &str,
    service: &str,
    at: Timestamp,
    body: &str,
) -> Vec<(&'static str, String)> {
    let stamp = stamp(at);
    let scope = format!("{}/us-west-2/{service}/aws4_request", &stamp[..8]);
    let form = "application/x-www-form-urlencoded";
    let mut headers = vec![
        ("content-type", form.to_owned()),
        ("host", host.to_owned()),
        ("x-amz-date", stamp.clone()),
    ];
    if let Some(session) = &credential.session_token {
        headers.push(("x-amz-security-token", session.clone()));
    }
    let names: Vec<_> = headers.iter().map(|(name, _)| *name).collect();
    let names = names.join(";");
    let lines: String = headers
        .iter()
        .map(|(name, value)| format!("{name}:{value}\n"))
        .collect();
    let canonical = format!("POST\n/\n\n{lines}\n{names}\n{}", digest(body.as_bytes()));
    let signature = signature(credential, &stamp, &scope, &canonical);
    let key = &credential.access_key_id;
    headers.push((
        "authorization",
        format!("AWS4-HMAC-SHA256 Credential={key}/{scope}, SignedHeaders={names}, Signature={signature}"),
    ));
    headers
}

pub(crate) fn escaped(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    text.bytes()
        .map(|byte| {
            if plain(byte) {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect()
}

fn signature(credential: &Credential, stamp: &str, scope: &str, canonical: &str) -> String {
    let text = format!(
        "AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{}",
        digest(canonical.as_bytes())
    );
    let mut key = format!("AWS4{}", credential.secret_access_key).into_bytes();
    for part in scope.split('/') {
        key = mac(&key, part.as_bytes());
    }
    hex(&mac(&key, text.as_bytes()))
}

fn stamp(at: Timestamp) -> String {
    at.strftime("%Y%m%dT%H%M%SZ").to_string()
}

fn digest(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn mac(key: &[u8], text: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(text);
    mac.finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
