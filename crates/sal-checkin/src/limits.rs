//! How often a machine, a key and an address may ask: far more often than a real fleet ever does, so that one client
//! that runs wild cannot take the server from all others.
//!
//! Counted in this process, in windows of a minute. Behind several servers each counts for itself.

use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{Request, State};
use axum::http::header;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use sal_http::origin::Origin;
use sal_http::per_minute::PerMinute;
use sal_http::{App, AppError};

/// All counters of a router.
#[derive(Clone, Default)]
pub(crate) struct Limits(Arc<Mutex<Counters>>);

#[derive(Default)]
struct Counters {
    addresses: PerMinute<String>,
    keys: PerMinute<Vec<u8>>,
    machines: PerMinute<String>,
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
            Some(key) => count(
                &mut counters.keys,
                key,
                config.key_limit,
                "one key",
                "SAL_KEY_LIMIT",
            ),
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
        let serial = serial.to_owned();
        count(
            &mut counters.machines,
            serial,
            limit,
            "one machine",
            "SAL_MACHINE_LIMIT",
        )
    }
}

impl Counters {
    /// Counts a request of an address. Behind a proxy that nobody has named (SAL_TRUSTED_PROXIES) stands a whole fleet:
    /// there the limit is for each address that the proxy names, and for the proxy itself, which may be nobody's and name
    /// whom it likes, there is a far higher one.
    fn origin(&mut self, origin: &Origin, limit: u32) -> Result<(), AppError> {
        let network = &origin.network;
        let Some(claimed) = &origin.claimed else {
            let network = network.clone();
            return count(&mut self.addresses, network, limit, "one address", SETTING);
        };
        let one = format!("{claimed} by {network}");
        count(&mut self.addresses, one, limit, "one address", SETTING)?;
        let most = limit.saturating_mul(SHARED).min(MOST_SHARED).max(limit);
        let all = format!("all by {network}");
        let whom = "one address that forwards for others and is not named in SAL_TRUSTED_PROXIES";
        count(&mut self.addresses, all, most, whom, SETTING)
    }
}

/// Counts one more.
///
/// # Errors
/// [`AppError::Limited`] when it is more than the limit.
fn count<K: Eq + Hash>(
    window: &mut PerMinute<K>,
    who: K,
    limit: u32,
    whom: &'static str,
    setting: &'static str,
) -> Result<(), AppError> {
    match window.count(who, limit) {
        Some(spent) if spent.is_over => Err(AppError::Limited {
            whom,
            setting,
            limit,
            seconds: spent.seconds,
        }),
        _ => Ok(()),
    }
}

const SETTING: &str = "SAL_ADDRESS_LIMIT";
/// How many addresses' worth an unlisted proxy may ask.
const SHARED: u32 = 100;
/// And never more than this, unless one address may: what 100,000 machines do is below it.
const MOST_SHARED: u32 = 120_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_is_limited_is_told_by_which_setting() {
        let mut window = PerMinute::default();
        let mut ask = |limit| count(&mut window, "x", limit, "one machine", "SAL_MACHINE_LIMIT");
        assert!(ask(2).is_ok() && ask(2).is_ok());
        let refused = ask(2).unwrap_err().to_string();
        assert_eq!(
            refused,
            "more than 2 requests a minute from one machine (setting SAL_MACHINE_LIMIT)"
        );
        assert!(ask(0).is_ok());
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
}
