//! How clients authenticate: HTTP Basic, user `sal`, password the key of any machine group (sal-protocol §0).
//!
//! Everything malformed is a 401 here; the original answers 500 to some of it.

use axum::extract::FromRequestParts;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sal_store::groups::group_by_key;

use crate::app::App;
use crate::error::AppError;

/// Proof that the caller showed a key, or that keys are switched off.
#[derive(Debug, Clone, Copy)]
pub struct CheckinClient(());

impl FromRequestParts<App> for CheckinClient {
    type Rejection = AppError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, AppError> {
        if !app.config.basic_auth {
            return Ok(Self(()));
        }
        let header = parts
            .headers
            .get(AUTHORIZATION)
            .and_then(|value| value.to_str().ok());
        let key = header.and_then(key_of).ok_or(AppError::NoKey)?;
        let db = app.store.get().await?;
        match group_by_key(&db, &key).await?.first() {
            Some(_) => Ok(Self(())),
            None => Err(AppError::NoKey),
        }
    }
}

/// The key in a Basic header of user `sal`, if the header is well formed.
fn key_of(header: &str) -> Option<String> {
    let mut words = header.split_ascii_whitespace();
    let (scheme, value) = (words.next()?, words.next()?);
    if words.next().is_some() || !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let pair = String::from_utf8(STANDARD.decode(value).ok()?).ok()?;
    let (user, key) = pair.split_once(':')?;
    let usable = user == "sal" && !key.contains([':', '\0']);
    usable.then(|| key.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scheme_is_any_case_and_the_user_is_sal() {
        let basic = |pair: &[u8]| STANDARD.encode(pair);
        assert_eq!(
            key_of(&format!("bAsIc {}", basic(b"sal:key"))),
            Some("key".to_owned())
        );
        for pair in [
            &b"Sal:key"[..],
            b"admin:key",
            b"sal",
            b"\xff\xfe",
            b"sal:a\0b",
        ] {
            assert_eq!(key_of(&format!("Basic {}", basic(pair))), None);
        }
    }

    #[test]
    fn q005_malformed_headers_hold_no_key() {
        for header in [
            "",
            "Basic",
            "Basic a b",
            "Bearer abc",
            "Basic %%%",
            "Basic YWJjZA",
            "Basic c2FsOmE6Yg==",
        ] {
            assert_eq!(key_of(header), None, "{header}");
        }
    }
}
