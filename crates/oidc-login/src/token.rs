//! The ID token: a JWT (RFC 7519) that is believed only when everything about it is right. Pure.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::{
    keys::{Algorithm, Keys},
    person::{OVERAGE_SIGNS, is_left_out},
};

/// What a token has to say to be meant for this login.
pub(crate) struct Expected<'a> {
    pub(crate) issuer: &'a str,
    pub(crate) client_id: &'a str,
    pub(crate) nonce: &'a str,
    /// The access token that came with it.
    pub(crate) access_token: Option<&'a str>,
    pub(crate) now: Timestamp,
}

/// What the provider says about somebody, after all checks.
#[derive(Debug)]
pub(crate) struct Claims(Map<String, Value>);

/// Why a token is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenFault {
    /// It is no token.
    #[error("it is not a signed JWT")]
    Form,
    /// Its algorithm is not allowed: `none`, an HMAC, or one that nobody knows.
    #[error("the algorithm is not allowed")]
    Algorithm,
    /// It asks for extensions that are not known here.
    #[error("it has critical extensions")]
    Critical,
    /// No key of the provider has its id.
    #[error("the provider has no key with the token's id")]
    UnknownKey,
    /// The key is not one for the algorithm.
    #[error("the key is not for the token's algorithm")]
    KeyMismatch,
    /// The signature is wrong.
    #[error("the signature is wrong")]
    Signature,
    /// A claim is missing or of a wrong type.
    #[error("the claim `{0}` is missing or is not what it should be")]
    Claim(&'static str),
    /// Somebody else issued it.
    #[error("the issuer is another")]
    Issuer,
    /// It is for somebody else.
    #[error("the audience is another")]
    Audience,
    /// Its time is over.
    #[error("it has expired")]
    Expired,
    /// Its time has not come.
    #[error("it is from the future: the clocks differ by more than a minute")]
    Future,
    /// It is of another login.
    #[error("the nonce is another")]
    Nonce,
    /// The access token is another.
    #[error("the access token's hash is another")]
    AccessToken,
    /// The userinfo endpoint speaks of another account than the token.
    #[error("the userinfo is of another subject")]
    UserinfoSubject,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    crit: Option<Value>,
}

/// Believes a token or says why not.
pub(crate) fn verify(
    token: &str,
    keys: &Keys,
    expected: &Expected<'_>,
) -> Result<Claims, TokenFault> {
    if token.len() > MAX_TOKEN_BYTES {
        return Err(TokenFault::Form);
    }
    let (signed, signature) = token.rsplit_once('.').ok_or(TokenFault::Form)?;
    let (header, payload) = signed.split_once('.').ok_or(TokenFault::Form)?;
    let header: Header =
        serde_json::from_slice(&decode(header)?).map_err(|_error| TokenFault::Form)?;
    let algorithm = Algorithm::parse(&header.alg).ok_or(TokenFault::Algorithm)?;
    if header.crit.is_some() {
        return Err(TokenFault::Critical);
    }
    let key = keys.find(header.kid.as_deref(), algorithm);
    let key = key.ok_or(TokenFault::UnknownKey)?;
    if !key.is_for(algorithm) {
        return Err(TokenFault::KeyMismatch);
    }
    if !key.verifies(algorithm, signed.as_bytes(), &decode(signature)?) {
        return Err(TokenFault::Signature);
    }
    let claims = serde_json::from_slice(&decode(payload)?).map_err(|_error| TokenFault::Form)?;
    let claims = Claims(claims);
    claims.check(algorithm, expected)?;
    Ok(claims)
}

impl Claims {
    #[cfg(test)]
    pub(crate) fn of(claims: Value) -> Self {
        let Value::Object(map) = claims else {
            return Self(Map::new());
        };
        Self(map)
    }

    /// A claim; a dot leads into an object where there is no claim of the whole name.
    pub(crate) fn get(&self, name: &str) -> Option<&Value> {
        if let Some(found) = self.0.get(name) {
            return Some(found);
        }
        let mut names = name.split('.');
        let first = self.0.get(names.next()?)?;
        names.try_fold(first, |value, name| value.as_object()?.get(name))
    }

