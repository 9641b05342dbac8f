use aws_lc_rs::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair},
};
use serde_json::json;

use super::*;

const NOW: i64 = 1_800_000_000;

struct Judge {
    pair: EcdsaKeyPair,
    keys: Keys,
}

impl Judge {
    fn new() -> Self {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        let (x, y) = pair.public_key().as_ref()[1..].split_at(32);
        let encode = |bytes: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(bytes);
        let set = json!({"keys": [{"kty": "EC", "crv": "P-256", "kid": "k", "x": encode(x), "y": encode(y)}]});
        let keys = Keys::parse(set.to_string().as_bytes()).unwrap();
        Self { pair, keys }
    }

    fn sign(&self, header: &Value, claims: &Value) -> String {
        let encode = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", encode(header), encode(claims));
        let signature = self
            .pair
            .sign(&SystemRandom::new(), signed.as_bytes())
            .unwrap();
        format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature))
    }

    fn judge(&self, token: &str, access_token: Option<&str>) -> Result<(), TokenFault> {
        let expected = Expected {
            issuer: "https://login.example.org",
            client_id: "sal",
            nonce: "nonce-1",
            access_token,
            now: Timestamp::from_second(NOW).unwrap(),
        };
        verify(token, &self.keys, &expected).map(|_claims| ())
    }
}

/// The verdict on a token that is right but for some claims; null takes one out.
fn with(changes: &Value) -> Result<(), TokenFault> {
    let mut claims = json!({
        "iss": "https://login.example.org", "aud": "sal", "sub": "s", "nonce": "nonce-1",
        "iat": NOW, "exp": NOW + 300,
    });
    for (name, value) in changes.as_object().unwrap() {
        claims[name] = value.clone();
    }
    claims
        .as_object_mut()
        .unwrap()
        .retain(|_, value| !value.is_null());
    let judge = Judge::new();
    let token = judge.sign(&json!({"alg": "ES256", "kid": "k"}), &claims);
    judge.judge(&token, Some("access"))
}

#[test]
fn a_right_token_is_believed() {
    assert_eq!(with(&json!({})), Ok(()));
    assert_eq!(with(&json!({"aud": ["sal"]})), Ok(()));
    assert_eq!(
        with(&json!({"aud": ["sal", "other"], "azp": "sal"})),
        Ok(())
    );
    assert_eq!(
        with(&json!({"nbf": NOW + 59, "iat": 1_800_000_000.5})),
        Ok(())
    );
}

#[test]
fn another_issuer_audience_or_nonce_is_refused() {
    for (changes, fault) in [
        (
            json!({"iss": "https://login.example.org/"}),
            TokenFault::Issuer,
        ),
        (json!({"iss": null}), TokenFault::Issuer),
        (json!({"aud": "other"}), TokenFault::Audience),
        (json!({"aud": []}), TokenFault::Audience),
        (json!({"aud": null}), TokenFault::Claim("aud")),
        (json!({"aud": ["sal", "other"]}), TokenFault::Audience),
        (
            json!({"aud": ["sal", "other"], "azp": "other"}),
            TokenFault::Audience,
        ),
        (json!({"azp": "other"}), TokenFault::Audience),
        (json!({"azp": 7}), TokenFault::Audience),
        (json!({"nonce": "nonce-2"}), TokenFault::Nonce),
        (json!({"nonce": null}), TokenFault::Nonce),
        (json!({"sub": null}), TokenFault::Claim("sub")),
        (json!({"sub": "a\u{0}b"}), TokenFault::Claim("sub")),
        (json!({"sub": "x".repeat(256)}), TokenFault::Claim("sub")),
    ] {
        assert_eq!(with(&changes), Err(fault), "{changes}");
    }
}

#[test]
fn clocks_may_differ_by_a_minute_and_no_more() {
    assert_eq!(with(&json!({"exp": NOW - 59})), Ok(()));
    assert_eq!(with(&json!({"iat": NOW + 60})), Ok(()));
    for (changes, fault) in [
        (json!({"exp": NOW - 60}), TokenFault::Expired),
        (json!({"exp": null}), TokenFault::Claim("exp")),
        (json!({"exp": "soon"}), TokenFault::Claim("exp")),
        (json!({"iat": null}), TokenFault::Claim("iat")),
        (json!({"iat": NOW + 61}), TokenFault::Future),
        (json!({"nbf": NOW + 61}), TokenFault::Future),
        (json!({"nbf": "x"}), TokenFault::Claim("nbf")),
    ] {
        assert_eq!(with(&changes), Err(fault), "{changes}");
    }
}

#[test]
fn the_hash_of_the_access_token_counts_where_it_is_there() {
    let right = Algorithm::Es256.half_hash("access");
    assert_eq!(with(&json!({"at_hash": right})), Ok(()));
    let other = Algorithm::Es256.half_hash("other");
    assert_eq!(
        with(&json!({"at_hash": other})),
        Err(TokenFault::AccessToken)
    );
    assert_eq!(
        with(&json!({"at_hash": 7})),
        Err(TokenFault::Claim("at_hash"))
    );
}

#[test]
fn the_hash_of_an_access_token_is_the_standards() {
    // OpenID Connect Core, appendix A.3.
    let hash = Algorithm::Rs256.half_hash("jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y");
    assert_eq!(hash, "77QmUPtjPfzWtF2AnpK9RQ");
}

#[test]
fn wrong_headers_and_signatures_are_refused() {
    let judge = Judge::new();
    let claims = json!({});
    for (header, fault) in [
        (json!({"alg": "none", "kid": "k"}), TokenFault::Algorithm),
        (json!({"alg": "HS256", "kid": "k"}), TokenFault::Algorithm),
        (json!({"alg": "RS256", "kid": "k"}), TokenFault::KeyMismatch),
        (json!({"alg": "ES384", "kid": "k"}), TokenFault::KeyMismatch),
        (
            json!({"alg": "ES256", "kid": "other"}),
            TokenFault::UnknownKey,
        ),
        (
            json!({"alg": "ES256", "kid": "k", "crit": ["exp"]}),
            TokenFault::Critical,
        ),
        (json!({"kid": "k"}), TokenFault::Form),
    ] {
        let token = judge.sign(&header, &claims);
        assert_eq!(judge.judge(&token, None), Err(fault), "{header}");
    }
    let token = judge.sign(&json!({"alg": "ES256", "kid": "k"}), &claims);
    let other = Judge::new().sign(&json!({"alg": "ES256", "kid": "k"}), &claims);
    assert_eq!(judge.judge(&other, None), Err(TokenFault::Signature));
    let (signed, _signature) = token.rsplit_once('.').unwrap();
    assert_eq!(
        judge.judge(&format!("{signed}."), None),
        Err(TokenFault::Signature)
    );
    assert!(judge.judge(&format!("{token}A"), None).is_err());
}

#[test]
fn what_is_no_token_is_refused() {
    let judge = Judge::new();
    let long = "x".repeat(MAX_TOKEN_BYTES + 1);
    for text in ["", ".", "..", "a.b", "a.b.c", "e30.e30.e30", &long] {
        assert_eq!(judge.judge(text, None), Err(TokenFault::Form), "{text:.9}");
    }
}

#[test]
fn a_dot_leads_into_an_object_but_a_whole_name_wins() {
    let claims = Claims::of(json!({"a": {"b": "in"}, "a.b": "whole", "c": {"d": ["x"]}}));
    assert_eq!(claims.text("a.b"), Some("whole"));
    assert_eq!(claims.get("c.d"), Some(&json!(["x"])));
    assert_eq!(claims.get("c.d.e"), None);
    assert_eq!(claims.get(""), None);
}
