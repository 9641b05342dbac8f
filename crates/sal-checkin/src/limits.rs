//! How often a machine, a key and an address may ask: far more often than a real fleet ever does, so that one client
//! that runs wild cannot take the server from all others.
//!
//! Counted in this process, in windows of a minute. Behind several servers each counts for itself.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::header;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use sal_http::origin::Origin;
use sal_http::{App, AppError};
use tokio::time::Instant;

/// All counters of a router.
#[derive(Clone, Default)]
pub(crate) struct Limits(Arc<Mutex<Counters>>);

#[derive(Default)]
struct Counters {
    addresses: Window<String>,
    keys: Window<Vec<u8>>,
    machines: Window<String>,
}

/// Refuses a request whose address or key asked too often, before anything else looks at it.
pub(crate) async fn guard(
    State((app, limits)): State<(App, Limits)>,
    mut request: Request,
    next: Next,
) -> Response {
    request.extensions_mut().insert(limits.clone());
    let (parts, body) = request.into_parts();
    let address = Origin::of(&parts).address;
    let key = parts
        .headers
        .get(header::AUTHORIZATION)
        .map(|value| value.as_bytes().to_vec());
    match limits.client(address, key, &app) {
        Ok(()) => next.run(Request::from_parts(parts, body)).await,
        Err(error) => error.into_response(),
    }
}

impl Limits {
    fn client(&self, address: String, key: Option<Vec<u8>>, app: &App) -> Result<(), AppError> {
        let mut counters = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let config = &app.config;
        counters.addresses.count(
            address,
            config.address_limit,
            "one address",
            "SAL_ADDRESS_LIMIT",
        )?;
        match key {
            Some(key) => counters
                .keys
                .count(key, config.key_limit, "one key", "SAL_KEY_LIMIT"),
            None => Ok(()),
        }
    }

    /// Counts a submission of a machine.
    ///
    /// # Errors
    /// [`AppError::Limited`] when it sends too many.
    pub(crate) fn machine(&self, serial: &str, app: &App) -> Result<(), AppError> {
        let mut counters = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let limit = app.config.machine_limit;
        counters
            .machines
            .count(serial.to_owned(), limit, "one machine", "SAL_MACHINE_LIMIT")
    }
}

/// Counts of the present minute.
struct Window<K> {
    began: Instant,
    counts: HashMap<K, u32>,
}

impl<K> Default for Window<K> {
    fn default() -> Self {
        Self {
            began: Instant::now(),
            counts: HashMap::new(),
        }
    }
}

impl<K: Eq + Hash> Window<K> {
    fn count(
        &mut self,
        who: K,
        limit: u32,
        whom: &'static str,
        setting: &'static str,
    ) -> Result<(), AppError> {
        if limit == 0 {
            return Ok(());
        }
        if self.began.elapsed() >= MINUTE || self.counts.len() >= MOST_COUNTED {
            self.began = Instant::now();
            self.counts.clear();
        }
        let count = self.counts.entry(who).or_default();
        *count = count.saturating_add(1);
        if *count <= limit {
            return Ok(());
        }
        let seconds = MINUTE.saturating_sub(self.began.elapsed()).as_secs().max(1);
        Err(AppError::Limited {
            whom,
            setting,
            limit,
            seconds,
        })
    }
}

const MINUTE: Duration = Duration::from_secs(60);
/// Bounds the memory: more than this many in one minute begin a new one.
const MOST_COUNTED: usize = 200_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_minute_later_it_begins_anew_and_zero_means_no_limit() {
        let mut window = Window::default();
        let mut ask = |limit| window.count("x", limit, "one machine", "SAL_MACHINE_LIMIT");
        assert!(ask(2).is_ok() && ask(2).is_ok());
        let refused = ask(2).unwrap_err().to_string();
        assert_eq!(
            refused,
            "more than 2 requests a minute from one machine (setting SAL_MACHINE_LIMIT)"
        );
        assert!(ask(0).is_ok());
        tokio::time::advance(MINUTE).await;
        assert!(ask(2).is_ok());
    }
}
