//! The provider's public keys (RFC 7517) and the signatures they judge (RFC 7518). Pure.
//!
//! Only signatures by public keys are known here: neither `none` nor any HMAC can be asked for, so that nobody can
//! sign with what everybody knows.

use aws_lc_rs::{
    digest::{self, digest},
    signature::{self, RsaParameters, RsaPublicKeyComponents, UnparsedPublicKey},
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde::Deserialize;

/// How a token is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Algorithm {
    Rs256,
    Rs384,
    Rs512,
    Ps256,
    Ps384,
    Ps512,
    Es256,
    Es384,
    EdDsa,
}

/// A set of keys.
#[derive(Debug, Default)]
pub(crate) struct Keys(Vec<Key>);

/// A key that signs tokens.
#[derive(Debug)]
pub(crate) struct Key {
    id: Option<String>,
    /// The only algorithm it is for, where the provider says so.
    algorithm: Option<String>,
    material: Material,
}

#[derive(Debug)]
enum Material {
    Rsa {
        modulus: Vec<u8>,
        exponent: Vec<u8>,
    },
    /// An uncompressed point.
    P256(Vec<u8>),
    P384(Vec<u8>),
    Ed25519(Vec<u8>),
}

#[derive(Deserialize)]
struct Document {
    keys: Vec<serde_json::Value>,
}

#[derive(Deserialize)]
struct Written {
    kty: String,
    #[serde(rename = "use")]
    purpose: Option<String>,
    kid: Option<String>,
    alg: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

impl Algorithm {
    /// Reads the name in a token's header; `None` for all that is not allowed.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        NAMES
            .into_iter()
            .find_map(|(known, algorithm)| (known == name).then_some(algorithm))
    }

    fn name(self) -> &'static str {
        NAMES
            .into_iter()
            .find_map(|(name, algorithm)| (algorithm == self).then_some(name))
            .unwrap_or_default()
    }

    /// The left half of the hash of a text, as `at_hash` holds it.
    pub(crate) fn half_hash(self, text: &str) -> String {
        let hash = match self {
            Self::Rs256 | Self::Ps256 | Self::Es256 => &digest::SHA256,
            Self::Rs384 | Self::Ps384 | Self::Es384 => &digest::SHA384,
            Self::Rs512 | Self::Ps512 | Self::EdDsa => &digest::SHA512,
        };
        let whole = digest(hash, text.as_bytes());
        let (half, _rest) = whole.as_ref().split_at(whole.as_ref().len() / 2);
        BASE64_URL_SAFE_NO_PAD.encode(half)
    }

    fn rsa(self) -> Option<&'static RsaParameters> {
        match self {
            Self::Rs256 => Some(&signature::RSA_PKCS1_2048_8192_SHA256),
            Self::Rs384 => Some(&signature::RSA_PKCS1_2048_8192_SHA384),
            Self::Rs512 => Some(&signature::RSA_PKCS1_2048_8192_SHA512),
            Self::Ps256 => Some(&signature::RSA_PSS_2048_8192_SHA256),
            Self::Ps384 => Some(&signature::RSA_PSS_2048_8192_SHA384),
            Self::Ps512 => Some(&signature::RSA_PSS_2048_8192_SHA512),
            Self::Es256 | Self::Es384 | Self::EdDsa => None,
        }
    }
}

