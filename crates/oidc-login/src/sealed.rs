//! A login that is under way, sealed into a cookie of the very browser that began it. Pure but for random bytes.
//!
//! Nothing of it is kept anywhere else, so whoever begins ten thousand logins ends nobody's. AES-256-GCM: the browser
//! can neither read nor change it, and what was sealed for another provider or client does not open.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, Nonce, RandomizedNonceKey};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use jiff::Timestamp;
use rand::RngExt;
use serde::{Deserialize, Serialize};

use crate::{config::ClientConfig, error::LoginError};

/// The key of all servers that share logins. Prints as `***`.
#[derive(Clone)]
pub struct SealingKey([u8; SealingKey::BYTES]);

impl SealingKey {
    /// How long it is.
    pub const BYTES: usize = 32;

    /// Makes a new one.
    #[must_use]
    pub fn random() -> Self {
        Self(rand::rng().random())
    }

    /// Reads one that was kept; `None` when it has another length.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// What is kept of it: everything. It is a secret.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    pub(crate) fn seal(&self, open: &Open, client: &ClientConfig) -> Result<String, LoginError> {
        let sealing = |_error| LoginError::Sealing;
        let mut text = serde_json::to_vec(open).map_err(|_error| LoginError::Sealing)?;
        let key = RandomizedNonceKey::new(&AES_256_GCM, &self.0).map_err(sealing)?;
        let nonce = key
            .seal_in_place_append_tag(context(client), &mut text)
            .map_err(sealing)?;
        let sealed = [nonce.as_ref().as_slice(), &text].concat();
        Ok(BASE64_URL_SAFE_NO_PAD.encode(sealed))
    }

    /// Opens what [`SealingKey::seal`] sealed, if it has not expired.
    pub(crate) fn open(&self, sealed: &str, client: &ClientConfig, now: Timestamp) -> Option<Open> {
        if sealed.len() > MAX_BYTES {
            return None;
        }
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(sealed).ok()?;
        let (nonce, text) = bytes.split_at_checked(NONCE_BYTES)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut text = text.to_vec();
        let key = RandomizedNonceKey::new(&AES_256_GCM, &self.0).ok()?;
        let text = key.open_in_place(nonce, context(client), &mut text).ok()?;
        let open: Open = serde_json::from_slice(text).ok()?;
        (open.expires > now.as_second()).then_some(open)
    }
}

impl fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// What is in the cookie.
#[derive(Serialize, Deserialize)]
pub(crate) struct Open {
    /// What names the login on the way.
    pub(crate) state: String,
    /// What the provider's token has to repeat.
    pub(crate) nonce: String,
    /// What proves to the provider that we began it.
    pub(crate) verifier: String,
    /// Where the browser wanted to go.
    pub(crate) next: String,
    /// In seconds since 1970.
    pub(crate) expires: i64,
}

fn context(client: &ClientConfig) -> Aad<String> {
    let ClientConfig {
        issuer,
        client_id,
        redirect_uri,
        ..
    } = client;
    Aad::from(format!("{}\n{client_id}\n{redirect_uri}", issuer.as_str()))
}

const NONCE_BYTES: usize = 12;
/// What a browser keeps of one cookie.
const MAX_BYTES: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Issuer;

    fn client(client_id: &str) -> ClientConfig {
        ClientConfig {
            issuer: Issuer::parse("https://login.example.org").unwrap(),
            client_id: client_id.to_owned(),
            client_secret: None,
            redirect_uri: "https://sal.example.org/".to_owned(),
            scopes: "openid".to_owned(),
        }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn what_was_sealed_opens_here_in_time_and_nowhere_else() {
        let (key, mine) = (SealingKey::random(), client("sal"));
        let open = Open {
            state: "s".to_owned(),
            nonce: "n".to_owned(),
            verifier: "the-verifier".to_owned(),
            next: "/machines/".to_owned(),
            expires: 100,
        };
        let sealed = key.seal(&open, &mine).unwrap();
        assert_eq!(key.open(&sealed, &mine, at(99)).unwrap().next, "/machines/");
        assert!(key.open(&sealed, &mine, at(100)).is_none(), "expired");
        assert!(key.open(&sealed, &client("other"), at(99)).is_none());
        assert!(SealingKey::random().open(&sealed, &mine, at(99)).is_none());
        let kept = SealingKey::from_bytes(key.expose()).unwrap();
        assert!(kept.open(&sealed, &mine, at(99)).is_some());
        assert_ne!(
            key.seal(&open, &mine).unwrap(),
            sealed,
            "never the same twice"
        );
        let shown = BASE64_URL_SAFE_NO_PAD.decode(&sealed).unwrap();
        assert!(!String::from_utf8_lossy(&shown).contains("verifier"));
    }

    #[test]
    fn what_was_changed_does_not_open() {
        let (key, mine) = (SealingKey::random(), client("sal"));
        let open = Open {
            state: String::new(),
            nonce: String::new(),
            verifier: String::new(),
            next: String::new(),
            expires: i64::MAX,
        };
        let sealed = key.seal(&open, &mine).unwrap();
        for place in 0..sealed.len() {
            let mut bytes = BASE64_URL_SAFE_NO_PAD.decode(&sealed).unwrap();
            let Some(byte) = bytes.get_mut(place) else {
                break;
            };
            *byte ^= 1;
            let changed = BASE64_URL_SAFE_NO_PAD.encode(bytes);
            assert!(key.open(&changed, &mine, at(1)).is_none(), "{place}");
        }
        for text in ["", "A", "ü", &"A".repeat(MAX_BYTES + 1)] {
            assert!(key.open(text, &mine, at(1)).is_none());
        }
        assert!(SealingKey::from_bytes(b"short").is_none());
        assert_eq!(format!("{key:?}"), "***");
    }
}
