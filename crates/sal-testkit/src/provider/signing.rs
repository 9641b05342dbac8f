//! The provider's key, and all the ways to sign a token wrongly.

use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};

/// How the provider signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signature {
    /// With its key.
    Right,
    /// Not at all, and says so: `none`.
    None,
    /// With an HMAC whose secret is its public key, which everybody knows.
    HmacWithPublicKey,
    /// With its key, over something else.
    OfAnotherToken,
    /// Rightly, but the header names an algorithm of another kind of key.
    NamesRsa,
}

/// A key on the curve P-256.
pub(super) struct SigningKey {
    id: String,
    pair: EcdsaKeyPair,
}

impl SigningKey {
    pub(super) fn new(id: &str) -> Self {
        Self {
            id: id.to_owned(),
            pair: EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("a key"),
        }
    }

    /// As the key set shows it.
    pub(super) fn public(&self) -> Value {
        let point = self.pair.public_key().as_ref().iter().copied().skip(1);
        let point: Vec<u8> = point.collect();
        let (x, y) = point.split_at(point.len() / 2);
        json!({
            "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": self.id,
            "x": BASE64_URL_SAFE_NO_PAD.encode(x), "y": BASE64_URL_SAFE_NO_PAD.encode(y),
        })
    }

    pub(super) fn sign(&self, claims: &Map<String, Value>, how: Signature) -> String {
        let algorithm = match how {
            Signature::Right | Signature::OfAnotherToken => "ES256",
            Signature::None => "none",
            Signature::HmacWithPublicKey => "HS256",
            Signature::NamesRsa => "RS256",
        };
        let header = json!({"typ": "JWT", "alg": algorithm, "kid": self.id});
        let encode = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!(
            "{}.{}",
            encode(&header),
            encode(&Value::Object(claims.clone()))
        );
        let signature = match how {
            Signature::None => Vec::new(),
            Signature::HmacWithPublicKey => {
                let secret = hmac::Key::new(hmac::HMAC_SHA256, self.pair.public_key().as_ref());
                hmac::sign(&secret, signed.as_bytes()).as_ref().to_vec()
            }
            Signature::OfAnotherToken => self.signature(b"another"),
            Signature::Right | Signature::NamesRsa => self.signature(signed.as_bytes()),
        };
        format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature))
    }

    fn signature(&self, message: &[u8]) -> Vec<u8> {
        let signature = self.pair.sign(&SystemRandom::new(), message);
        signature.expect("a signature").as_ref().to_vec()
    }
}
