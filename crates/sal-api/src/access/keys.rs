//! `publickey` and `privatekey`: Sal's pairs of keys.

use aws_lc_rs::digest::{Context, SHA256};
use axum::http::{HeaderMap, request::Parts};
use sal_http::{
    App, AppError,
    access::refusals::{Refusal, Why},
    db::program_client,
    origin::Origin,
};
use sal_store::api_keys::authenticate;

use super::Caller;
use crate::error::ApiError;

/// Who shows a pair of keys. Wrong ones are counted by address together with wrong tokens.
///
/// # Errors
/// [`ApiError::NoCredentials`], [`ApiError::InvalidKey`], and too many tries.
pub(super) async fn find(parts: &Parts, app: &App) -> Result<Caller, ApiError> {
    let (public, private) = match shown(&parts.headers)? {
        Shown::Nothing => return Err(ApiError::NoCredentials),
        // It cannot be guessed by halves, and nobody is asked.
        Shown::Half => return Err(ApiError::InvalidKey),
        Shown::Pair(public, private) => (public, private),
    };
    let (origin, now) = (Origin::of(parts, app), app.now());
    let hash = hash(public, private);
    let attempts = app.program_attempts();
    let may_ask = attempts.may_ask(&origin.network, Some(&hash), now);
    may_ask.map_err(|seconds| AppError::TooMany { seconds })?;
    let db = program_client(app).await?;
    let found = authenticate(&db, public, private).await?;
    drop(db);
    if let Some(key) = found.into_iter().next() {
        attempts.was_right(hash);
        return Ok(Caller::Key {
            id: key.id,
            name: key.name,
            read_write: key.read_write,
        });
    }
    attempts.was_wrong(&origin.network, Some(&hash), now);
    let refusal = Refusal::of_nobody(&origin.address, Why::ApiKey);
    app.refusals().note(refusal, now, &app.store).await;
    Err(ApiError::InvalidKey)
}

enum Shown<'a> {
    Nothing,
    Half,
    Pair(&'a str, &'a str),
}

/// Both parts; one alone is a wrong key, and an empty header is none.
fn shown(headers: &HeaderMap) -> Result<Shown<'_>, ApiError> {
    let part = |name: &str| match headers.get(name).map(|value| value.to_str()) {
        None | Some(Ok("")) => Ok(None),
        Some(Ok(text)) => Ok(Some(text)),
        Some(Err(_)) => Err(ApiError::InvalidKey),
    };
    Ok(match (part("publickey")?, part("privatekey")?) {
        (None, None) => Shown::Nothing,
        (Some(public), Some(private)) => Shown::Pair(public, private),
        (Some(_), None) | (None, Some(_)) => Shown::Half,
    })
}

/// What a pair is known by among those that were right, so that none of them stays in memory. No token's hash is one.
fn hash(public: &str, private: &str) -> Vec<u8> {
    let mut context = Context::new(&SHA256);
    for part in ["pair of keys", public, private] {
        context.update(part.as_bytes());
        context.update(b"\0");
    }
    context.finish().as_ref().to_vec()
}
