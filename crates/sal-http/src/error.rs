//! The one place that turns errors into answers, and the one place that logs a 5xx.
//!
//! A 4xx tells the caller what to change; a 5xx says nothing but a request id, and the log says the rest.

use std::error::Error;

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use rand::RngExt;
use sal_store::StoreError;
use tracing::error;

use crate::django;
use crate::metric_names::DB_BUSY;

/// Why a request got no ordinary answer.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// The caller sent something wrong; the text says what to change. Plain text.
    #[error("bad request: {0}")]
    BadRequest(String),
    /// The body is larger than `limit_bytes` (Django answers 400, so clients know that).
    #[error("the body is larger than {limit_bytes} bytes")]
    BodyTooLarge {
        /// The limit.
        limit_bytes: usize,
    },
    /// There is no such thing, or the caller may not know of it.
    #[error("not found")]
    NotFound,
    /// A client did not show a machine group's key.
    #[error("no valid machine group key")]
    NoKey,
    /// The viewer may not do that.
    #[error("forbidden")]
    Forbidden,
    /// The viewer may see numbers and no machines.
    #[error("stats only")]
    StatsOnly,
    /// Log in first, then come back to this path.
    #[error("login needed")]
    LoginNeeded {
        /// The path and query that were asked for.
        next: String,
        /// Whether a script asked for a part of a page: the whole page has to go to the login then.
        is_part: bool,
    },
    /// Too many tries; wait.
    #[error("too many tries, wait {seconds} s")]
    TooMany {
        /// How long.
        seconds: u64,
    },
    /// More people log in than passwords can be hashed; wait.
    #[error("too many passwords to check at once, wait {seconds} s")]
    LoginsBusy {
        /// How long.
        seconds: u64,
    },
    /// A client asks more often than a limit allows.
    #[error("more than {limit} requests a minute from {whom} (setting {setting})")]
    Limited {
        /// Who asks: an address, a key or a machine.
        whom: &'static str,
        /// The setting that holds the limit.
        setting: &'static str,
        /// Requests a minute.
        limit: u32,
        /// How long to wait.
        seconds: u64,
    },
    /// A machine's key is another group's than the one it is in, and `SAL_KEY_MOVES` keeps it there.
    #[error("the key is another machine group's, and SAL_KEY_MOVES keeps the machine in its own")]
    MayNotMove,
    /// A page's form is larger than any of ours.
    #[error("the form is larger than {limit_bytes} bytes")]
    FormTooLarge {
        /// The limit.
        limit_bytes: usize,
    },
    /// The budget of memory is taken.
    #[error("no room in the budget of memory became free")]
    NoRoom,
    /// More check-ins are under way than end in time.
    #[error("more check-ins come at once than are answered in time")]
    Crowded,
    /// The same person's other requests took too long.
    #[error("the other requests of this person took too long")]
    OwnRequests,
    /// There is no such thing, and the journal shall know which; the caller gets the same 404 as for any other.
    #[error("{0}")]
    Unknown(&'static str),
    /// The database failed.
    #[error("the database failed")]
    Store(#[from] StoreError),
    /// Something that should not happen.
    #[error("{what}")]
    Internal {
        /// What we were doing.
        what: &'static str,
        /// Why it failed.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
}

impl AppError {
    /// Wraps an error that should not happen.
    pub fn internal(what: &'static str, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Internal {
            what,
            source: source.into(),
        }
    }
}

/// Why an answer is an error, for the journal; travels as an extension of the answer.
#[derive(Debug, Clone)]
pub struct Reason(pub String);

/// That there was too much to do at once, which whoever sends it can bring about: it says nothing of the database.
#[derive(Debug, Clone, Copy)]
pub struct Crowded;

/// That a crowd of check-ins was the reason, which is counted by [`crate::metric_names::TURNED_AWAY`].
#[derive(Debug, Clone, Copy)]
pub struct TurnedAway;

impl IntoResponse for AppError {
    fn into_response(self) -> Response {
        let is_turned_away = matches!(self, Self::Crowded);
        let is_crowded = matches!(self, Self::NoRoom | Self::Crowded | Self::OwnRequests);
        let reason = Reason(match &self {
            Self::BadRequest(text) => text.clone(),
            other => other.to_string(),
        });
        let mut response = self.answer();
        response.extensions_mut().insert(reason);
        if is_crowded {
            response.extensions_mut().insert(Crowded);
        }
        if is_turned_away {
            response.extensions_mut().insert(TurnedAway);
        }
        response
    }
}

impl AppError {
    fn answer(self) -> Response {
        match &self {
            Self::BadRequest(text) => django::answer(StatusCode::BAD_REQUEST, text.clone()),
            Self::BodyTooLarge { limit_bytes } => {
                let sentence = format!(
                    "The request body is larger than {limit_bytes} bytes (setting SAL_BODY_LIMIT)."
                );
                django::error_page(StatusCode::BAD_REQUEST, "Bad request", &sentence)
            }
            Self::NotFound | Self::Unknown(_) => django::not_found(),
            Self::NoKey => no_key(),
            Self::Forbidden => {
                let sentence = "Your account may not see this. An administrator can add you to the business unit.";
                django::error_page(StatusCode::FORBIDDEN, "No access", sentence)
            }
            Self::StatsOnly => {
                let sentence = "Your account shows numbers, not machines (level Stats only). A global admin can change that.";
                django::error_page(StatusCode::FORBIDDEN, "No access", sentence)
            }
            Self::LoginNeeded { next, is_part } => login_needed(next, *is_part),
            Self::TooMany { seconds } => {
                too_many("Too many tries", "Wait a little and try again.", *seconds)
            }
            Self::LoginsBusy { seconds } => {
                let sentence = "More people are logging in than this server can check at once. Try again in a few seconds.";
                let mut response = too_many("Many are logging in", sentence, *seconds);
                *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
                response
            }
            Self::Limited { seconds, .. } => {
                let sentence = format!("There were {self}. Try again in {seconds} s.");
                too_many("Too many requests", &sentence, *seconds)
            }
            Self::MayNotMove => django::answer(
                StatusCode::FORBIDDEN,
                "This machine is in another machine group than its key, and SAL_KEY_MOVES keeps it there. \
                 Move it on its page, or give it the key of its group.\n",
            ),
            Self::FormTooLarge { limit_bytes } => {
                let sentence = format!("The form is larger than {limit_bytes} bytes.");
                django::error_page(StatusCode::PAYLOAD_TOO_LARGE, "Too large", &sentence)
            }
            // Each would be a line of log; the budget itself says it now and then.
            Self::NoRoom => busy(
                "This server has too much to read at once (setting SAL_MEMORY_BUDGET). Try again in a moment; nothing was changed.",
            ),
            Self::Crowded => busy(
                "More machines report at once than this server can take in time. Try again in a moment; nothing was changed.",
            ),
            Self::OwnRequests => busy(
                "Your other requests are still being worked on. Wait for them, then try again.",
            ),
            Self::Store(inner) if inner.is_outage() || inner.lacks_a_table() => {
                log(&self);
                away(inner)
            }
            Self::Store(_) | Self::Internal { .. } => {
                log(&self);
                failed_here()
            }
        }
    }
}

fn busy(sentence: &str) -> Response {
    unavailable("Busy", sentence)
}

fn failed_here() -> Response {
    let sentence = "The request failed here, not at your side. The log of this server names the cause under the \
                    request id of this answer.";
    django::error_page(
        StatusCode::INTERNAL_SERVER_ERROR,
        "Page unavailable",
        sentence,
    )
}

/// A database that is busy is told from one that is away.
fn away(error: &StoreError) -> Response {
    if error.lacks_a_table() {
        return unavailable(
            "Not available",
            "A table of this server is missing, or its login may not use it. `sal db check` names it; nothing was changed.",
        );
    }
    if error.is_busy() {
        metrics::counter!(DB_BUSY).increment(1);
        return unavailable(
            "Busy",
            "The database is busy, or somebody else is changing the same rows or holds a lock on its tables. Try again in a moment; nothing was changed.",
        );
    }
    unavailable(
        "Not available",
        "The database cannot be reached now. Try again in a moment; nothing was changed.",
    )
}

/// 503, and when to come back: not all of a fleet in the same second.
fn unavailable(heading: &str, sentence: &str) -> Response {
    let mut response = django::error_page(StatusCode::SERVICE_UNAVAILABLE, heading, sentence);
    let seconds: u64 = rand::rng().random_range(COME_BACK);
    response
        .headers_mut()
        .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    response
}

/// Seconds. Long enough for some thousand machines, one after the other.
const COME_BACK: std::ops::RangeInclusive<u64> = 10..=40;

fn too_many(heading: &str, sentence: &str, seconds: u64) -> Response {
    let mut response = django::error_page(StatusCode::TOO_MANY_REQUESTS, heading, sentence);
    response
        .headers_mut()
        .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    response
}

fn no_key() -> Response {
    let mut response = django::answer(StatusCode::UNAUTHORIZED, "");
    response.headers_mut().insert(
        header::WWW_AUTHENTICATE,
        HeaderValue::from_static("Basic realm=Sal"),
    );
    response
}

fn login_needed(next: &str, is_part: bool) -> Response {
    let next = percent_encoding::utf8_percent_encode(next, IN_NEXT);
    // htmx follows a redirect by itself and would put the login page into the middle of this one.
    let (status, name) = if is_part {
        (StatusCode::OK, HeaderName::from_static("hx-redirect"))
    } else {
        (StatusCode::FOUND, header::LOCATION)
    };
    let mut response = django::answer(status, "");
    if let Ok(location) = HeaderValue::from_str(&format!("/login?next={next}")) {
        response.headers_mut().insert(name, location);
    }
    response
}

/// What Django leaves as it is in `next`.
const IN_NEXT: &percent_encoding::AsciiSet = &percent_encoding::NON_ALPHANUMERIC
    .remove(b'/')
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

fn log(failure: &AppError) {
    let mut chain = Vec::new();
    let mut source = failure.source();
    while let Some(inner) = source {
        chain.push(inner.to_string());
        source = inner.source();
    }
    error!(causes = chain.join(": "), "{failure}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crowd_is_told_from_a_database_that_fails() {
        let busy = || StoreError::PoolBusy { waited_seconds: 8 };
        for (failure, is_crowded) in [
            (AppError::NoRoom, true),
            (AppError::Crowded, true),
            (AppError::OwnRequests, true),
            (AppError::Store(busy()), false),
            (AppError::Store(StoreError::ReadOnly), false),
        ] {
            let words = failure.to_string();
            let response = failure.into_response();
            assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
            let again = response.headers()[header::RETRY_AFTER].to_str().unwrap();
            assert!(COME_BACK.contains(&again.parse().unwrap()), "{again}");
            let marked = response.extensions().get::<Crowded>().is_some();
            assert_eq!(marked, is_crowded, "{words}");
        }
    }

    #[test]
    fn a_fleet_that_is_turned_away_does_not_come_back_in_step() {
        let again = |_| {
            let response = AppError::Crowded.into_response();
            response.headers()[header::RETRY_AFTER]
                .to_str()
                .unwrap()
                .to_owned()
        };
        let moments: std::collections::HashSet<String> = (0..500).map(again).collect();
        assert!(moments.len() > 20, "{moments:?}");
    }
}
