//! How many requests a token or a key has left in the present minute (`SAL_API_REQUESTS_PER_MINUTE`), and the headers that
//! say so: those of draft-ietf-httpapi-ratelimit-headers.

use std::sync::{Mutex, PoisonError};

use axum::http::{HeaderName, HeaderValue};
use axum::response::Response;
use sal_http::{
    App,
    per_minute::{PerMinute, Spent},
};

use crate::{access::Caller, error::ApiError};

/// What every token and key spent, by the names that no other caller has.
#[derive(Default)]
pub(crate) struct Budgets(Mutex<PerMinute<String>>);

impl Budgets {
    /// Counts a request. People with a session are not counted.
    pub(crate) fn spend(&self, caller: &Caller, app: &App) -> Option<Spent> {
        if matches!(caller, Caller::Person(_)) {
            return None;
        }
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counts.count(caller.walker(), app.config.api_limit)
    }
}

/// Refuses whoever spent more than there was.
///
/// # Errors
/// [`ApiError::Throttled`].
pub(crate) fn refuse(spent: Option<Spent>) -> Result<(), ApiError> {
    match spent {
        Some(Spent {
            is_over: true,
            seconds,
            ..
        }) => Err(ApiError::Throttled { seconds }),
        _ => Ok(()),
    }
}

/// Says in an answer what is left.
pub(crate) fn show(spent: Option<Spent>, response: &mut Response) {
    let Some(spent) = spent else {
        return;
    };
    let policy = format!("\"{NAME}\";q={};w=60", spent.limit);
    let now = format!("\"{NAME}\";r={};t={}", spent.left, spent.seconds);
    for (name, value) in [("ratelimit-policy", policy), ("ratelimit", now)] {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response
                .headers_mut()
                .insert(HeaderName::from_static(name), value);
        }
    }
}

/// The name of our one policy.
const NAME: &str = "requests";
