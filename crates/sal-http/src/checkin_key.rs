//! How clients authenticate: HTTP Basic, user `sal`, password the key of any machine group (sal-protocol §0).
//!
//! Everything malformed is a 401 here; the original answers 500 to some of it.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::extract::FromRequestParts;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sal_store::former_keys;
use sal_store::groups::Group;
use sal_store::pool::Executor;
use tokio::time::Instant;

use crate::app::App;
use crate::db::machine_client;
use crate::error::AppError;

/// Proof that the caller showed a key, or that keys are switched off.
#[derive(Debug, Clone, Copy)]
pub struct CheckinClient(());

impl FromRequestParts<App> for CheckinClient {
    type Rejection = AppError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, AppError> {
        let shown = shown(parts, app)?;
        if let Some(key) = shown.key {
            ask(&key, app).await?;
        }
        Ok(Self(()))
    }
}

/// A key that was right a moment ago, or is right now: good enough to read the body. Whoever takes it must ask the
/// database for the key once more, together with the first statement of his own, which saves a round trip; and before
/// he tells the caller anything about the body, by [`ShownKey::verify`].
pub struct ShownKey {
    /// The key; none where no key is asked for.
    pub key: Option<String>,
}

impl FromRequestParts<App> for ShownKey {
    type Rejection = AppError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, AppError> {
        let shown = shown(parts, app)?;
        if let Some(key) = shown
            .key
            .as_deref()
            .filter(|key| !app.known_keys().has(key))
        {
            ask(key, app).await?;
            app.known_keys().add(key);
        }
        Ok(shown)
    }
}

impl ShownKey {
    /// Asks the database whether the key is right.
    ///
    /// # Errors
    /// [`AppError::NoKey`] when it is not, or the store's error.
    pub async fn verify(&self, app: &App) -> Result<(), AppError> {
        match &self.key {
            Some(key) => ask(key, app).await,
            None => Ok(()),
        }
    }

    /// Says that the database has just found the key right: a crowd need not ask for it once more each.
    pub fn is_right(&self, app: &App) {
        if let Some(key) = &self.key {
            app.known_keys().add(key);
        }
    }

    /// Says that the key turned out wrong.
    pub fn is_wrong(&self, app: &App) -> AppError {
        if let Some(key) = &self.key {
            app.known_keys().forget(key);
        }
        AppError::NoKey
    }
}

fn shown(parts: &Parts, app: &App) -> Result<ShownKey, AppError> {
    if !app.config.basic_auth {
        return Ok(ShownKey { key: None });
    }
    let header = parts
        .headers
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok());
    let key = header.and_then(key_of).ok_or(AppError::NoKey)?;
    Ok(ShownKey { key: Some(key) })
}

/// The group with this key, or that had it before and whose former key has not ended.
///
/// # Errors
/// When the database cannot be asked.
pub async fn group_of_key(
    key: &str,
    app: &App,
    db: &impl Executor,
) -> Result<Option<Group>, AppError> {
    let former = app.store.has_own_tables().then(|| app.now());
    match former_keys::group_of_key(key, former, db).await {
        // Without the table no group had another key. It was the last statement: a transaction it failed in is over.
        Err(error) if error.lacks_a_table() => {
            app.store.note_missing_tables();
            Ok(None)
        }
        found => Ok(found?),
    }
}

/// Who still has a former key of a group, in words.
#[must_use]
pub fn users_of_former_keys(machines: i64, silent: i64) -> String {
    let used = match machines {
        0 => "No machine has used it since it was replaced".to_owned(),
        1 => "1 machine still uses it".to_owned(),
        many => format!("{many} machines still use it"),
    };
    match silent {
        0 => format!("{used}."),
        1 => format!("{used}; 1 machine has not checked in since then."),
        many => format!("{used}; {many} machines have not checked in since then."),
    }
}

async fn ask(key: &str, app: &App) -> Result<(), AppError> {
    let db = machine_client(0, app).await?;
    match group_of_key(key, app, &db).await? {
        Some(_) => Ok(()),
        None => {
            app.known_keys().forget(key);
            Err(AppError::NoKey)
        }
    }
}

/// Keys that were right within the last minute. Only a hint: it decides who may have a body read, not who is let in.
#[derive(Default)]
pub(crate) struct KnownKeys(Mutex<HashMap<String, Instant>>);

impl KnownKeys {
    fn has(&self, key: &str) -> bool {
        let known = self.keys();
        known
            .get(key)
            .is_some_and(|since| since.elapsed() < KNOWN_FOR)
    }

    fn add(&self, key: &str) {
        let mut keys = self.keys();
        if keys.len() >= MOST_KEYS {
            keys.clear();
        }
        keys.insert(key.to_owned(), Instant::now());
    }

    fn forget(&self, key: &str) {
        self.keys().remove(key);
    }

    fn keys(&self) -> MutexGuard<'_, HashMap<String, Instant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How long a key counts as known.
const KNOWN_FOR: Duration = Duration::from_secs(60);
/// How many are remembered; an installation has a key for each machine group.
const MOST_KEYS: usize = 10_000;

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