    /// A claim that is a text with something in it.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.get(name)
            .and_then(Value::as_str)
            .filter(|text| !text.trim().is_empty())
    }

    /// Adds what the userinfo endpoint says, where the token does not say it. Groups add up: either may know some.
    ///
    /// # Errors
    /// When it speaks of another subject, or of none (OpenID Connect Core §5.3.2).
    pub(crate) fn add(
        &mut self,
        mut more: Map<String, Value>,
        groups_claim: &str,
    ) -> Result<(), TokenFault> {
        if more.get("sub").and_then(Value::as_str) != self.text("sub") {
            return Err(TokenFault::UserinfoSubject);
        }
        // Who verified one address has not verified another.
        if let Some(address) = self.0.get("email")
            && more.get("email") != Some(address)
        {
            more.remove("email_verified");
        }
        let also = Self(more);
        if let Some(others) = also.get(groups_claim) {
            // Whoever says all groups answers for whoever left them out.
            if !is_left_out(&also, groups_claim) {
                for sign in OVERAGE_SIGNS {
                    self.0.remove(sign);
                }
            }
            if let Some(known) = self.get(groups_claim) {
                let both = [known, others].map(list).concat();
                self.0.insert(groups_claim.to_owned(), Value::Array(both));
            }
        }
        for (name, value) in also.0 {
            self.0.entry(name).or_insert(value);
        }
        Ok(())
    }

    fn check(&self, algorithm: Algorithm, expected: &Expected<'_>) -> Result<(), TokenFault> {
        if self.text("iss") != Some(expected.issuer) {
            return Err(TokenFault::Issuer);
        }
        self.check_audience(expected.client_id)?;
        self.check_times(expected.now)?;
        if self.text("nonce") != Some(expected.nonce) {
            return Err(TokenFault::Nonce);
        }
        let subject = self.text("sub").ok_or(TokenFault::Claim("sub"))?;
        if subject.len() > MAX_SUBJECT_BYTES || subject.contains(char::is_control) {
            return Err(TokenFault::Claim("sub"));
        }
        if self.0.contains_key("at_hash") {
            let hash = self.text("at_hash").ok_or(TokenFault::Claim("at_hash"))?;
            let access = expected.access_token.ok_or(TokenFault::AccessToken)?;
            if algorithm.half_hash(access) != hash {
                return Err(TokenFault::AccessToken);
            }
        }
        Ok(())
    }

    /// With more audiences than us, the token must say that it was made for us.
    fn check_audience(&self, client_id: &str) -> Result<(), TokenFault> {
        let audiences: Vec<&str> = match self.0.get("aud") {
            Some(Value::String(one)) => vec![one],
            Some(Value::Array(many)) => many.iter().filter_map(Value::as_str).collect(),
            _ => return Err(TokenFault::Claim("aud")),
        };
        let party = self
            .0
            .get("azp")
            .map(|party| party.as_str() == Some(client_id));
        let is_ours = audiences.contains(&client_id);
        let is_only_ours = audiences.iter().all(|audience| *audience == client_id);
        if is_ours && party.unwrap_or(is_only_ours) {
            Ok(())
        } else {
            Err(TokenFault::Audience)
        }
    }

    fn check_times(&self, now: Timestamp) -> Result<(), TokenFault> {
        let now = now.as_second();
        let expires = self.seconds("exp").ok_or(TokenFault::Claim("exp"))?;
        let issued = self.seconds("iat").ok_or(TokenFault::Claim("iat"))?;
        if now >= expires.saturating_add(SKEW_SECONDS) {
            return Err(TokenFault::Expired);
        }
        let begins = match self.0.get("nbf") {
            None => issued,
            Some(_) => self.seconds("nbf").ok_or(TokenFault::Claim("nbf"))?,
        };
        if issued.max(begins) > now.saturating_add(SKEW_SECONDS) {
            return Err(TokenFault::Future);
        }
        Ok(())
    }

    /// A time in whole seconds; some providers write fractions.
    fn seconds(&self, name: &str) -> Option<i64> {
        let Some(Value::Number(number)) = self.0.get(name) else {
            return None;
        };
        let text = number.to_string();
        text.split('.').next()?.parse().ok()
    }
}

fn list(value: &Value) -> Vec<Value> {
    match value {
        Value::Array(many) => many.clone(),
        one => vec![one.clone()],
    }
}

fn decode(part: &str) -> Result<Vec<u8>, TokenFault> {
    BASE64_URL_SAFE_NO_PAD
        .decode(part)
        .map_err(|_error| TokenFault::Form)
}

/// How far the provider's clock may be from ours.
const SKEW_SECONDS: i64 = 60;
const MAX_TOKEN_BYTES: usize = 128 * 1024;
/// OpenID Connect Core §2.
const MAX_SUBJECT_BYTES: usize = 255;

#[cfg(test)]
mod tests;
