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
    let origin = Origin::of(&parts, &app);
    let key = parts
        .headers
        .get(header::AUTHORIZATION)
        .map(|value| value.as_bytes().to_vec());
    match limits.client(&origin, key, &app) {
        Ok(()) => next.run(Request::from_parts(parts, body)).await,
        Err(error) => error.into_response(),
    }
}

impl Limits {
    fn client(&self, origin: &Origin, key: Option<Vec<u8>>, app: &App) -> Result<(), AppError> {
        let mut counters = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let config = &app.config;
        counters.origin(origin, config.address_limit)?;
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

impl Counters {
    /// Counts a request of an address. Behind a proxy that nobody has named (SAL_TRUSTED_PROXIES) stands a whole fleet:
    /// there the limit is for each address that the proxy names, and for the proxy itself, which may be nobody's and name
    /// whom it likes, there is a far higher one.
    fn origin(&mut self, origin: &Origin, limit: u32) -> Result<(), AppError> {
        let network = &origin.network;
        let Some(claimed) = &origin.claimed else {
            return self
                .addresses
                .count(network.clone(), limit, "one address", SETTING);
        };
        let one = format!("{claimed} by {network}");
        self.addresses.count(one, limit, "one address", SETTING)?;
        let most = limit.saturating_mul(SHARED).min(MOST_SHARED).max(limit);
        let all = format!("all by {network}");
        let whom = "one address that forwards for others and is not named in SAL_TRUSTED_PROXIES";
        self.addresses.count(all, most, whom, SETTING)
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
        if self.began.elapsed() >= MINUTE {
            self.began = Instant::now();
            self.counts.clear();
        }
        self.make_room();
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

    /// Bounds the memory: those who asked least are forgotten, so that many new names do not free who asked much.
    fn make_room(&mut self) {
        let mut least = 1;
        while self.counts.len() >= MOST_COUNTED {
            self.counts.retain(|_, count| *count > least);
            least = least.saturating_mul(2);
        }
    }
}

const SETTING: &str = "SAL_ADDRESS_LIMIT";
/// How many addresses' worth an unlisted proxy may ask.
const SHARED: u32 = 100;
/// And never more than this, unless one address may: what 100,000 machines do is below it.
const MOST_SHARED: u32 = 120_000;
const MINUTE: Duration = Duration::from_secs(60);
/// How many are counted at a time.
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

    fn origin(network: &str, claimed: Option<&str>) -> Origin {
        Origin {
            address: network.to_owned(),
            network: network.to_owned(),
            claimed: claimed.map(str::to_owned),
            is_https: false,
            client: String::new(),
        }
    }

    #[tokio::test]
    async fn a_fleet_behind_an_unlisted_proxy_is_not_one_address() {
        let mut counters = Counters::default();
        for machine in 0..50 {
            let claimed = format!("10.1.0.{machine}");
            let origin = origin("10.0.0.7", Some(&claimed));
            for _ in 0..3 {
                assert!(counters.origin(&origin, 3).is_ok(), "{machine}");
            }
            assert!(counters.origin(&origin, 3).is_err(), "{machine}");
        }
        // Whoever makes addresses up is stopped too, later.
        let refused = (0..1000)
            .filter(|n| {
                let made_up = origin("10.0.0.7", Some(&format!("6.6.{}.{}", n / 250, n % 250)));
                counters.origin(&made_up, 3).is_err()
            })
            .count();
        assert_eq!(refused, 1000 - (300 - 150));
        assert!(counters.origin(&origin("10.0.0.8", None), 3).is_ok());
    }

    #[tokio::test]
    async fn many_new_names_do_not_free_who_asked_much() {
        let mut window = Window::default();
        for _ in 0..4 {
            let _counted = window.count("wild".to_owned(), 3, "one key", "SAL_KEY_LIMIT");
        }
        for n in 0..MOST_COUNTED + 10_000 {
            assert!(
                window
                    .count(n.to_string(), 3, "one key", "SAL_KEY_LIMIT")
                    .is_ok()
            );
        }
        assert!(window.counts.len() <= MOST_COUNTED);
        assert!(
            window
                .count("wild".to_owned(), 3, "one key", "SAL_KEY_LIMIT")
                .is_err()
        );
    }
}
