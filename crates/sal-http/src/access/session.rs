//! Browser sessions: a random cookie, of which only a hash reaches the database.
//!
//! The cookie is `<user id>-<43 characters>`: the id finds the user, the rest is 256 random bits.
//! How the database keeps it is told in `sal_store::sessions`.

use aws_lc_rs::digest::{SHA256, digest};
use axum::http::{HeaderMap, HeaderValue, header};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use jiff::{SignedDuration, Timestamp};
use rand::RngExt;
use sal_store::{
    ids::UserId,
    sessions::{SessionViewer, delete_session, insert_session, session_viewer},
};

use crate::db::page_client;
use crate::{app::App, error::AppError};

/// How long a session lasts, as Django's.
pub const LIFETIME: SignedDuration = SignedDuration::from_hours(14 * 24);

/// What a session cookie says. Not printable: it is a secret.
pub struct SessionCookie {
    user: UserId,
    secret: String,
}

impl SessionCookie {
    /// Makes a new one.
    #[must_use]
    pub fn new(user: UserId) -> Self {
        let bits: [u8; 32] = rand::rng().random();
        Self {
            user,
            secret: BASE64_URL_SAFE_NO_PAD.encode(bits),
        }
    }

    /// Reads it from a request's headers, where there is one of the right form.
    #[must_use]
    pub fn from_headers(headers: &HeaderMap, app: &App) -> Option<Self> {
        let (user, secret) = cookie(headers, name(app.config.secure_cookies))?.split_once('-')?;
        let sane = secret.len() == SECRET_CHARACTERS
            && secret
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        let user = UserId(user.parse().ok()?);
        sane.then(|| Self {
            user,
            secret: secret.to_owned(),
        })
    }

    /// Starts the session and returns the `Set-Cookie` header for it, or `None` when the user is gone.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn start(&self, now: Timestamp, app: &App) -> Result<Option<HeaderValue>, AppError> {
        let expires = now
            .saturating_add(LIFETIME)
            .map_err(|error| AppError::internal("reckoning the end of a session", error))?;
        let db = page_client(app).await?;
        let started = insert_session(&db, &self.user, &self.hash(), &now, &expires).await?;
        Ok((started == 1)
            .then(|| self.header(LIFETIME.as_secs(), app.config.secure_cookies))
            .flatten())
    }

    /// Finds who it belongs to.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn viewer(&self, app: &App) -> Result<Option<SessionViewer>, AppError> {
        let db = page_client(app).await?;
        let found = session_viewer(&db, &self.user, &self.hash(), &app.now()).await?;
        Ok(found.into_iter().next())
    }

    /// Ends the session and returns the `Set-Cookie` header that takes the cookie away.
    ///
    /// # Errors
    /// When the database fails; the session then goes on.
    pub async fn end(&self, app: &App) -> Result<Option<HeaderValue>, AppError> {
        let db = page_client(app).await?;
        delete_session(&db, &self.user, &self.hash()).await?;
        let empty = Self {
            user: UserId(0),
            secret: String::new(),
        };
        Ok(empty.header(0, app.config.secure_cookies))
    }

    fn hash(&self) -> Vec<u8> {
        digest(&SHA256, self.secret.as_bytes()).as_ref().to_vec()
    }

    fn header(&self, max_age_seconds: i64, is_secure: bool) -> Option<HeaderValue> {
        let (name, user, secret) = (name(is_secure), self.user, &self.secret);
        let secure = if is_secure { "; Secure" } else { "" };
        let text = format!(
            "{name}={user}-{secret}; Path=/; Max-Age={max_age_seconds}; HttpOnly; SameSite=Lax{secure}"
        );
        let mut value = HeaderValue::from_str(&text).ok()?;
        value.set_sensitive(true);
        Some(value)
    }
}

/// The value of a cookie.
#[must_use]
pub fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(found, value)| (found == name).then_some(value))
}

/// With https the browser itself guarantees that no other host set the cookie.
fn name(is_secure: bool) -> &'static str {
    if is_secure {
        "__Host-sal_session"
    } else {
        "sal_session"
    }
}

const SECRET_CHARACTERS: usize = 43;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn with_https_no_other_host_and_no_plain_connection_gets_at_the_cookie() {
        let session = SessionCookie::new(UserId(7));
        let header = session.header(60, true).unwrap();
        assert!(header.is_sensitive());
        let text = header.to_str().unwrap();
        assert!(text.starts_with("__Host-sal_session=7-"), "{text}");
        assert!(text.ends_with("; Path=/; Max-Age=60; HttpOnly; SameSite=Lax; Secure"));
        assert!(!text.contains("Domain"));
        let plain = session.header(60, false).unwrap();
        assert!(plain.to_str().unwrap().starts_with("sal_session=7-"));
    }

    #[test]
    fn every_session_has_a_secret_of_its_own() {
        let (one, other) = (SessionCookie::new(UserId(7)), SessionCookie::new(UserId(7)));
        assert_ne!(one.secret, other.secret);
        assert_eq!(one.secret.len(), SECRET_CHARACTERS);
        assert_ne!(one.hash(), one.secret.as_bytes());
    }
}
