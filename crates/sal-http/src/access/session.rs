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
    Client, StoreError,
    ids::UserId,
    sessions::{
        SessionViewer, delete_session, delete_sessions_of, insert_session, session_viewer,
        touch_session,
    },
};
use tracing::warn;

use crate::db::page_client;
use crate::{app::App, error::AppError};

/// How long a session lasts from its login on, as Django's.
pub const LIFETIME: SignedDuration = SignedDuration::from_hours(14 * 24);

/// What a session cookie says. Not printable: it is a secret.
pub struct SessionCookie {
    user: UserId,
    secret: String,
    is_https: bool,
}

impl SessionCookie {
    /// Makes a new one, for a browser that came by https or not.
    #[must_use]
    pub fn new(user: UserId, is_https: bool) -> Self {
        let bits: [u8; 32] = rand::rng().random();
        Self {
            user,
            secret: BASE64_URL_SAFE_NO_PAD.encode(bits),
            is_https,
        }
    }

    /// Reads it from a request's headers, where there is one of the right form.
    #[must_use]
    pub fn from_headers(headers: &HeaderMap, is_https: bool) -> Option<Self> {
        let (user, secret) = cookie(headers, name(is_https))?.split_once('-')?;
        let sane = secret.len() == SECRET_CHARACTERS
            && secret
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        let user = UserId(user.parse().ok()?);
        sane.then(|| Self {
            user,
            secret: secret.to_owned(),
            is_https,
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
            .then(|| self.header(LIFETIME.as_secs()))
            .flatten())
    }

    /// Finds who it belongs to. A session that was idle for too long, or whose user was deactivated, ends for good.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn viewer(&self, app: &App) -> Result<Option<SessionViewer>, AppError> {
        let (db, now) = (page_client(app).await?, app.now());
        let found = session_viewer(&db, &self.user, &self.hash(), &now).await?;
        let Some(found) = found.into_iter().next() else {
            return Ok(None);
        };
        match judge(&found, app.config.session_idle, now) {
            Verdict::Deactivated => {
                delete_sessions_of(&db, &self.user).await?;
                return Ok(None);
            }
            Verdict::Idle => {
                delete_session(&db, &self.user, &self.hash()).await?;
                return Ok(None);
            }
            Verdict::Touch => self.touch(now, &db).await,
            Verdict::Fine => {}
        }
        Ok(Some(found))
    }

    /// A database that takes no writes for a moment keeps nobody from reading.
    async fn touch(&self, now: Timestamp, db: &Client) {
        let touched: Result<u64, StoreError> =
            touch_session(db, &self.user, &self.hash(), &now).await;
        if let Err(error) = touched {
            warn!("that a session is in use could not be noted: {error}");
        }
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
            is_https: self.is_https,
        };
        Ok(empty.header(0))
    }

    fn hash(&self) -> Vec<u8> {
        digest(&SHA256, self.secret.as_bytes()).as_ref().to_vec()
    }

    fn header(&self, max_age_seconds: i64) -> Option<HeaderValue> {
        let (name, user, secret) = (name(self.is_https), self.user, &self.secret);
        let secure = if self.is_https { "; Secure" } else { "" };
        let text = format!(
            "{name}={user}-{secret}; Path=/; Max-Age={max_age_seconds}; HttpOnly; SameSite=Lax{secure}"
        );
        let mut value = HeaderValue::from_str(&text).ok()?;
        value.set_sensitive(true);
        Some(value)
    }
}

/// What becomes of a session.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    /// It goes on.
    Fine,
    /// It goes on, and its use is noted.
    Touch,
    /// Nobody used it for too long.
    Idle,
    /// Its user may not log in any more.
    Deactivated,
}

/// Judges a session that has not expired. An idle time of zero is none.
fn judge(found: &SessionViewer, idle: SignedDuration, now: Timestamp) -> Verdict {
    let unused = now.duration_since(found.last_seen);
    if !found.is_active {
        Verdict::Deactivated
    } else if idle.is_positive() && unused >= idle {
        Verdict::Idle
    } else if unused >= touch_after(idle) {
        Verdict::Touch
    } else {
        Verdict::Fine
    }
}

/// Each note is a write. A session that is in use must not become idle between two of them.
fn touch_after(idle: SignedDuration) -> SignedDuration {
    if idle.is_positive() {
        TOUCH_AFTER.min(idle / 10)
    } else {
        TOUCH_AFTER
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
const TOUCH_AFTER: SignedDuration = SignedDuration::from_mins(5);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn with_https_no_other_host_and_no_plain_connection_gets_at_the_cookie() {
        let session = SessionCookie::new(UserId(7), true);
        let header = session.header(60).unwrap();
        assert!(header.is_sensitive());
        let text = header.to_str().unwrap();
        assert!(text.starts_with("__Host-sal_session=7-"), "{text}");
        assert!(text.ends_with("; Path=/; Max-Age=60; HttpOnly; SameSite=Lax; Secure"));
        assert!(!text.contains("Domain"));
        let plain = SessionCookie::new(UserId(7), false).header(60).unwrap();
        assert!(plain.to_str().unwrap().starts_with("sal_session=7-"));
    }

    #[test]
    fn every_session_has_a_secret_of_its_own() {
        let session = || SessionCookie::new(UserId(7), false);
        let (one, other) = (session(), session());
        assert_ne!(one.secret, other.secret);
        assert_eq!(one.secret.len(), SECRET_CHARACTERS);
        assert_ne!(one.hash(), one.secret.as_bytes());
    }

    #[test]
    fn a_session_is_noted_every_few_minutes_and_ends_when_idle_or_deactivated() {
        let (minute, now) = (SignedDuration::from_mins(1), Timestamp::UNIX_EPOCH);
        let judge = |idle: i32, unused: i32, is_active| {
            let found = SessionViewer {
                id: UserId(7),
                username: String::new(),
                is_staff: false,
                is_superuser: false,
                level: None,
                units: Vec::new(),
                only_user: false,
                is_active,
                last_seen: now - minute * unused,
            };
            judge(&found, minute * idle, now)
        };
        assert_eq!(judge(720, 0, true), Verdict::Fine);
        assert_eq!(judge(720, 4, true), Verdict::Fine);
        assert_eq!(judge(720, 5, true), Verdict::Touch);
        assert_eq!(judge(720, 719, true), Verdict::Touch);
        assert_eq!(judge(720, 720, true), Verdict::Idle);
        assert_eq!(judge(10, 1, true), Verdict::Touch);
        assert_eq!(judge(10, 10, true), Verdict::Idle);
        assert_eq!(judge(0, 20_000, true), Verdict::Touch);
        for unused in [0, 5, 20_000] {
            assert_eq!(judge(720, unused, false), Verdict::Deactivated);
        }
        // Clocks of two servers differ.
        assert_eq!(judge(720, -3, true), Verdict::Fine);
    }
}
