//! AWS credentials: what they are, where they come from, and how failures are named.
//!
//! `Credentials` are values; a `CredentialProvider` fetches them; `cache.rs` keeps one set for the
//! whole process and refreshes it; `chain.rs` is the provider that looks where AWS programs look.
//! Tests hand in their own provider.

mod cache;
mod chain;
mod date;
mod files;
mod login;
mod metadata;
mod named;
mod watch;

use std::{fmt, time::Duration};

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use thiserror::Error;

pub(crate) use self::login::command_in;
pub use self::{
    cache::{CacheSettings, CredentialCache, CredentialStatus, RefreshOutcome},
    chain::{AssumeRole, ChainSettings, CredentialChain},
    watch::{Skew, SkewMeter},
};
use crate::secret::Secret;

/// Keys that sign on behalf of an IAM user or role.
#[derive(Clone)]
pub struct Credentials {
    access_key_id: String,
    secret_access_key: Secret,
    session_token: Option<Secret>,
    expires_at: Option<Timestamp>,
}

impl Credentials {
    /// Builds credentials; long-term keys have neither session token nor end.
    pub fn new(
        access_key_id: impl Into<String>,
        secret_access_key: impl Into<String>,
        session_token: Option<&str>,
        expires_at: Option<Timestamp>,
    ) -> Self {
        Self {
            access_key_id: access_key_id.into(),
            secret_access_key: Secret::new(secret_access_key),
            session_token: session_token.map(Secret::new),
            expires_at,
        }
    }

    /// The key's public name.
    #[must_use]
    pub fn access_key_id(&self) -> &str {
        &self.access_key_id
    }

    /// The signing secret.
    #[must_use]
    pub fn secret_access_key(&self) -> &Secret {
        &self.secret_access_key
    }

    /// The session's proof, for temporary credentials.
    #[must_use]
    pub fn session_token(&self) -> Option<&Secret> {
        self.session_token.as_ref()
    }

    /// When the credentials end; a token made from them ends then too.
    #[must_use]
    pub fn expires_at(&self) -> Option<Timestamp> {
        self.expires_at
    }

    /// The last four characters of the key id: enough to tell two keys apart in a log.
    #[must_use]
    pub fn access_key_ending(&self) -> String {
        let count = self.access_key_id.chars().count();
        self.access_key_id
            .chars()
            .skip(count.saturating_sub(4))
            .collect()
    }

    /// Says whether the credentials are good for at least `life` from `now` on.
    #[must_use]
    pub fn live_for(&self, life: Duration, now: Timestamp) -> bool {
        self.expires_at
            .is_none_or(|end| end.duration_since(now).as_secs_f64() >= life.as_secs_f64())
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Credentials")
            .field("access_key_id", &format!("…{}", self.access_key_ending()))
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

/// Credentials together with the place they came from.
#[derive(Clone, Debug)]
pub struct Fetched {
    /// The keys.
    pub credentials: Credentials,
    /// The source in words, such as `instance metadata`.
    pub source: String,
}

/// A place that hands out credentials.
pub trait CredentialProvider: Send + Sync + 'static {
    /// Fetches a fresh set; the cache decides when and never asks twice at the same time.
    fn fetch(&self) -> BoxFuture<'_, Result<Fetched, CredentialError>>;

    /// The clock difference seen in the source's answers, when it has one.
    fn skew(&self) -> Option<Skew> {
        None
    }
}

/// Credentials that never change, for tests and for programs that were given keys.
#[derive(Clone, Debug)]
pub struct FixedCredentials(pub Credentials);

impl CredentialProvider for FixedCredentials {
    fn fetch(&self) -> BoxFuture<'_, Result<Fetched, CredentialError>> {
        let fetched = Fetched {
            credentials: self.0.clone(),
            source: "fixed keys".to_owned(),
        };
        Box::pin(async move { Ok(fetched) })
    }
}

/// Why there are no credentials to sign with.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CredentialError {
    /// No source had anything to offer.
    #[error("no AWS credentials were found; looked at {}", tried.join("; "))]
    NotFound {
        /// Every source with what it said.
        tried: Vec<String>,
    },
    /// A source that is configured refused or failed.
    #[error("{origin} gave no credentials: {message}")]
    Failed {
        /// The source in words.
        origin: String,
        /// What it said, shortened.
        message: String,
    },
    /// A source did not answer in time.
    #[error("no credentials came within {} s", after.as_secs())]
    TimedOut {
        /// How long was waited.
        after: Duration,
    },
    /// What can be had ends too soon to sign with.
    #[error("the credentials of {origin} end at {expires_at}, too soon to log in with{}", refresh_suffix(.refresh.as_deref()))]
    Expiring {
        /// The source in words.
        origin: String,
        /// When they end or ended.
        expires_at: Timestamp,
        /// Why they could not be refreshed, when that is known.
        refresh: Option<String>,
    },
}

fn refresh_suffix(refresh: Option<&str>) -> String {
    refresh.map_or_else(String::new, |text| format!("; refreshing failed: {text}"))
}
