//! What CloudWatch would know: the `iam-db-auth-error` log and the seven metrics.
//!
//! Kept in memory, the newest 100,000 events.

use std::collections::VecDeque;
use std::fmt;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;

/// Why an IAM login was refused, as RDS names it in its `iam-db-auth-error` log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// 400: malformed, truncated, forged, or made for something else.
    InvalidToken,
    /// 400: older than 15 minutes, or signed with credentials that have expired.
    ExpiredToken,
    /// 403: no policy lets the caller connect as this user.
    NotAuthorized,
    /// 429: more than 200 logins in a second.
    ThrottlingException,
    /// 500: the authentication service itself failed.
    InternalError,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::InvalidToken => "InvalidToken/400",
            Self::ExpiredToken => "ExpiredToken/400",
            Self::NotAuthorized => "NotAuthorized/403",
            Self::ThrottlingException => "ThrottlingException/429",
            Self::InternalError => "InternalError/500",
        })
    }
}

/// How an IAM login ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The token was accepted.
    Accepted,
    /// It was refused.
    Refused(Reason),
}

/// One IAM login, accepted or refused. The token is not part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthEvent {
    /// The lab's time.
    pub at: Timestamp,
    /// The database user.
    pub user: String,
    /// Where the client came from.
    pub peer: IpAddr,
    /// Who signed the token, when that is known.
    pub caller: Option<String>,
    /// How long the token was.
    pub token_bytes: usize,
    /// How it ended.
    pub outcome: Outcome,
    /// What exactly was wrong; empty for an accepted login.
    pub detail: String,
}

impl AuthEvent {
    /// The line for the `iam-db-auth-error` log; `None` for an accepted login.
    #[must_use]
    pub fn error_line(&self) -> Option<String> {
        let Outcome::Refused(reason) = self.outcome else {
            return None;
        };
        let (at, user, detail) = (self.at, &self.user, &self.detail);
        Some(match (&self.caller, reason) {
            (Some(caller), Reason::NotAuthorized) => format!(
                "{at} {reason} user \"{user}\" assumed by caller \"{caller}\" is not authorized to perform `rds-db:connect`: {detail}"
            ),
            _ => format!("{at} {reason} user \"{user}\": {detail}"),
        })
    }
}

/// The `IamDbAuth…` metrics, counted since the lab started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Metrics {
    /// `IamDbAuthConnectionRequests`.
    pub requests: u64,
    /// `IamDbAuthConnectionSuccess`.
    pub success: u64,
    /// `IamDbAuthConnectionFailure`.
    pub failure: u64,
    /// `IamDbAuthConnectionFailureInvalidToken`: expired ones count here too.
    pub failure_invalid_token: u64,
    /// `IamDbAuthConnectionFailureInsufficientPermissions`.
    pub failure_insufficient_permissions: u64,
    /// `IamDbAuthConnectionFailureThrottling`.
    pub failure_throttling: u64,
    /// `IamDbAuthConnectionFailureServerError`.
    pub failure_server_error: u64,
}

impl Metrics {
    fn count(&mut self, outcome: Outcome) {
        self.requests += 1;
        let counter = match outcome {
            Outcome::Accepted => {
                self.success += 1;
                return;
            }
            Outcome::Refused(Reason::InvalidToken | Reason::ExpiredToken) => {
                &mut self.failure_invalid_token
            }
            Outcome::Refused(Reason::NotAuthorized) => &mut self.failure_insufficient_permissions,
            Outcome::Refused(Reason::ThrottlingException) => &mut self.failure_throttling,
            Outcome::Refused(Reason::InternalError) => &mut self.failure_server_error,
        };
        *counter += 1;
        self.failure += 1;
    }
}

/// The log and the counters.
#[derive(Debug, Default)]
pub(crate) struct Record(Mutex<(VecDeque<AuthEvent>, Metrics)>);

impl Record {
    pub(crate) fn note(&self, event: AuthEvent) {
        let mut both = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (events, metrics) = &mut *both;
        metrics.count(event.outcome);
        if events.len() == MOST_EVENTS {
            events.pop_front();
        }
        events.push_back(event);
    }

    pub(crate) fn events(&self) -> Vec<AuthEvent> {
        let both = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        both.0.iter().cloned().collect()
    }

    pub(crate) fn metrics(&self) -> Metrics {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).1
    }
}

const MOST_EVENTS: usize = 100_000;