impl Keys {
    /// Reads a key set. Keys of other kinds and for other purposes are left out.
    pub(crate) fn parse(json: &[u8]) -> Result<Self, serde_json::Error> {
        let document: Document = serde_json::from_slice(json)?;
        let keys = document.keys.into_iter().take(MAX_KEYS);
        Ok(Self(keys.filter_map(Key::read).collect()))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The key with this id; without an id, the only one that the algorithm can use.
    pub(crate) fn find(&self, id: Option<&str>, algorithm: Algorithm) -> Option<&Key> {
        if let Some(id) = id {
            return self.0.iter().find(|key| key.id.as_deref() == Some(id));
        }
        let mut fitting = self.0.iter().filter(|key| key.is_for(algorithm));
        let first = fitting.next();
        fitting.next().map_or(first, |_more| None)
    }
}

impl Key {
    fn read(value: serde_json::Value) -> Option<Self> {
        let written: Written = serde_json::from_value(value).ok()?;
        if written
            .purpose
            .as_deref()
            .is_some_and(|purpose| purpose != "sig")
        {
            return None;
        }
        let material = match (written.kty.as_str(), written.crv.as_deref()) {
            ("RSA", _) => Material::Rsa {
                modulus: number(written.n.as_deref()?)?,
                exponent: number(written.e.as_deref()?)?,
            },
            ("EC", Some("P-256")) => Material::P256(point(&written, 32)?),
            ("EC", Some("P-384")) => Material::P384(point(&written, 48)?),
            ("OKP", Some("Ed25519")) => Material::Ed25519(sized(written.x.as_deref()?, 32)?),
            _ => return None,
        };
        Some(Self {
            id: written.kid,
            algorithm: written.alg,
            material,
        })
    }

    /// Whether signatures of this algorithm can be made with this kind of key, and the provider makes them.
    pub(crate) fn is_for(&self, algorithm: Algorithm) -> bool {
        let kind_fits = match self.material {
            Material::Rsa { .. } => algorithm.rsa().is_some(),
            Material::P256(_) => algorithm == Algorithm::Es256,
            Material::P384(_) => algorithm == Algorithm::Es384,
            Material::Ed25519(_) => algorithm == Algorithm::EdDsa,
        };
        let named = self.algorithm.as_deref();
        kind_fits && named.is_none_or(|named| named == algorithm.name())
    }

    /// Whether the signature is of this key over this message.
    pub(crate) fn verifies(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        if !self.is_for(algorithm) {
            return false;
        }
        let verified = match (&self.material, algorithm.rsa()) {
            (Material::Rsa { modulus, exponent }, Some(parameters)) => {
                let key = RsaPublicKeyComponents {
                    n: modulus,
                    e: exponent,
                };
                key.verify(parameters, message, signature)
            }
            (Material::Rsa { .. }, None) => return false,
            (Material::P256(point), _) => {
                UnparsedPublicKey::new(&signature::ECDSA_P256_SHA256_FIXED, point)
                    .verify(message, signature)
            }
            (Material::P384(point), _) => {
                UnparsedPublicKey::new(&signature::ECDSA_P384_SHA384_FIXED, point)
                    .verify(message, signature)
            }
            (Material::Ed25519(bytes), _) => {
                UnparsedPublicKey::new(&signature::ED25519, bytes).verify(message, signature)
            }
        };
        verified.is_ok()
    }
}

/// A number without leading zeros, which some providers write and the standard forbids.
fn number(text: &str) -> Option<Vec<u8>> {
    let bytes = decode(text)?;
    let start = bytes.iter().position(|byte| *byte != 0)?;
    Some(bytes.into_iter().skip(start).collect())
}

fn point(written: &Written, size: usize) -> Option<Vec<u8>> {
    let x = sized(written.x.as_deref()?, size)?;
    let y = sized(written.y.as_deref()?, size)?;
    Some([vec![4], x, y].concat())
}

fn sized(text: &str, size: usize) -> Option<Vec<u8>> {
    decode(text).filter(|bytes| bytes.len() == size)
}

fn decode(text: &str) -> Option<Vec<u8>> {
    BASE64_URL_SAFE_NO_PAD
        .decode(text.trim_end_matches('='))
        .ok()
}

const NAMES: [(&str, Algorithm); 9] = [
    ("RS256", Algorithm::Rs256),
    ("RS384", Algorithm::Rs384),
    ("RS512", Algorithm::Rs512),
    ("PS256", Algorithm::Ps256),
    ("PS384", Algorithm::Ps384),
    ("PS512", Algorithm::Ps512),
    ("ES256", Algorithm::Es256),
    ("ES384", Algorithm::Es384),
    ("EdDSA", Algorithm::EdDsa),
];
/// Entra ID has about ten.
const MAX_KEYS: usize = 100;

#[cfg(test)]
mod tests;
